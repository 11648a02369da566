/* A store in a folder. Values are files, replaced atomically; how locks work is told in
 * store_fs_lock.c. The layout is certmagic's. */
#include "cert/store_fs.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/log.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    IO_RETRY_MS = 60 * 1000, /* a disk may get room again, or be mounted for writing */
    LEFTOVER_AGE_S = 600,    /* no write takes so long */
    SWEEP_DEPTH_MAX = 6      /* the deepest folder of the layout is acme/<ca>/users/<e-mail> */
};

/* Keys come from store_layout.h, or from listings joined by the caller: they must not lead out of
 * the root, whatever a file in it is called. */
static int check_key(const char *key, struct err *e)
{
    struct str rest = str_of(key);

    if (rest.len == 0 || rest.len >= STORE_KEY_MAX)
        return err_set(e, ERR_INVALID, "storage: a key of %zu bytes", rest.len);
    while (rest.p != NULL) {
        struct str part = str_cut(&rest, '/');

        if (part.len == 0 || str_is(part, ".") || str_is(part, ".."))
            return err_set(e, ERR_INVALID, "storage: malformed key: %s", key);
    }
    return 0;
}

/* The message of a failed system call gets the place; a later try may succeed. */
static int io_error(const struct store_fs *fs, struct err *e)
{
    if (e == NULL)
        return -1;
    if (e->code == ERR_IO)
        e->retry_ms = IO_RETRY_MS;
    return err_wrap(e, "storage %s", fs->root);
}

int store_fs_mkdirs(struct store_fs *fs, const char *key, struct err *e)
{
    char folder[STORE_KEY_MAX];
    const char *slash = strrchr(key, '/');

    if (slash == NULL)
        return 0;
    snprintf(folder, sizeof folder, "%.*s", (int)(slash - key), key);
    return file_mkdirs(fs->dirfd, folder, 0700, e);
}

static int fs_get(struct store *s, const char *key, struct buf *out, struct err *e)
{
    struct store_fs *fs = store_fs_of(s);
    size_t before = out->len;

    if (check_key(key, e) != 0)
        return -1;
    if (file_read(fs->dirfd, key, out, e) == 0)
        return 0;
    out->len = before;
    return io_error(fs, e);
}

static int fs_put(struct store *s, const char *key, struct str value, struct err *e)
{
    struct store_fs *fs = store_fs_of(s);

    if (check_key(key, e) != 0)
        return -1;
    if (value.len > STORE_VALUE_MAX)
        return err_set(e, ERR_LIMIT, "storage: %s: more than %d bytes", key, STORE_VALUE_MAX);
    if (store_fs_mkdirs(fs, key, e) != 0 || file_replace(fs->dirfd, key, value, 0600, e) != 0)
        return io_error(fs, e);
    return 0;
}

/* Takes off the folders that key stands in, as far up as they are empty; never the root. */
static void remove_empty_folders(struct store_fs *fs, const char *key)
{
    char folder[STORE_KEY_MAX];
    char *slash;

    snprintf(folder, sizeof folder, "%s", key);
    while ((slash = strrchr(folder, '/')) != NULL) {
        *slash = '\0';
        if (unlinkat(fs->dirfd, folder, AT_REMOVEDIR) == -1)
            return;
    }
}

static int fs_del(struct store *s, const char *key, struct err *e)
{
    struct store_fs *fs = store_fs_of(s);

    if (check_key(key, e) != 0)
        return -1;
    if (unlinkat(fs->dirfd, key, 0) == -1) {
        if (errno == ENOENT || errno == ENOTDIR)
            return 0;
        err_sys(e, "remove %s", key);
        return io_error(fs, e);
    }
    remove_empty_folders(fs, key);
    return 0;
}

/* A name that file_replace() of base/file.c gives to a file it is writing:
 * <name>.<pid>.<number>.tmp */
static bool is_temporary(struct str name)
{
    if (!str_ends(name, STR_LIT(".tmp")))
        return false;
    name.len -= 4;
    for (int numbers = 0; numbers < 2; numbers++) {
        size_t end = name.len;

        while (name.len > 0 && name.p[name.len - 1] >= '0' && name.p[name.len - 1] <= '9')
            name.len--;
        if (name.len == end || name.len < 2 || name.p[--name.len] != '.')
            return false;
    }
    return true;
}

/* flags: O_NOFOLLOW or 0. */
static DIR *open_folder(int dirfd, const char *path, int flags)
{
    int fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | flags);
    DIR *dir = fd == -1 ? NULL : fdopendir(fd);

    if (dir == NULL && fd != -1)
        close(fd);
    return dir;
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* All names first, then the visits: the visitor may change the folder. */
static int fs_list(struct store *s, const char *folder, store_visit visit, void *arg, struct err *e)
{
    struct store_fs *fs = store_fs_of(s);
    char **names = NULL;
    size_t n = 0, cap = 0;
    struct dirent *entry;
    bool go_on = true;
    DIR *dir;

    if (check_key(folder, e) != 0)
        return -1;
    dir = open_folder(fs->dirfd, folder, 0);
    if (dir == NULL && (errno == ENOENT || errno == ENOTDIR))
        return 0;
    if (dir == NULL) {
        err_sys(e, "open %s", folder);
        return io_error(fs, e);
    }
    while ((entry = readdir(dir)) != NULL) {
        if (is_dots(entry->d_name) || is_temporary(str_of(entry->d_name)))
            continue;
        if (n == cap)
            names = xrealloc_array(names, cap = cap == 0 ? 16 : cap * 2, sizeof *names);
        names[n++] = xstrdup(entry->d_name);
    }
    closedir(dir);
    if (n > 0)
        qsort(names, n, sizeof *names, compare_names);
    for (size_t i = 0; i < n; i++) {
        go_on = go_on && visit(arg, names[i]);
        free(names[i]);
    }
    free(names);
    return 0;
}

/* Removes what a killed process was writing. Whatever fails here is of no consequence. */
static void sweep(int parent, const char *path, time_t before, unsigned depth)
{
    DIR *dir = open_folder(parent, path, O_NOFOLLOW);
    struct dirent *entry;
    struct stat st;

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        const char *name = entry->d_name;

        if (is_dots(name) || (entry->d_type == DT_REG && !is_temporary(str_of(name))) ||
            fstatat(dirfd(dir), name, &st, AT_SYMLINK_NOFOLLOW) == -1)
            continue;
        if (S_ISDIR(st.st_mode) && depth < SWEEP_DEPTH_MAX)
            sweep(dirfd(dir), name, before, depth + 1);
        else if (S_ISREG(st.st_mode) && is_temporary(str_of(name)) && st.st_mtime < before &&
                 unlinkat(dirfd(dir), name, 0) == 0)
            log_debug("store", "%s: removed, left by a process that was killed", name);
    }
    if (dir != NULL)
        closedir(dir);
}

static const char *fs_where(const struct store *s)
{
    return container_of(s, struct store_fs, base)->root;
}

static void fs_free(struct store *s)
{
    struct store_fs *fs = store_fs_of(s);

    assert(list_empty(&fs->locks));
    close(fs->dirfd);
    free(fs->root);
    free(fs);
}

static const struct store_ops fs_ops = {
    .get = fs_get,
    .put = fs_put,
    .del = fs_del,
    .list = fs_list,
    .lock = store_fs_lock,
    .refresh = store_fs_refresh,
    .unlock = store_fs_unlock,
    .where = fs_where,
    .free = fs_free,
};

struct store *store_fs_new(const char *root, struct err *e)
{
    struct store_fs *fs;
    int fd;

    if (file_mkdirs(AT_FDCWD, root, 0700, e) != 0) {
        err_wrap(e, "storage %s", root);
        return NULL;
    }
    fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd == -1) {
        err_sys(e, "storage %s", root);
        return NULL;
    }
    fs = xalloc(sizeof *fs);
    fs->base.ops = &fs_ops;
    fs->dirfd = fd;
    fs->root = xstrdup(root);
    list_init(&fs->locks);
    sweep(fd, ".", time(NULL) - LEFTOVER_AGE_S, 0);
    return &fs->base;
}
