#include "server/acceptor.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "server/listeners.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BURST = 64,     /* connections a listener may bring in one turn of the loop */
    PAUSE_MS = 100, /* before accepting again when descriptors or memory are short */
    SHED_MAX = 64   /* connections turned away at once when they are */
};

struct slot {
    struct list item; /* in acceptor.slots */
    struct event_source src;
    struct acceptor *acceptor;
    const struct listener_conf *listener;
};

struct acceptor {
    struct loop *loop;
    acceptor_take take;
    void *arg;
    struct list slots;
    struct timer pause; /* set: no slot is watched */
    int reserve;        /* a descriptor to give up when there is no other; -1: given up */
    struct log_limit limit;
};

enum outcome {
    ACCEPTED,
    EMPTY,    /* nothing queued */
    EXHAUSTED /* no descriptor, or no memory */
};

/* ---- accepting ---- */

static enum outcome accept_one(struct slot *s)
{
    struct acceptor *a = s->acceptor;
    struct sockaddr_storage peer;
    socklen_t len = sizeof peer;
    int fd = accept4(s->src.fd, (void *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

    if (fd != -1) {
        a->take(a->arg, fd, (const void *)&peer, len, s->listener);
        return ACCEPTED;
    }
    switch (errno) {
    case EAGAIN:
        return EMPTY;
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
        return EXHAUSTED;
    default: /* accept(2): an error of the connection itself, that is gone now */
        return ACCEPTED;
    }
}

static void reserve_open(struct acceptor *a)
{
    if (a->reserve == -1)
        a->reserve = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

/* Without descriptors a queued connection can be neither taken nor refused: it would wake us for
 * ever, and its client wait for ever. With the reserve's one it is taken and closed. */
static void shed(struct slot *s)
{
    struct acceptor *a = s->acceptor;

    for (int i = 0; i < SHED_MAX && a->reserve != -1; i++) {
        int fd;

        close(a->reserve);
        a->reserve = -1;
        fd = accept4(s->src.fd, NULL, NULL, SOCK_CLOEXEC);
        if (fd != -1)
            close(fd);
        reserve_open(a);
        if (fd == -1)
            return;
    }
}

static void watch_all(struct acceptor *a, bool watch)
{
    struct err e;

    for (struct list *i = a->slots.next; i != &a->slots; i = i->next) {
        struct slot *s = container_of(i, struct slot, item);

        if (!watch)
            loop_del(a->loop, &s->src);
        else if (loop_add(a->loop, &s->src, EPOLLIN, &e) != 0)
            log_error("server", "a listener is not watched any more: %s", e.msg);
    }
}

static void pause_all(struct acceptor *a, int why)
{
    unsigned left_out;

    if (a->pause.slot != 0)
        return;
    if (log_limit_allows(&a->limit, loop_now_ms(a->loop), &left_out))
        log_error("server", "connections are turned away: %s", strerror(why));
    watch_all(a, false);
    timer_set(a->loop, &a->pause, PAUSE_MS);
}

static void on_pause_over(struct timer *t)
{
    struct acceptor *a = container_of(t, struct acceptor, pause);

    reserve_open(a);
    watch_all(a, true);
}

static void on_event(struct event_source *src, uint32_t events)
{
    struct slot *s = container_of(src, struct slot, src);
    enum outcome outcome = ACCEPTED;

    (void)events;
    for (int i = 0; i < BURST && outcome == ACCEPTED; i++)
        outcome = accept_one(s);
    if (outcome != EXHAUSTED)
        return;
    int why = errno;

    shed(s);
    pause_all(s->acceptor, why);
}

/* ---- slots ---- */

static void slot_open(struct acceptor *a, int fd, const struct listener_conf *listener)
{
    struct slot *s = xalloc(sizeof *s);
    struct err e;

    *s = (struct slot){.src = {fd, on_event}, .acceptor = a, .listener = listener};
    list_add_tail(&a->slots, &s->item);
    if (a->pause.slot == 0 && loop_add(a->loop, &s->src, EPOLLIN, &e) != 0)
        log_error("server", "a listener is not watched: %s", e.msg);
}

static void slot_close(struct slot *s)
{
    if (s->acceptor->pause.slot == 0)
        loop_del(s->acceptor->loop, &s->src);
    close(s->src.fd);
    list_del(&s->item);
    free(s);
}

/* The kernel drops what is queued at a socket that is closed, so it is taken first. Bounded: the
 * queue holds no more than the backlog. */
static void slot_retire(struct slot *s)
{
    while (accept_one(s) == ACCEPTED)
        continue;
    slot_close(s);
}

static struct slot *find_slot(struct acceptor *a, const struct listener_conf *listener)
{
    for (struct list *i = a->slots.next; i != &a->slots; i = i->next) {
        struct slot *s = container_of(i, struct slot, item);

        if (listeners_same_address(s->listener, listener))
            return s;
    }
    return NULL;
}

static bool has_address(const struct conf *conf, const struct listener_conf *listener)
{
    for (size_t i = 0; i < conf->n_listeners; i++)
        if (listeners_same_address(&conf->listeners[i], listener))
            return true;
    return false;
}

/* ---- for the worker ---- */

struct acceptor *acceptor_new(struct loop *l, acceptor_take take, void *arg, struct err *e)
{
    struct acceptor *a = xalloc(sizeof *a);

    *a = (struct acceptor){.loop = l, .take = take, .arg = arg, .reserve = -1};
    a->pause.on_timer = on_pause_over;
    list_init(&a->slots);
    reserve_open(a);
    if (a->reserve != -1)
        return a;
    err_sys(e, "open /dev/null");
    free(a);
    return NULL;
}

void acceptor_free(struct acceptor *a)
{
    if (a == NULL)
        return;
    while (!list_empty(&a->slots))
        slot_close(container_of(a->slots.next, struct slot, item));
    timer_cancel(a->loop, &a->pause);
    if (a->reserve != -1)
        close(a->reserve);
    free(a);
}

void acceptor_retire(struct acceptor *a, const struct conf *conf)
{
    for (struct list *i = a->slots.next, *next; i != &a->slots; i = next) {
        struct slot *s = container_of(i, struct slot, item);

        next = i->next;
        if (!has_address(conf, s->listener))
            slot_retire(s);
    }
}

void acceptor_set(struct acceptor *a, const struct conf *conf, const int *fds)
{
    for (size_t i = 0; i < conf->n_listeners; i++) {
        const struct listener_conf *listener = &conf->listeners[i];
        struct slot *s = find_slot(a, listener);

        if (s != NULL)
            s->listener = listener;
        else if (fds[i] != -1)
            slot_open(a, fds[i], listener);
    }
}

void acceptor_stop(struct acceptor *a)
{
    while (!list_empty(&a->slots))
        slot_retire(container_of(a->slots.next, struct slot, item));
}
