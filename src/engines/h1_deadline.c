#include "engines/h1_internal.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>

enum {
    PEER_CHECK_MS = 1000, /* between two looks at whether a parked connection's client has gone */
    TICK_MIN_MS = 20,
    TICK_MAX_MS = 1000
};

/* ---- lists ---- */

void h1_conn_leave(struct h1_conn *c)
{
    list_del(&c->item);
}

void h1_conn_enter(struct h1_conn *c, enum h1_phase phase)
{
    struct h1_engine *en = c->en;

    if (c->phase == PHASE_DEAD)
        return; /* the last one */
    list_del(&c->item);
    list_add_tail(&en->phases[phase], &c->item);
    c->phase = phase;
    c->since_ms = loop_now_ms(en->loop);
}

static struct h1_conn *first(struct h1_engine *en, enum h1_phase phase)
{
    struct list *head = &en->phases[phase];

    return list_empty(head) ? NULL : container_of(head->next, struct h1_conn, item);
}

/* ---- what happens at the end of a phase ---- */

/* A body moves if TCP has counted a byte, either way, since the last look: nothing has to be
 * counted while it is sent. */
static bool body_moves(struct h1_conn *c)
{
    struct tcp_info info;
    socklen_t len = sizeof info;
    uint64_t progress;

    memset(&info, 0, sizeof info);
    if (getsockopt(c->fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return true; /* no TCP: no stranger's either */
    progress = info.tcpi_bytes_acked + info.tcpi_bytes_received;
    if (progress == c->progress)
        return false;
    c->progress = progress;
    return true;
}

static bool peer_is_there(const struct h1_conn *c)
{
    struct pollfd p = {.fd = c->fd, .events = POLLRDHUP};

    return poll(&p, 1, 0) == 0;
}

static void expire(struct h1_conn *c)
{
    switch (c->phase) {
    case PHASE_BODY:
        if (body_moves(c)) {
            h1_conn_enter(c, PHASE_BODY);
            return;
        }
        log_debug("http", "%s: no progress of a body, cut", c->remote_host);
        break;
    case PHASE_PARKED:
        if (peer_is_there(c)) {
            h1_conn_enter(c, PHASE_PARKED);
            return;
        }
        break;
    case PHASE_HEADER:
        log_debug("http", "%s: no complete request header in time, cut", c->remote_host);
        break;
    case PHASE_IDLE:
        if (c->session != NULL)
            gnutls_bye(c->session, GNUTLS_SHUT_WR);
        break;
    case PHASE_DEAD:
    case PHASE_COUNT:
        return;
    }
    h1_conn_kill(c);
}

static uint64_t tick_ms(const struct h1_engine *en)
{
    uint64_t ms = TICK_MAX_MS * 4;

    for (int p = 0; p < PHASE_DEAD; p++)
        if (en->limit_ms[p] < ms)
            ms = en->limit_ms[p];
    return ms / 4 < TICK_MIN_MS ? TICK_MIN_MS : ms / 4;
}

static void on_tick(struct timer *t)
{
    struct h1_engine *en = container_of(t, struct h1_engine, tick);
    uint64_t now = loop_now_ms(en->loop);

    for (enum h1_phase p = 0; p < PHASE_DEAD; p++) {
        struct h1_conn *c;

        while ((c = first(en, p)) != NULL && now - c->since_ms >= en->limit_ms[p])
            expire(c); /* which moves it to the end, or to PHASE_DEAD */
    }
    if (en->n_connections > 0)
        timer_set(en->loop, t, tick_ms(en));
}

/* ---- for the engine ---- */

void h1_deadline_init(struct h1_engine *en)
{
    for (int p = 0; p < PHASE_COUNT; p++)
        list_init(&en->phases[p]);
    en->tick.on_timer = on_tick;
    h1_deadline_set_limits(en, &(struct options){.header_timeout_ms = 60000,
                                                 .idle_timeout_ms = 300000,
                                                 .body_timeout_ms = 60000});
}

void h1_deadline_set_limits(struct h1_engine *en, const struct options *o)
{
    en->limit_ms[PHASE_HEADER] = o->header_timeout_ms;
    en->limit_ms[PHASE_IDLE] = o->idle_timeout_ms;
    en->limit_ms[PHASE_BODY] = o->body_timeout_ms;
    en->limit_ms[PHASE_PARKED] = PEER_CHECK_MS;
    en->limit_ms[PHASE_DEAD] = UINT64_MAX;
}

bool h1_deadline_make_room(struct h1_engine *en)
{
    struct h1_conn *c = first(en, PHASE_IDLE);

    if (c == NULL)
        c = first(en, PHASE_HEADER); /* the slowest header */
    if (c == NULL)
        return false;
    h1_conn_kill(c);
    return true;
}
