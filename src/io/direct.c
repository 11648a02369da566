#include "io/direct_priv.h"

#include <assert.h>
#include <stdlib.h>

enum {
    SPARE_MAX = 256,      /* transfers kept for reuse */
    KEEP_HEAD_MAX = 8192, /* bytes of a request's head kept with one */
    DIAL_TIMEOUT_MS = 3000,
    FALLBACK_MS = 300,
    IDLE_TIMEOUT_MS = 120 * 1000,
    MAX_HEAD = 256 * 1024
};

static const struct transport_type direct_type, fastcgi_type; /* at the end */

void direct_post(struct direct_transfer *t, unsigned ops)
{
    t->ops |= ops;
    loop_post(t->d->loop, &t->work);
}

/* ---- limits of time ---- */

static void sooner(uint64_t *due, uint64_t other)
{
    if (other != 0 && (*due == 0 || other < *due))
        *due = other;
}

void direct_arm(struct direct_transfer *t)
{
    const uint64_t now = loop_now_ms(t->d->loop);
    uint64_t due = t->due.dial;

    sooner(&due, t->due.attempt);
    sooner(&due, t->due.head);
    sooner(&due, t->due.expect);
    sooner(&due, t->due.total);
    sooner(&due, t->due.turn);
    if (t->read_timeout_ms != 0)
        sooner(&due, t->received_ms + t->read_timeout_ms);
    if (t->write_timeout_ms != 0)
        sooner(&due, t->sent_ms + t->write_timeout_ms);
    if (due != 0)
        timer_set(t->d->loop, &t->timer, due > now ? due - now : 0);
    else if (t->timer.slot != 0)
        timer_cancel(t->d->loop, &t->timer);
}

void direct_let_others(struct direct_transfer *t)
{
    t->due.turn = loop_now_ms(t->d->loop);
    direct_arm(t);
}

static bool speaks(const struct direct_transfer *t)
{
    return t->conn != NULL && !t->conn->connecting && !t->parser.switched;
}

/* Whether it is the upstream's turn to send. */
static bool awaits_bytes(const struct direct_transfer *t)
{
    return speaks(t) && !t->recv_paused && (t->answered || direct_sent(t));
}

static bool awaits_room(const struct direct_transfer *t)
{
    return speaks(t) && !t->conn->writable && !t->send_stopped && !direct_sent(t);
}

static bool passed(uint64_t due, uint64_t now)
{
    return due != 0 && due <= now;
}

/* A wait that is for us, or for the other direction, does not count. */
static void forgive(struct direct_transfer *t, uint64_t now)
{
    if (t->due.head != 0 && t->send_paused)
        t->due.head = now + t->head_timeout_ms;
    if (!awaits_bytes(t))
        t->received_ms = now;
    if (!awaits_room(t))
        t->sent_ms = now;
}

static void look_at_limits(struct direct_transfer *t, uint64_t now)
{
    forgive(t, now);
    if (passed(t->due.total, now))
        direct_fail(t, TRANSFER_TIMEOUT, "it took too long");
    else if (passed(t->due.dial, now))
        direct_fail(t, TRANSFER_CONNECT_TIMEOUT, "no connection in time");
    else if (passed(t->due.head, now))
        direct_fail(t, TRANSFER_TIMEOUT, "no answer in time");
    else if (t->read_timeout_ms != 0 && passed(t->received_ms + t->read_timeout_ms, now))
        direct_fail(t, TRANSFER_TIMEOUT, "nothing more came in time");
    else if (t->write_timeout_ms != 0 && passed(t->sent_ms + t->write_timeout_ms, now))
        direct_fail(t, TRANSFER_TIMEOUT, "nothing more was taken in time");
    else if (passed(t->due.attempt, now))
        direct_connect_due(t);
    else if (passed(t->due.expect, now))
        direct_send_body(t);
}

static void move(struct direct_transfer *t)
{
    if (t->conn == NULL || t->conn->connecting)
        return;
    if (!t->recv_paused)
        direct_receive(t);
    if (!t->ended && t->conn != NULL && !t->conn->connecting && t->conn->writable &&
        direct_send_wants(t))
        direct_send(t);
}

static void on_due(struct timer *timer)
{
    struct direct_transfer *t = container_of(timer, struct direct_transfer, timer);

    direct_enter(t);
    if (t->due.turn != 0) {
        t->due.turn = 0;
        move(t);
    }
    if (!t->ended)
        look_at_limits(t, loop_now_ms(t->d->loop));
    if (!t->ended)
        direct_arm(t);
    direct_leave(t);
}

/* ---- events ---- */

void direct_conn_on_event(struct event_source *src, uint32_t events)
{
    struct direct_conn *c = container_of(src, struct direct_conn, src);
    struct direct_transfer *t = c->t;

    if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->readable = true;
    if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
        c->hung_up = true;
    if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
        c->writable = true;
    if (t == NULL) {
        direct_pool_event(c);
        return;
    }
    direct_enter(t);
    if (c->connecting)
        direct_connect_event(c);
    else
        move(t);
    direct_leave(t);
}

static void on_work(struct task *task)
{
    struct direct_transfer *t = container_of(task, struct direct_transfer, work);
    const uint64_t now = loop_now_ms(t->d->loop);
    const unsigned ops = t->ops;

    t->ops = 0;
    direct_enter(t);
    if ((ops & OP_RESUME_RECV) != 0) {
        t->recv_paused = t->by_read = false;
        t->received_ms = now;
    }
    if ((ops & OP_RESUME_SEND) != 0) {
        t->send_paused = false;
        if (t->due.head != 0)
            t->due.head = now + t->head_timeout_ms;
    }
    if ((ops & OP_BEGIN) != 0)
        direct_connect(t, false);
    else
        move(t);
    direct_leave(t);
}

/* ---- the end ---- */

static void free_transfer(struct direct_transfer *t)
{
    free(t->head);
    free(t);
}

/* The response is complete: the connection is kept, unless something speaks against it. */
static void leave_connection(struct direct_transfer *t)
{
    struct direct_conn *c = t->conn;
    const bool clean = t->in == NULL || t->in->start == t->in->end;

    t->conn = NULL;
    c->t = NULL;
    if (t->parser.keep_alive && t->idle_ms != TRANSFER_ONCE && clean && !c->hung_up &&
        direct_sent(t))
        direct_pool_put(c, &t->idle);
    else
        direct_conn_close(c);
}

/* Its last byte was read, and the end is still to be told of. */
static bool is_read_out(const struct direct_transfer *t)
{
    return t->by_read && t->parser.state == RESPONSE_AT_END;
}

/* Back to those that are spare. Its connection has gone already, or goes now. */
static void release(struct direct_transfer *t)
{
    struct direct *d = t->d;

    if (t->conn != NULL && is_read_out(t))
        leave_connection(t);
    direct_connect_abandon(t);
    direct_block_put(d, &t->in);
    direct_block_put(d, &t->body);
    if (t->wire->fini != NULL)
        t->wire->fini(t);
    timer_cancel(d->loop, &t->timer);
    loop_unpost(d->loop, &t->work);
    lookup_cancel(&t->lookup);
    direct_origin_unref(t->origin);
    direct_tls_peer_free(t->peer);
    list_del(&t->item);
    if (d->n_spare == SPARE_MAX) {
        free_transfer(t);
        return;
    }
    if (t->head_cap > KEEP_HEAD_MAX) {
        free(t->head);
        t->head = NULL;
        t->head_cap = 0;
    }
    list_add_tail(d->spare.next, &t->item); /* before the first: it is warm */
    d->n_spare++;
}

void direct_leave(struct direct_transfer *t)
{
    if (--t->depth == 0 && t->ended)
        release(t);
}

static void end(struct direct_transfer *t, enum transfer_result result, const char *why)
{
    t->ended = true;
    if (t->events->on_done != NULL)
        t->events->on_done(t->arg, result, why);
}

void direct_finish(struct direct_transfer *t)
{
    leave_connection(t);
    end(t, TRANSFER_OK, "");
}

void direct_fail(struct direct_transfer *t, enum transfer_result result, const char *why)
{
    direct_connect_abandon(t);
    end(t, result, why);
}

/* Whether the request may be sent a second time: the upstream had kept the connection, nothing was
 * answered, and it does not matter if the first did arrive, or it cannot have (RFC 9112 9.3.1). */
static bool may_begin_again(const struct direct_transfer *t)
{
    const bool unsent = t->head_sent == t->preamble_len;

    return t->conn->used && !t->again && !t->answered && !t->body_forgotten &&
           (t->idempotent || unsent);
}

void direct_lost(struct direct_transfer *t, const char *why)
{
    if (!may_begin_again(t)) {
        direct_fail(t, TRANSFER_BROKEN, why);
        return;
    }
    t->again = true;
    direct_conn_close(t->conn);
    t->conn = NULL;
    t->wire->begin(t);
    direct_send_rewind(t);
    direct_connect(t, true);
}

/* ---- the interface ---- */

static struct direct_transfer *take_spare(struct direct *d)
{
    struct direct_transfer *t, *old;

    if (list_empty(&d->spare))
        return xalloc(sizeof *t);
    old = container_of(d->spare.next, struct direct_transfer, item);
    list_del(&old->item);
    d->n_spare--;
    t = old;
    *t = (struct direct_transfer){.head = old->head, .head_cap = old->head_cap};
    return t;
}

static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

static void set_limits(struct direct_transfer *t, const struct transfer_spec *spec)
{
    const uint64_t now = loop_now_ms(t->d->loop);

    t->received_ms = t->sent_ms = now;
    t->fallback_ms = spec->fallback_ms == 0 ? FALLBACK_MS : spec->fallback_ms;
    t->dial_timeout_ms = spec->connect_timeout_ms == 0 ? DIAL_TIMEOUT_MS : spec->connect_timeout_ms;
    t->head_timeout_ms = spec->head_timeout_ms;
    t->read_timeout_ms = spec->read_timeout_ms;
    t->write_timeout_ms = spec->write_timeout_ms;
    t->expect_timeout_ms = spec->expect_timeout_ms;
    t->expecting = spec->expect_timeout_ms != 0 && spec->body_len != 0;
    t->due.head = spec->head_timeout_ms == 0 ? 0 : now + spec->head_timeout_ms;
    t->due.total = spec->total_timeout_ms == 0 ? 0 : now + spec->total_timeout_ms;
}

static void set_up(struct direct_transfer *t, struct direct *d, const struct transfer_spec *spec)
{
    t->transfer.type = t->wire->records ? &fastcgi_type : &direct_type;
    t->d = d;
    t->events = spec->events;
    t->arg = spec->arg;
    t->work.run = on_work;
    t->timer.on_timer = on_due;
    lookup_init(&t->lookup, direct_on_resolved);
    t->body_len = t->body_left = spec->body_len;
    t->body_ended = spec->body_len == 0;
    t->idempotent = is_idempotent(spec->method);
    t->idle_ms = spec->idle_ms;
    t->probe_ms = spec->probe_ms;
    t->idle = spec->idle;
    t->is_head = strcmp(spec->method, "HEAD") == 0;
    t->upgrade = spec->upgrade;
    t->max_head = spec->max_head == 0 ? MAX_HEAD : spec->max_head;
    t->wire->begin(t);
    set_limits(t, spec);
    list_add_tail(&d->transfers, &t->item);
}

/* The quick way: over an idle connection at once, if there is nothing to be pulled. */
static void begin(struct direct_transfer *t)
{
    if (!direct_pool_take(t))
        direct_post(t, OP_BEGIN);
    else if (t->body_ended)
        direct_send_head(t);
    else
        direct_post(t, OP_SEND);
}

static struct transfer *start(struct direct *d, const struct wire *wire,
                              const struct transfer_spec *spec, struct err *e)
{
    struct direct_tls_peer *peer = NULL;
    struct direct_transfer *t;
    struct origin *o;

    assert(spec->body_len == 0 ||
           (spec->events->pull != NULL && strcmp(spec->method, "HEAD") != 0 && !spec->upgrade));
    assert(!spec->upgrade || spec->events->pull != NULL);
    o = direct_origin_get(d, wire, spec, e);
    if (o == NULL)
        return NULL;
    if (o->secure && (peer = direct_tls_peer_new(d, spec, e)) == NULL) {
        direct_origin_unref(o);
        return NULL;
    }
    t = take_spare(d);
    t->origin = o;
    t->peer = peer;
    t->wire = wire;
    if (!wire->prepare(t, spec, e)) {
        direct_origin_unref(o);
        direct_tls_peer_free(peer);
        free_transfer(t);
        return NULL;
    }
    set_up(t, d, spec);
    begin(t);
    if (t->due.head != 0 || t->due.total != 0 || t->read_timeout_ms != 0 ||
        t->write_timeout_ms != 0)
        direct_arm(t);
    return &t->transfer;
}

static struct transfer *direct_start(struct transport *tp, const struct transfer_spec *spec,
                                     struct err *e)
{
    return start(container_of(tp, struct direct, transport), &direct_wire_http, spec, e);
}

static struct transfer *fastcgi_start(struct transport *tp, const struct transfer_spec *spec,
                                      struct err *e)
{
    return start(container_of(tp, struct direct, fastcgi), &direct_wire_fcgi, spec, e);
}

static struct direct_transfer *transfer_of(struct transfer *t)
{
    return container_of(t, struct direct_transfer, transfer);
}

static void direct_cancel(struct transfer *transfer)
{
    struct direct_transfer *t = transfer_of(transfer);

    if (t->ended)
        return;
    t->ended = true;
    if (t->depth == 0)
        release(t);
}

static void direct_resume_recv(struct transfer *t)
{
    if (!transfer_of(t)->ended)
        direct_post(transfer_of(t), OP_RESUME_RECV);
}

static void direct_resume_send(struct transfer *t)
{
    if (!transfer_of(t)->ended)
        direct_post(transfer_of(t), OP_RESUME_SEND);
}

static const struct transport_type direct_type = {direct_start, direct_cancel, direct_resume_recv,
                                                  direct_resume_send, direct_read};

static const struct transport_type fastcgi_type = {fastcgi_start, direct_cancel, direct_resume_recv,
                                                   direct_resume_send, NULL};

struct transport *direct_fastcgi(struct direct *d)
{
    return &d->fastcgi;
}

struct transport *direct_transport(struct direct *d)
{
    return &d->transport;
}

unsigned direct_idle(const struct direct *d)
{
    return d->n_idle;
}

struct direct *direct_new(struct loop *l, struct resolver *r, const struct direct_limits *limits)
{
    struct direct *d = xalloc(sizeof *d);

    d->transport.type = &direct_type;
    d->fastcgi.type = &fastcgi_type;
    d->loop = l;
    d->resolver = r;
    d->limits = *limits;
    if (d->limits.idle_timeout_ms == 0)
        d->limits.idle_timeout_ms = IDLE_TIMEOUT_MS;
    if (d->limits.idle_max_per_upstream == 0)
        d->limits.idle_max_per_upstream = d->limits.idle_max;
    list_init(&d->transfers);
    list_init(&d->spare);
    list_init(&d->tls_creds);
    direct_pool_init(d);
    for (size_t i = 0; i < ORIGIN_BUCKETS; i++)
        list_init(&d->origins[i]);
    return d;
}

void direct_free(struct direct *d)
{
    if (d == NULL)
        return;
    while (!list_empty(&d->transfers)) {
        struct direct_transfer *t = container_of(d->transfers.next, struct direct_transfer, item);

        assert(t->depth == 0);
        t->ended = true;
        release(t);
    }
    while (!list_empty(&d->spare)) {
        struct direct_transfer *t = container_of(d->spare.next, struct direct_transfer, item);

        list_del(&t->item);
        free_transfer(t);
    }
    direct_pool_fini(d);
    direct_tls_fini(d);
    free(d);
}
