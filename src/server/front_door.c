#include "server/front_door.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "server/decide.h"
#include "server/listeners.h"
#include "server/net_text.h"
#include "server/refusal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { HELLO_TIMEOUT_MS = 10 * 1000 };

/* A connection whose hello is not whole yet, or whose certificate is about to come. */
struct pending {
    struct list item; /* in front_door.pending, the oldest first */
    struct event_source src;
    struct front_door *door;
    const struct listener_conf *listener;
    bool held; /* for the next set of certificates */
    uint64_t until_ms;
    socklen_t peer_len;
    struct sockaddr_storage peer;
};

struct front_door {
    struct front_door_params params;
    const struct conf *conf;
    struct cert_set *certs;
    struct str *default_hosts; /* by listener */
    struct list pending;
    unsigned n_pending, max_pending;
    struct timer timeout;
    struct refusals refusals;
    struct log_limit limit;
    uint8_t bytes[CLIENT_HELLO_MAX]; /* what was peeked; of the connection at hand */
};

/* The connection at hand, pending or new. */
struct arrival {
    int fd;
    const struct sockaddr *peer;
    socklen_t peer_len;
    const struct listener_conf *listener;
};

/* ---- refusing ---- */

static void say(struct front_door *d, const struct arrival *a, const struct client_hello *hello,
                bool ours, const char *why)
{
    char peer[NET_TEXT_MAX], offer[96] = "";
    unsigned left_out;

    if (!log_limit_allows(&d->limit, loop_now_ms(d->params.loop), &left_out))
        return;
    if (left_out > 0)
        log_info("tls", "%u more handshakes were refused, not shown", left_out);
    net_text(a->peer, peer);
    if (hello == NULL) {
        log_info("tls", "%s: handshake refused: %s", peer, why);
        return;
    }
    decide_offer(hello, offer, sizeof offer);
    if (ours)
        log_warn("tls", "%s: handshake for \"%s\" refused: %s (offered %s)", peer, hello->sni, why,
                 offer);
    else
        log_info("tls", "%s: handshake for \"%s\" refused: %s (offered %s)", peer, hello->sni, why,
                 offer);
}

/* Plain HTTP, mostly: somebody wrote http:// before an https port. */
static void refuse_no_tls(struct front_door *d, const struct arrival *a)
{
    static const char answer[] = "HTTP/1.1 400 Bad Request\r\n"
                                 "Content-Type: text/plain; charset=utf-8\r\n"
                                 "Content-Length: 59\r\n"
                                 "Connection: close\r\n"
                                 "\r\n"
                                 "This port speaks HTTPS: write https:// before the address.\n";

    if (d->bytes[0] >= 'A' && d->bytes[0] <= 'Z') { /* a method, by all appearances */
        refusals_add(&d->refusals, a->fd, (struct str){answer, sizeof answer - 1});
        say(d, a, NULL, false, "plain HTTP on an HTTPS port");
    } else {
        close(a->fd);
        say(d, a, NULL, false, "what was sent is no TLS");
    }
}

/* ---- looking ---- */

enum sight {
    SIGHT_NOTHING, /* not enough yet */
    SIGHT_GONE,    /* the client has closed without a word: a scan or a health check */
    SIGHT_HELD,    /* a hello, but nothing to decide on yet */
    SIGHT_DECIDED,
    SIGHT_NOT_TLS,
    SIGHT_BAD
};

/* What a look at a connection shows; the decision points into it. */
struct view {
    struct client_hello hello;
    struct tls_decision decision;
    char address[NET_TEXT_MAX]; /* our own */
};

static void local_host(int fd, char out[NET_TEXT_MAX])
{
    struct sockaddr_storage addr = {0};
    socklen_t len = sizeof addr;

    getsockname(fd, (void *)&addr, &len);
    net_host((const void *)&addr, out);
}

static enum sight judge(struct front_door *d, const struct arrival *a, struct view *v)
{
    struct tls_place place = {.listener = a->listener,
                              .default_host = d->default_hosts[a->listener->index],
                              .fallback_host = d->conf->options.fallback_sni};

    if (v->hello.sni_len == 0) {
        local_host(a->fd, v->address);
        place.address = str_of(v->address);
    }
    decide(&v->hello, &place, d->certs, &v->decision);
    return v->decision.way == TLS_TO_WAIT ? SIGHT_HELD : SIGHT_DECIDED;
}

/* Looks at what has come, and leaves it in the socket. */
static enum sight look(struct front_door *d, const struct arrival *a, struct view *v)
{
    ssize_t n = recv(a->fd, d->bytes, sizeof d->bytes, MSG_PEEK | MSG_DONTWAIT);

    if (n == -1 && (errno == EAGAIN || errno == EINTR))
        return SIGHT_NOTHING;
    if (n <= 0)
        return SIGHT_GONE;
    switch (client_hello_parse(d->bytes, (size_t)n, &v->hello)) {
    case HELLO_OK:
        return judge(d, a, v);
    case HELLO_MORE:
        return SIGHT_NOTHING;
    case HELLO_NOT_TLS:
        return SIGHT_NOT_TLS;
    case HELLO_BAD:
        break;
    }
    return SIGHT_BAD;
}

/* ---- acting: nobody watches the socket at the moment ---- */

/* Where there is no place, a few get their handshake, to be told so; it is too dear for all. */
static void let_in(struct front_door *d, const struct arrival *a, const struct tls_choice *choice)
{
    struct h1_engine *en = d->params.http1;

    if (places_take(d->params.places))
        h1_engine_add(en, a->fd, a->peer, a->peer_len, a->listener, choice);
    else if (!h1_engine_add_surplus(en, a->fd, a->peer, a->peer_len, a->listener, choice))
        refusals_add_alert(&d->refusals, a->fd, ALERT_INTERNAL_ERROR);
}

static void hand_on(struct front_door *d, const struct arrival *a, const struct view *v)
{
    const struct tls_decision *decision = &v->decision;

    switch (decision->way) {
    case TLS_TO_HTTP1:
        let_in(d, a, &decision->choice);
        break;
    case TLS_TO_ACME:
        acme_alpn_add(d->params.acme, a->fd, &decision->choice);
        break;
    case TLS_TO_WAIT:
    case TLS_REFUSED:
        refusals_add_alert(&d->refusals, a->fd, decision->alert);
        say(d, a, &v->hello, decision->ours, decision->why);
        break;
    }
}

/* sight SIGHT_NOTHING and SIGHT_HELD: no more will come, or not in time. */
static void act(struct front_door *d, const struct arrival *a, enum sight sight,
                const struct view *v)
{
    switch (sight) {
    case SIGHT_DECIDED:
        hand_on(d, a, v);
        break;
    case SIGHT_NOT_TLS:
        refuse_no_tls(d, a);
        break;
    case SIGHT_BAD:
        refusals_add_alert(&d->refusals, a->fd, ALERT_DECODE_ERROR);
        say(d, a, NULL, false, "malformed ClientHello");
        break;
    case SIGHT_HELD:
        refusals_add_alert(&d->refusals, a->fd, ALERT_INTERNAL_ERROR);
        say(d, a, &v->hello, true, "there is no certificate for that name yet");
        break;
    case SIGHT_NOTHING:
        close(a->fd);
        say(d, a, NULL, false, "the ClientHello broke off");
        break;
    case SIGHT_GONE:
        close(a->fd);
        break;
    }
}

/* ---- pending ---- */

static struct pending *oldest(struct front_door *d)
{
    return container_of(d->pending.next, struct pending, item);
}

/* The socket is not closed. */
static void forget(struct pending *p)
{
    loop_del(p->door->params.loop, &p->src);
    list_del(&p->item);
    p->door->n_pending--;
    free(p);
}

static void drop(struct pending *p)
{
    int fd = p->src.fd;

    forget(p);
    close(fd);
}

/* Looks again; over: no more will come, or it was waited long enough. */
static void look_again(struct pending *p, bool over)
{
    struct front_door *d = p->door;
    struct pending copy = *p;
    struct arrival a = {copy.src.fd, (const void *)&copy.peer, copy.peer_len, copy.listener};
    struct view v;
    enum sight sight = look(d, &a, &v);

    p->held = sight == SIGHT_HELD;
    if (!over && (sight == SIGHT_HELD || sight == SIGHT_NOTHING))
        return;
    forget(p);
    act(d, &a, sight, &v);
}

static void on_event(struct event_source *src, uint32_t events)
{
    look_again(container_of(src, struct pending, src),
               (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0);
}

static void on_timeout(struct timer *t)
{
    struct front_door *d = container_of(t, struct front_door, timeout);
    uint64_t now = loop_now_ms(d->params.loop);

    while (!list_empty(&d->pending) && oldest(d)->until_ms <= now) {
        if (oldest(d)->held)
            look_again(oldest(d), true);
        else
            drop(oldest(d));
    }
    if (!list_empty(&d->pending))
        timer_set(d->params.loop, t, oldest(d)->until_ms - now);
}

/* Edge-triggered: half a hello that stays in the socket would wake us for ever otherwise. */
static void wait_for_more(struct front_door *d, const struct arrival *a, bool held)
{
    struct pending *p = xalloc(sizeof *p);

    *p = (struct pending){.src = {a->fd, on_event}, .door = d, .listener = a->listener};
    p->held = held;
    p->peer_len = a->peer_len;
    memcpy(&p->peer, a->peer, a->peer_len);
    p->until_ms = loop_now_ms(d->params.loop) + HELLO_TIMEOUT_MS;
    list_add_tail(&d->pending, &p->item);
    d->n_pending++;
    if (loop_add(d->params.loop, &p->src, EPOLLIN | EPOLLRDHUP | EPOLLET, NULL) != 0) {
        drop(p);
        return;
    }
    if (d->n_pending > d->max_pending)
        drop(oldest(d));
    if (d->timeout.slot == 0)
        timer_set(d->params.loop, &d->timeout, HELLO_TIMEOUT_MS);
}

/* ---- for the worker ---- */

struct front_door *front_door_new(const struct front_door_params *p)
{
    struct front_door *d = xalloc(sizeof *d);

    d->params = *p;
    d->timeout.on_timer = on_timeout;
    list_init(&d->pending);
    refusals_init(&d->refusals, p->loop);
    return d;
}

void front_door_free(struct front_door *d)
{
    if (d == NULL)
        return;
    while (!list_empty(&d->pending))
        drop(oldest(d));
    timer_cancel(d->params.loop, &d->timeout);
    refusals_fini(&d->refusals);
    cert_set_unref(d->certs);
    free(d->default_hosts);
    free(d);
}

static const struct listener_conf *same_listener(const struct conf *conf,
                                                 const struct listener_conf *l)
{
    for (size_t i = 0; i < conf->n_listeners; i++)
        if (conf->listeners[i].tls && listeners_same_address(&conf->listeners[i], l))
            return &conf->listeners[i];
    return NULL;
}

/* For clients that send no name. */
static struct str default_host(const struct listener_conf *l, struct str said)
{
    const struct host_entry *entry = said.len == 0 ? NULL : listener_find(l, said);

    return entry != NULL && entry->site != NULL ? said : decide_default_host(l);
}

void front_door_set_conf(struct front_door *d, const struct conf *conf, unsigned max_pending)
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
    free(d->default_hosts);
    d->default_hosts = xalloc((conf->n_listeners + 1) * sizeof *d->default_hosts);
    for (size_t i = 0; i < conf->n_listeners; i++)
        d->default_hosts[i] = default_host(&conf->listeners[i], conf->options.default_sni);
}

void front_door_set_certs(struct front_door *d, struct cert_set *certs)
{
    struct cert_set *old = d->certs;

    d->certs = cert_set_ref(certs);
    cert_set_unref(old);
    for (struct list *i = d->pending.next, *next; i != &d->pending; i = next) {
        struct pending *p = container_of(i, struct pending, item);

        next = i->next;
        if (p->held)
            look_again(p, false);
    }
}

void front_door_add(struct front_door *d, int fd, const struct sockaddr *peer, socklen_t peer_len,
                    const struct listener_conf *listener)
{
    struct arrival a = {fd, peer, peer_len, listener};
    struct view v;
    enum sight sight = look(d, &a, &v);

    if (sight == SIGHT_NOTHING || sight == SIGHT_HELD)
        wait_for_more(d, &a, sight == SIGHT_HELD);
    else
        act(d, &a, sight, &v);
}
