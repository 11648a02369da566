#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TMP_SUFFIX_LEN = 48, PATH_LEN_MAX = 4096 };

/* What a new file is to have. */
struct traits {
    mode_t mode;
    uid_t uid; /* (uid_t)-1: as it comes */
    gid_t gid;
};

int fd_read_all(int fd, const char *name, struct buf *out, struct err *e)
{
    for (;;) {
        char block[16384];
        ssize_t n = read(fd, block, sizeof block);

        if (n == 0)
            return 0;
        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return err_sys(e, "read %s", name);
        if (buf_append(out, block, (size_t)n) != 0)
            return err_set(e, ERR_LIMIT, "%s: larger than %zu bytes", name, out->max);
    }
}

int file_read(int dirfd, const char *path, struct buf *out, struct err *e)
{
    struct stat st;
    int fd, rc = -1;

    fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd == -1) {
        int missing = errno == ENOENT || errno == ENOTDIR;

        err_sys(e, "open %s", path);
        if (missing && e != NULL)
            e->code = ERR_NOT_FOUND;
        return -1;
    }
    if (fstat(fd, &st) == -1)
        err_sys(e, "stat %s", path);
    else if (!S_ISREG(st.st_mode))
        err_set(e, ERR_INVALID, "%s: not a regular file", path);
    else
        rc = fd_read_all(fd, path, out, e);
    close(fd);
    return rc;
}

int fd_write_all(int fd, struct str data, struct err *e)
{
    while (data.len > 0) {
        ssize_t n = write(fd, data.p, data.len);

        if (n == -1 && errno == EINTR)
            continue;
        if (n == -1)
            return err_sys(e, "write");
        data = str_from(data, (size_t)n);
    }
    return 0;
}

/* A name beside path that no other writer, thread or process, uses at the same time. */
static int temporary_name(char out[PATH_LEN_MAX], const char *path, struct err *e)
{
    static atomic_uint counter;
    int n = snprintf(out, PATH_LEN_MAX, "%s.%ld.%u.tmp", path, (long)getpid(),
                     atomic_fetch_add(&counter, 1));

    if (n < 0 || n >= PATH_LEN_MAX)
        return err_set(e, ERR_LIMIT, "%s: path too long", path);
    return 0;
}

/* Makes a rename in path's folder last through a power cut. */
static int sync_folder(int dirfd, const char *path, struct err *e)
{
    char folder[PATH_LEN_MAX];
    const char *slash = strrchr(path, '/');
    int fd, rc = 0;

    snprintf(folder, sizeof folder, "%.*s", slash == NULL ? 1 : (int)(slash - path) + 1,
             slash == NULL ? "." : path);
    fd = openat(dirfd, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1)
        return err_sys(e, "open %s", folder);
    if (fsync(fd) == -1 && errno != EINVAL)
        rc = err_sys(e, "fsync %s", folder);
    close(fd);
    return rc;
}

static int write_beside(int dirfd, const char *tmp, struct str content, const struct traits *traits,
                        struct err *e)
{
    int fd, rc = -1;

    fd = openat(dirfd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd == -1)
        return err_sys(e, "create %s", tmp);
    if (fd_write_all(fd, content, e) != 0)
        err_wrap(e, "%s", tmp);
    else if (traits->uid != (uid_t)-1 && fchown(fd, traits->uid, traits->gid) == -1)
        err_sys(e, "chown %s", tmp);
    else if (fchmod(fd, traits->mode) == -1)
        err_sys(e, "chmod %s", tmp);
    else if (fsync(fd) == -1)
        err_sys(e, "fsync %s", tmp);
    else
        rc = 0;
    if (close(fd) == -1 && rc == 0)
        rc = err_sys(e, "close %s", tmp);
    if (rc != 0)
        unlinkat(dirfd, tmp, 0);
    return rc;
}

static int replace(int dirfd, const char *path, struct str content, const struct traits *traits,
                   struct err *e)
{
    char tmp[PATH_LEN_MAX];

    if (temporary_name(tmp, path, e) != 0 || write_beside(dirfd, tmp, content, traits, e) != 0)
        return -1;
    if (renameat(dirfd, tmp, dirfd, path) == -1) {
        err_sys(e, "rename to %s", path);
        unlinkat(dirfd, tmp, 0);
        return -1;
    }
    return sync_folder(dirfd, path, e);
}

int file_replace(int dirfd, const char *path, struct str content, mode_t mode, struct err *e)
{
    const struct traits traits = {mode, (uid_t)-1, (gid_t)-1};

    return replace(dirfd, path, content, &traits, e);
}

int file_rewrite(const char *path, struct str content, struct err *e)
{
    char *target = realpath(path, NULL);
    struct stat st;
    int rc;

    if (target == NULL)
        return err_sys(e, "%s", path);
    if (stat(target, &st) == -1) {
        rc = err_sys(e, "stat %s", target);
    } else {
        const struct traits traits = {st.st_mode & 07777, st.st_uid, st.st_gid};

        rc = replace(AT_FDCWD, target, content, &traits, e);
    }
    free(target);
    return rc;
}

int file_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e)
{
    char partial[PATH_LEN_MAX];
    size_t len = strlen(path);

    if (len >= sizeof partial)
        return err_set(e, ERR_LIMIT, "%s: path too long", path);
    memcpy(partial, path, len + 1);
    for (size_t i = 1; i <= len; i++) {
        if (partial[i] != '/' && partial[i] != '\0')
            continue;
        partial[i] = '\0';
        if (mkdirat(dirfd, partial, mode) == 0) {
            if (sync_folder(dirfd, partial, e) != 0)
                return -1;
        } else if (errno != EEXIST)
            return err_sys(e, "mkdir %s", partial);
        partial[i] = path[i];
    }
    return 0;
}
