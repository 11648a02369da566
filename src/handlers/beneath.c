#include "handlers/beneath.h"

#include "base/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifdef SYS_openat2
#include <linux/openat2.h>
#endif

enum { LINKS_MAX = 40, RACES_MAX = 8 }; /* the kernel's own limit; and tries, if names are moving */

/* ---- with openat2(2), Linux 5.6 ---- */

static bool have_openat2;

#ifdef SYS_openat2
static int openat2_at(int dir, const char *path, int flags, bool beneath)
{
    struct open_how how = {.flags = (unsigned)(flags | O_CLOEXEC),
                           .resolve = RESOLVE_NO_MAGICLINKS | (beneath ? RESOLVE_BENEATH : 0)};
    int fd = -1;

    /* EAGAIN: something was renamed meanwhile, and the kernel cannot be sure. */
    for (int i = 0; i < RACES_MAX; i++) {
        fd = (int)syscall(SYS_openat2, dir, path, &how, sizeof how);
        if (fd != -1 || errno != EAGAIN)
            break;
    }
    return fd;
}

#else
static int openat2_at(int dir, const char *path, int flags, bool beneath)
{
    (void)dir;
    (void)path;
    (void)flags;
    (void)beneath;
    errno = ENOSYS;
    return -1;
}
#endif

/* Old kernels do not know it, and sandboxes forbid it with various errors. */
static void look_for_openat2(void)
{
    int fd = openat2_at(AT_FDCWD, ".", O_PATH, true);

    have_openat2 = fd != -1;
    if (fd != -1)
        close(fd);
}

/* ---- without: a walk ---- */

static int fail(int code)
{
    errno = code;
    return -1;
}

/* What an absolute link names, seen from the folder; p == NULL if it is outside. */
static struct str inside(struct str target, const char *folder)
{
    struct str prefix = str_of(folder);

    while (prefix.len > 0 && prefix.p[prefix.len - 1] == '/')
        prefix.len--;
    if (str_starts(target, prefix) && (target.len == prefix.len || target.p[prefix.len] == '/'))
        return str_from(target, prefix.len);
    return (struct str){NULL, 0};
}

/* The folder may have been named by way of links itself. */
static struct str inside_real(struct str target, const char *folder)
{
    struct str rest = inside(target, folder);
    char real[PATH_MAX];

    if (rest.p != NULL || realpath(folder, real) == NULL)
        return rest;
    return inside(target, real);
}

/* Appends the segments of more to text, resolving dots. False: above the folder, or too long. */
static bool append(char text[PATH_MAX], size_t *len, struct str more)
{
    while (more.p != NULL) {
        struct str segment = str_cut(&more, '/');

        if (segment.len == 0 || str_is(segment, "."))
            continue;
        if (str_is(segment, "..")) {
            if (*len == 0)
                return false;
            while (*len > 0 && text[--*len] != '/')
                ;
            continue;
        }
        if (*len + segment.len + 2 > PATH_MAX)
            return false;
        if (*len > 0)
            text[(*len)++] = '/';
        memcpy(text + *len, segment.p, segment.len);
        *len += segment.len;
    }
    text[*len] = '\0';
    return true;
}

/* A path being walked. */
struct walk {
    const struct beneath *b;
    char text[PATH_MAX];
};

enum { WALK_AGAIN = -2 };

/* Puts a link's target in its place: text[at..end). What is before it has no link any more, so that
 * its ".." can be resolved as text. */
static int follow(struct walk *w, size_t at, struct str rest, struct str target)
{
    char text[PATH_MAX];
    size_t len = 0;
    struct str before = {w->text, at};

    if (str_starts(target, STR_LIT("/"))) {
        before.len = 0;
        target = inside_real(target, w->b->path);
        if (target.p == NULL)
            return fail(EXDEV);
    }
    if (!append(text, &len, before) || !append(text, &len, target) || !append(text, &len, rest))
        return fail(EXDEV);
    memcpy(w->text, text, len + 1);
    return WALK_AGAIN;
}

static void close_unless(int fd, int kept)
{
    int saved = errno;

    if (fd != kept)
        close(fd);
    errno = saved;
}

/* Opens name by name, none of them through a link. WALK_AGAIN: there was one, and text is now the
 * path without it. */
static int walk_once(struct walk *w, int flags)
{
    int dir = w->b->fd;
    size_t at = 0;

    for (;;) {
        size_t end = at + strcspn(w->text + at, "/");
        bool last = w->text[end] == '\0';
        char target[PATH_MAX];
        ssize_t len;
        int next = -1;

        w->text[end] = '\0';
        len = readlinkat(dir, w->text + at, target, sizeof target);
        if (len == -1 && errno == EINVAL)
            next = openat(dir, w->text + at,
                          O_NOFOLLOW | O_CLOEXEC | (last ? flags : O_PATH | O_DIRECTORY));
        close_unless(dir, w->b->fd);
        if (len >= 0)
            return follow(w, at, last ? STR_LIT("") : str_of(w->text + end + 1),
                          (struct str){target, (size_t)len});
        if (next == -1 || last)
            return next;
        w->text[end] = '/';
        dir = next;
        at = end + 1;
    }
}

static int walk(const struct beneath *b, struct str folder, struct str path, int flags)
{
    struct walk w = {.b = b};
    size_t len = 0;

    if (!append(w.text, &len, folder) || !append(w.text, &len, path))
        return fail(EXDEV);
    for (int i = 0; i < LINKS_MAX; i++) {
        int fd = w.text[0] == '\0' ? openat(b->fd, ".", flags | O_CLOEXEC) : walk_once(&w, flags);

        if (fd != WALK_AGAIN)
            return fd;
    }
    return fail(ELOOP);
}

/* Below "/", nothing is outside. */
static int walk_anywhere(const struct beneath *b, const char *path, int flags)
{
    struct beneath all = {.fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), .path = "/"};
    int fd;

    if (all.fd == -1)
        return -1;
    fd = walk(&all, str_of(b->path), str_of(path), flags);
    close_unless(all.fd, -1);
    return fd;
}

static int open_walking(const struct beneath *b, const char *path, int flags)
{
    if (b->follow_links)
        return walk_anywhere(b, path, flags);
    return walk(b, STR_LIT(""), str_of(path), flags);
}

/* ---- both ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;

int beneath_init(struct beneath *b, const char *path, bool follow_links)
{
    pthread_once(&once, look_for_openat2);
    b->path = path;
    b->follow_links = follow_links;
    b->fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    return b->fd == -1 ? -1 : 0;
}

void beneath_fini(struct beneath *b)
{
    if (b->fd != -1)
        close_unless(b->fd, -1);
    b->fd = -1;
}

/* The kernel refuses every absolute link; the walk tells those apart that stay inside. */
static int open_either(const struct beneath *b, const char *path, int flags)
{
    int fd;

    if (have_openat2) {
        fd = openat2_at(b->fd, path, flags, !b->follow_links);
        if (fd != -1 || errno != EXDEV || b->follow_links)
            return fd;
    }
    return open_walking(b, path, flags);
}

int beneath_open(const struct beneath *b, const char *path, struct stat *st)
{
    int fd = open_either(b, path, O_PATH);

    if (fd == -1)
        return -1;
    if (fstat(fd, st) == 0 && S_ISDIR(st->st_mode))
        return fd;
    close(fd);
    if (!S_ISREG(st->st_mode))
        return fail(ENOENT);
    fd = open_either(b, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
    if (fd != -1 && (fstat(fd, st) == -1 || !S_ISREG(st->st_mode))) {
        close(fd); /* replaced in this instant */
        return fail(ENOENT);
    }
    return fd;
}

int beneath_stat(const struct beneath *b, const char *path, struct stat *st)
{
    int fd = open_either(b, path, O_PATH), rc;

    if (fd == -1)
        return -1;
    rc = fstat(fd, st);
    close_unless(fd, -1);
    return rc;
}
