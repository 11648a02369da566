#include "server/proxy_door.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "io/proxy_header.h"
#include "server/listeners.h"
#include "server/net_text.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

/* A connection whose header is not whole yet. */
struct pending {
    struct list item; /* in proxy_door.pending, the oldest first */
    struct event_source src;
    struct proxy_door *door;
    const struct listener_conf *listener;
    uint64_t until_ms;
    socklen_t peer_len;
    struct sockaddr_storage peer;
};

struct proxy_door {
    struct loop *loop;
    acceptor_take take;
    void *arg;
    const struct conf *conf;
    struct list pending;
    unsigned n_pending, max_pending;
    struct timer timeout;
    struct log_limit limit;
    uint8_t bytes[PROXY_HEADER_MAX]; /* of the connection at hand */
};

struct arrival {
    int fd;
    const struct sockaddr *peer;
    socklen_t peer_len;
    const struct listener_conf *listener;
};

/* ---- who may say so ---- */

static enum proxy_policy policy_for(const struct proxy_door *d, const struct sockaddr *peer)
{
    const struct proxy_options *o = &d->conf->options.proxy;
    struct ip ip;

    if (!ip_of_sockaddr(peer, &ip))
        return o->fallback;
    if (ip_set_has(&o->deny, &ip))
        return PROXY_REJECT;
    if (ip_set_has(&o->allow, &ip))
        return PROXY_USE;
    return o->fallback;
}

static void refuse(struct proxy_door *d, const struct arrival *a, const char *why)
{
    char peer[NET_TEXT_MAX];
    unsigned left_out;

    close(a->fd);
    if (!log_limit_allows(&d->limit, loop_now_ms(d->loop), &left_out))
        return;
    if (left_out > 0)
        log_info("server", "%u more connections were refused, not shown", left_out);
    net_text(a->peer, peer);
    log_info("server", "%s: connection refused: %s", peer, why);
}

/* ---- looking ---- */

/* *gone: the peer will send no more. */
static enum proxy_header_verdict look(struct proxy_door *d, int fd, struct proxy_header *h,
                                      bool *gone)
{
    ssize_t n = recv(fd, d->bytes, sizeof d->bytes, MSG_PEEK | MSG_DONTWAIT);

    *gone = n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR);
    return proxy_header_parse(d->bytes, n > 0 ? (size_t)n : 0, h);
}

/* The bytes are there: they have just been seen. */
static bool take_off(int fd, size_t len)
{
    uint8_t bytes[PROXY_HEADER_MAX];

    return recv(fd, bytes, len, MSG_DONTWAIT) == (ssize_t)len;
}

static void hand_on(struct proxy_door *d, const struct arrival *a, enum proxy_policy policy,
                    const struct proxy_header *h)
{
    if (!take_off(a->fd, h->len))
        close(a->fd);
    else if (policy == PROXY_IGNORE || !h->has_addr)
        d->take(d->arg, a->fd, a->peer, a->peer_len, a->listener);
    else
        d->take(d->arg, a->fd, (const void *)&h->from, h->addr_len, a->listener);
}

static void act(struct proxy_door *d, const struct arrival *a, enum proxy_header_verdict verdict,
                const struct proxy_header *h)
{
    enum proxy_policy policy = policy_for(d, a->peer);

    switch (verdict) {
    case PROXY_HEADER_MORE:
        refuse(d, a, "its PROXY header broke off");
        return;
    case PROXY_HEADER_BAD:
        refuse(d, a, "its PROXY header is malformed");
        return;
    case PROXY_HEADER_NONE:
        if (policy == PROXY_REQUIRE)
            refuse(d, a, "it has no PROXY header");
        else
            d->take(d->arg, a->fd, a->peer, a->peer_len, a->listener);
        return;
    case PROXY_HEADER_DONE:
        if (policy == PROXY_REJECT)
            refuse(d, a, "a PROXY header is not allowed from there");
        else
            hand_on(d, a, policy, h);
        return;
    }
}

/* ---- pending ---- */

static struct pending *oldest(struct proxy_door *d)
{
    return container_of(d->pending.next, struct pending, item);
}

/* The socket is not closed. */
static void forget(struct pending *p)
{
    struct proxy_door *d = p->door;

    loop_del(d->loop, &p->src);
    list_del(&p->item);
    if (--d->n_pending == 0)
        timer_cancel(d->loop, &d->timeout);
    free(p);
}

static void drop(struct pending *p)
{
    int fd = p->src.fd;

    forget(p);
    close(fd);
}

static void on_event(struct event_source *src, uint32_t events)
{
    struct pending *p = container_of(src, struct pending, src);
    struct proxy_door *d = p->door;
    struct pending copy = *p;
    const struct arrival a = {copy.src.fd, (const void *)&copy.peer, copy.peer_len, copy.listener};
    struct proxy_header h;
    bool gone;
    enum proxy_header_verdict verdict = look(d, a.fd, &h, &gone);

    gone |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
    if (verdict == PROXY_HEADER_MORE && !gone)
        return;
    forget(p);
    act(d, &a, verdict, &h);
}

static void on_timeout(struct timer *t)
{
    struct proxy_door *d = container_of(t, struct proxy_door, timeout);
    uint64_t now = loop_now_ms(d->loop);

    while (!list_empty(&d->pending) && oldest(d)->until_ms <= now)
        drop(oldest(d));
    if (!list_empty(&d->pending))
        timer_set(d->loop, t, oldest(d)->until_ms - now);
}

/* Edge-triggered: half a header that stays in the socket would wake us for ever otherwise. */
static void wait_for_more(struct proxy_door *d, const struct arrival *a)
{
    struct pending *p = xalloc(sizeof *p);
    uint64_t timeout_ms = d->conf->options.proxy.timeout_ms;

    p->src = (struct event_source){a->fd, on_event};
    p->door = d;
    p->listener = a->listener;
    p->peer_len = a->peer_len;
    memcpy(&p->peer, a->peer, a->peer_len);
    p->until_ms = loop_now_ms(d->loop) + timeout_ms;
    list_add_tail(&d->pending, &p->item);
    d->n_pending++;
    if (loop_add(d->loop, &p->src, EPOLLIN | EPOLLRDHUP | EPOLLET, NULL) != 0) {
        drop(p);
        return;
    }
    if (d->n_pending > d->max_pending)
        drop(oldest(d));
    if (d->timeout.slot == 0)
        timer_set(d->loop, &d->timeout, timeout_ms);
}

/* ---- for the worker ---- */

struct proxy_door *proxy_door_new(struct loop *l, acceptor_take take, void *arg)
{
    struct proxy_door *d = xalloc(sizeof *d);

    d->loop = l;
    d->take = take;
    d->arg = arg;
    d->timeout.on_timer = on_timeout;
    list_init(&d->pending);
    return d;
}

void proxy_door_free(struct proxy_door *d)
{
    if (d == NULL)
        return;
    while (!list_empty(&d->pending))
        drop(oldest(d));
    timer_cancel(d->loop, &d->timeout);
    free(d);
}

static const struct listener_conf *same_listener(const struct conf *conf,
                                                 const struct listener_conf *l)
{
    for (size_t i = 0; i < conf->n_listeners; i++)
        if (listeners_same_address(&conf->listeners[i], l))
            return &conf->listeners[i];
    return NULL;
}

void proxy_door_set_conf(struct proxy_door *d, const struct conf *conf, unsigned max_pending)
{
    for (struct list *i = d->pending.next, *next; i != &d->pending; i = next) {
        struct pending *p = container_of(i, struct pending, item);

        next = i->next;
        p->listener = same_listener(conf, p->listener);
        if (p->listener == NULL)
            drop(p);
    }
    d->conf = conf;
    d->max_pending = max_pending;
}

void proxy_door_add(struct proxy_door *d, int fd, const struct sockaddr *peer, socklen_t peer_len,
                    const struct listener_conf *listener)
{
    const struct arrival a = {fd, peer, peer_len, listener};
    struct proxy_header h;
    bool gone;
    enum proxy_header_verdict verdict;

    if (policy_for(d, peer) == PROXY_SKIP) {
        d->take(d->arg, fd, peer, peer_len, listener);
        return;
    }
    verdict = look(d, fd, &h, &gone);
    if (verdict != PROXY_HEADER_MORE)
        act(d, &a, verdict, &h);
    else if (gone)
        close(fd); /* without a word */
    else
        wait_for_more(d, &a);
}
