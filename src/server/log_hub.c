#include "server/log_hub.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    BATCH_BYTES = 64 * 1024,         /* of one piece of mail, or one longer line */
    UNDER_WAY_MAX = 8 * 1024 * 1024, /* bytes in all, from the worker to the file */
    SPOOL_MS = 100,                  /* how long a line may wait for others */
    LAST_WAIT_MS = 1000              /* at the end, for a slow reader */
};

/* Lines for one file. */
struct batch {
    struct mail mail;
    struct batch *next; /* in its spool, or in its sink */
    struct log_hub *hub;
    const char *path; /* in the same allocation, behind the bytes */
    size_t cap;
    size_t len;
    size_t done;  /* bytes written */
    char bytes[]; /* cap of them */
};

/* An open file, or standard output or error. */
struct sink {
    struct list item; /* in log_hub.sinks */
    char *path;
    unsigned mode; /* of the file, when it is made */
    struct log_hub *hub;
    struct event_source src; /* while writing would block, and for that only; fd is always valid */
    bool waiting;
    bool standard; /* not ours to close */
    bool pollable; /* a pipe, a terminal, a socket: it may block */
    bool failing;  /* the last write failed, and that was said */
    struct batch *first, **last;
};

struct log_hub {
    struct loop *loop;
    struct mailbox *home;
    struct list sinks;
    atomic_size_t under_way; /* bytes of batches that were posted and not written yet */
    atomic_size_t dropped;   /* lines, since the last time it was said */
    struct log_limit limit;
};

/* ---- writing ---- */

static void batch_free(struct batch *b)
{
    atomic_fetch_sub_explicit(&b->hub->under_way, b->len, memory_order_relaxed);
    free(b);
}

static void report_dropped(struct log_hub *hub)
{
    size_t n = atomic_load_explicit(&hub->dropped, memory_order_relaxed);
    unsigned left_out;

    if (n == 0 || !log_limit_allows(&hub->limit, loop_now_ms(hub->loop), &left_out))
        return;
    atomic_fetch_sub_explicit(&hub->dropped, n, memory_order_relaxed);
    log_warn("server", "%zu access log lines were dropped: they cannot be written fast enough", n);
}

/* Whether a write would not block. Files never do in this sense. */
static bool is_writable(const struct sink *s, int wait_ms)
{
    struct pollfd p = {.fd = s->src.fd, .events = POLLOUT};

    return !s->pollable || poll(&p, 1, wait_ms) != 0;
}

/* Writes some of b. A pipe that is writable takes PIPE_BUF bytes without blocking, so the file's
 * O_NONBLOCK, which others may share, is left alone. Lines that cannot be written are lost. */
static void write_some(struct sink *s, struct batch *b)
{
    size_t len = b->len - b->done;
    ssize_t n;

    if (s->pollable && len > PIPE_BUF)
        len = PIPE_BUF;
    n = write(s->src.fd, b->bytes + b->done, len);
    if (n > 0) {
        b->done += (size_t)n;
        s->failing = false;
    } else if (n == -1 && errno != EINTR && errno != EAGAIN) {
        if (!s->failing)
            log_error("server", "access log %s: %s", s->path, strerror(errno));
        s->failing = true;
        b->done = b->len;
    }
}

static void sink_wait(struct sink *s, bool wait)
{
    if (wait == s->waiting)
        return;
    if (!wait)
        loop_del(s->hub->loop, &s->src);
    else if (loop_add(s->hub->loop, &s->src, EPOLLOUT, NULL) != 0)
        return;
    s->waiting = wait;
}

static void sink_write(struct sink *s, int wait_ms)
{
    while (s->first != NULL && is_writable(s, wait_ms)) {
        struct batch *b = s->first;

        write_some(s, b);
        if (b->done < b->len)
            continue;
        s->first = b->next;
        batch_free(b);
    }
    if (s->first == NULL)
        s->last = &s->first;
    sink_wait(s, s->first != NULL);
    report_dropped(s->hub);
}

static void on_writable(struct event_source *src, uint32_t events)
{
    (void)events;
    sink_write(container_of(src, struct sink, src), 0);
}

/* ---- sinks ---- */

/* A mode that was asked for holds whatever the umask, but for regular files only: not for
 * /dev/null. A file of somebody else keeps its own. */
static void set_mode(int fd, unsigned mode)
{
    struct stat st;

    if (mode != LOG_MODE_DEFAULT && fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        (void)!fchmod(fd, mode);
}

static int open_path(const char *path, unsigned mode, struct err *e)
{
    int fd;

    if (strcmp(path, "stderr") == 0)
        return STDERR_FILENO;
    if (strcmp(path, "stdout") == 0)
        return STDOUT_FILENO;
    /* O_NONBLOCK is for pipes; one that nobody reads cannot be opened. */
    fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
    if (fd == -1)
        return err_sys(e, "access log %s", path);
    set_mode(fd, mode);
    return fd;
}

static bool is_pollable(struct loop *l, struct event_source *src)
{
    if (loop_add(l, src, 0, NULL) != 0) /* EPERM: a regular file */
        return false;
    loop_del(l, src);
    return true;
}

static struct sink *sink_find(struct log_hub *hub, const char *path)
{
    for (struct list *i = hub->sinks.next; i != &hub->sinks; i = i->next) {
        struct sink *s = container_of(i, struct sink, item);

        if (strcmp(s->path, path) == 0)
            return s;
    }
    return NULL;
}

static int sink_open(struct log_hub *hub, const char *path, unsigned mode, struct err *e)
{
    int fd = open_path(path, mode, e);
    struct sink *s;

    if (fd == -1)
        return -1;
    s = xalloc(sizeof *s);
    *s = (struct sink){.path = xstrdup(path), .mode = mode, .hub = hub, .src = {fd, on_writable}};
    s->standard = fd <= STDERR_FILENO;
    s->pollable = is_pollable(hub->loop, &s->src);
    s->last = &s->first;
    list_add_tail(&hub->sinks, &s->item);
    return 0;
}

static void sink_close(struct sink *s)
{
    size_t lost = 0;

    sink_write(s, LAST_WAIT_MS);
    sink_wait(s, false);
    while (s->first != NULL) {
        struct batch *b = s->first;

        lost += b->len - b->done;

        s->first = b->next;
        batch_free(b);
    }
    if (lost > 0)
        log_warn("server", "access log %s: nobody took the last %zu bytes", s->path, lost);
    if (!s->standard)
        close(s->src.fd);
    list_del(&s->item);
    free(s->path);
    free(s);
}

/* The old file stays in use if the new one cannot be opened. */
static void sink_reopen(struct sink *s)
{
    struct err e;
    int fd;

    if (s->standard)
        return;
    fd = open_path(s->path, s->mode, &e);
    if (fd == -1) {
        log_error("server", "%s; the old file is still written to", e.msg);
        return;
    }
    sink_write(s, 0);
    sink_wait(s, false);
    close(s->src.fd);
    s->src.fd = fd;
    s->pollable = is_pollable(s->hub->loop, &s->src);
    sink_write(s, 0);
}

/* The first log of conf that is written there, or NULL. */
static const struct log_conf *log_for(const struct conf *conf, const char *path)
{
    for (size_t i = 0; i < conf->n_logs; i++)
        if (conf->logs[i].path != NULL && strcmp(conf->logs[i].path, path) == 0)
            return &conf->logs[i];
    return NULL;
}

/* ---- the hub ---- */

struct log_hub *log_hub_new(struct loop *l, struct mailbox *home)
{
    struct log_hub *hub = xalloc(sizeof *hub);

    hub->loop = l;
    hub->home = home;
    list_init(&hub->sinks);
    return hub;
}

void log_hub_free(struct log_hub *hub)
{
    if (hub == NULL)
        return;
    while (!list_empty(&hub->sinks))
        sink_close(container_of(hub->sinks.next, struct sink, item));
    report_dropped(hub);
    free(hub);
}

int log_hub_prepare(struct log_hub *hub, const struct conf *conf, struct err *e)
{
    struct list *newest = hub->sinks.prev;

    for (size_t i = 0; i < conf->n_logs; i++) {
        if (conf->logs[i].path == NULL || sink_find(hub, conf->logs[i].path) != NULL ||
            sink_open(hub, conf->logs[i].path, conf->logs[i].mode, e) == 0)
            continue;
        while (hub->sinks.prev != newest)
            sink_close(container_of(hub->sinks.prev, struct sink, item));
        return -1;
    }
    return 0;
}

void log_hub_settle(struct log_hub *hub, const struct conf *conf)
{
    for (struct list *i = hub->sinks.next, *next; i != &hub->sinks; i = next) {
        struct sink *s = container_of(i, struct sink, item);
        const struct log_conf *log = log_for(conf, s->path);

        next = i->next;
        if (log == NULL) {
            sink_close(s);
            continue;
        }
        s->mode = log->mode;
        sink_reopen(s);
    }
}

/* In the main thread. Lines of a configuration that has just been replaced may come after its file
 * was closed: it is opened once more for them. */
static void deliver(struct mail *m, void *owner)
{
    struct batch *b = container_of(m, struct batch, mail);
    struct log_hub *hub = b->hub;
    struct sink *s = sink_find(hub, b->path);
    struct err e;

    (void)owner;
    if (s == NULL && sink_open(hub, b->path, LOG_MODE_DEFAULT, &e) == 0)
        s = sink_find(hub, b->path);
    if (s == NULL) {
        log_error("server", "%s", e.msg);
        batch_free(b);
        return;
    }
    b->next = NULL;
    *s->last = b;
    s->last = &b->next;
    sink_write(s, 0);
}

/* ---- spools ---- */

struct log_spool {
    struct access_log access_log;
    struct log_hub *hub;
    struct loop *loop;
    struct timer timer;
    struct batch *batches; /* one a file that was written to since the timer was set */
};

static void batch_post(struct log_spool *s, struct batch **at)
{
    struct batch *b = *at;

    *at = b->next;
    atomic_fetch_add_explicit(&s->hub->under_way, b->len, memory_order_relaxed);
    mailbox_post(s->hub->home, &b->mail);
}

static void spool_flush(struct log_spool *s)
{
    while (s->batches != NULL)
        batch_post(s, &s->batches);
}

static void on_timer(struct timer *t)
{
    spool_flush(container_of(t, struct log_spool, timer));
}

static struct batch *batch_new(struct log_spool *s, const char *path, size_t cap)
{
    size_t path_size = strlen(path) + 1;
    struct batch *b = xalloc(sizeof *b + cap + path_size);

    b->mail.deliver = deliver;
    b->hub = s->hub;
    b->cap = cap;
    b->path = memcpy(b->bytes + cap, path, path_size);
    b->next = s->batches;
    s->batches = b;
    return b;
}

/* The open batch of a file, with room for len bytes; an older one that has none is sent. */
static struct batch *batch_for(struct log_spool *s, const char *path, size_t len)
{
    for (struct batch **at = &s->batches; *at != NULL; at = &(*at)->next) {
        if (strcmp((*at)->path, path) != 0)
            continue;
        if (len <= (*at)->cap - (*at)->len)
            return *at;
        batch_post(s, at);
        break;
    }
    /* Escaped, a header makes a line several times as long as itself. It is written all the same:
     * nobody shall be able to keep a request out of the log. */
    return batch_new(s, path, len > BATCH_BYTES ? len : BATCH_BYTES);
}

static void spool_write(struct access_log *al, const struct log_conf *log, struct str line)
{
    struct log_spool *s = container_of(al, struct log_spool, access_log);
    struct batch *b;

    if (atomic_load_explicit(&s->hub->under_way, memory_order_relaxed) > UNDER_WAY_MAX) {
        atomic_fetch_add_explicit(&s->hub->dropped, 1, memory_order_relaxed);
        return;
    }
    b = batch_for(s, log->path, line.len);
    memcpy(b->bytes + b->len, line.p, line.len);
    b->len += line.len;
    if (s->timer.slot == 0)
        timer_set(s->loop, &s->timer, SPOOL_MS);
}

struct log_spool *log_spool_new(struct log_hub *hub, struct loop *l)
{
    struct log_spool *s = xalloc(sizeof *s);

    s->access_log.write = spool_write;
    s->hub = hub;
    s->loop = l;
    s->timer.on_timer = on_timer;
    return s;
}

void log_spool_free(struct log_spool *s)
{
    if (s == NULL)
        return;
    spool_flush(s);
    timer_cancel(s->loop, &s->timer);
    free(s);
}

struct access_log *log_spool_access_log(struct log_spool *s)
{
    return &s->access_log;
}
