#include "base/memory_file.h"

#include "base/alloc.h"
#include "base/file.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct memory_file {
    struct memory_file *next;
    int fd;
    char *path;
    size_t len;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct memory_file *all; /* never shorter */

static bool has_content(const struct memory_file *m, struct str content)
{
    void *map;
    bool same;

    if (m->len != content.len)
        return false;
    map = mmap(NULL, m->len, PROT_READ, MAP_SHARED, m->fd, 0);
    if (map == MAP_FAILED)
        return false;
    same = memcmp(map, content.p, content.len) == 0;
    munmap(map, m->len);
    return same;
}

static int make(struct str content, struct err *e)
{
    int fd = memfd_create("lintel", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd == -1)
        return err_sys(e, "a file in memory");
    if (fd_write_all(fd, content, e) != 0) {
        close(fd);
        return -1;
    }
    (void)fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
    return fd;
}

static const char *find_or_make(struct str content, struct err *e)
{
    struct memory_file *m;
    int fd;

    for (m = all; m != NULL; m = m->next)
        if (has_content(m, content))
            return m->path;
    fd = make(content, e);
    if (fd == -1)
        return NULL;
    m = xalloc(sizeof *m);
    *m = (struct memory_file){all, fd, xasprintf("/proc/self/fd/%d", fd), content.len};
    all = m;
    return m->path;
}

const char *memory_file(struct str content, struct err *e)
{
    const char *path;

    pthread_mutex_lock(&lock);
    path = find_or_make(content, e);
    pthread_mutex_unlock(&lock);
    return path;
}
