#include "server/instance.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum { PID_TEXT_MAX = 24 };

static int open_mark(const char *storage, int flags, struct err *e)
{
    char *path = xasprintf("%s/lintel.pid", storage);
    int fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0644);

    if (fd == -1)
        err_sys(e, "%s", path);
    free(path);
    return fd;
}

static int read_pid(int fd, pid_t *pid)
{
    char text[PID_TEXT_MAX];
    ssize_t n = pread(fd, text, sizeof text, 0);
    uint64_t value;

    if (n <= 0 || text[n - 1] != '\n' ||
        !str_to_uint((struct str){text, (size_t)n - 1}, INT_MAX, &value) || value == 0)
        return -1;
    *pid = (pid_t)value;
    return 0;
}

static int lock(int fd, struct err *e)
{
    pid_t pid;

    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        return 0;
    if (errno != EWOULDBLOCK)
        return err_sys(e, "lock lintel.pid");
    if (read_pid(fd, &pid) != 0)
        return err_set(e, ERR_BUSY, "another server works on the same storage");
    return err_set(e, ERR_BUSY, "another server (process %ld) works on the same storage",
                   (long)pid);
}

static int write_pid(int fd, struct err *e)
{
    char text[PID_TEXT_MAX];
    int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());

    if (ftruncate(fd, 0) == -1 || pwrite(fd, text, (size_t)n, 0) != n)
        return err_sys(e, "write lintel.pid");
    return 0;
}

int instance_take(const char *storage, struct err *e)
{
    int fd;

    if (file_mkdirs(AT_FDCWD, storage, 0700, e) != 0)
        return -1;
    fd = open_mark(storage, O_RDWR | O_CREAT, e);
    if (fd == -1)
        return -1;
    if (lock(fd, e) == 0 && write_pid(fd, e) == 0)
        return fd;
    close(fd);
    return -1;
}

/* The file stays: removing it could take away the mark of a server that has just started. */
void instance_release(int fd)
{
    if (fd == -1)
        return;
    if (ftruncate(fd, 0) == -1)
        errno = 0; /* a lock that is gone says the same */
    close(fd);
}

int instance_find(const char *storage, pid_t *pid, struct err *e)
{
    int fd = open_mark(storage, O_RDONLY, e), rc = -1;

    if (fd == -1) {
        if (errno == ENOENT)
            e->code = ERR_NOT_FOUND;
        return -1;
    }
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        err_set(e, ERR_NOT_FOUND, "no server is running on %s", storage);
    else if (read_pid(fd, pid) != 0)
        err_set(e, ERR_IO, "%s/lintel.pid holds no process number", storage);
    else
        rc = 0;
    close(fd);
    return rc;
}
