#include "engines/h1_internal.h"

#include <linux/sockios.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

enum {
    PEER_CHECK_MS = 1000,  /* between two looks at whether a parked connection's client has gone */
    FILES_CHECK_MS = 1000, /* between two looks at the files that are being sent */
    STUCK_MS = 5000,       /* an upload without a byte, while MHD turns in circles */
    SURPLUS_MS = 5000,     /* for the handshake and the header of who gets a 503 */
    HANDSHAKE_MS = 1000,   /* a TLS handshake is not given up before, for what it has cost */
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
    c->looked_at = false;
    c->since_ms = loop_now_ms(en->loop);
}

static struct h1_conn *first(const struct h1_engine *en, enum h1_phase phase)
{
    const struct list *head = &en->phases[phase];

    return list_empty(head) ? NULL : container_of(head->next, struct h1_conn, item);
}

/* ---- what happens at the end of a phase ---- */

/* What TCP has counted of bytes, either way: nothing has to be counted while they are sent. 0: no
 * TCP, and so no stranger's. */
static uint64_t tcp_progress(int fd)
{
    struct tcp_info info;
    socklen_t len = sizeof info;

    memset(&info, 0, sizeof info);
    if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len) != 0)
        return 0;
    return info.tcpi_bytes_acked + info.tcpi_bytes_received;
}

static bool body_moves(struct h1_conn *c)
{
    uint64_t progress = tcp_progress(c->fd);

    if (progress != 0 && progress == c->progress)
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
    case PHASE_SURPLUS:
        log_debug("http", "%s: no complete request header in time, cut", c->remote_host);
        break;
    case PHASE_IDLE:
        if (c->session != NULL)
            gnutls_bye(c->session, GNUTLS_SHUT_WR);
        break;
    case PHASE_TUNNEL:
    case PHASE_DEAD:
    case PHASE_COUNT:
        return;
    }
    h1_conn_kill(c);
}

/* ---- what MHD does not notice ---- */

/* When a FIN arrives together with the bytes before it, MHD takes the bytes and waits for another
 * edge of the socket, which never comes. So each connection that has had nothing to do for a while
 * is looked at once; a FIN that comes later does make an edge. */
static void look_at(struct h1_conn *c)
{
    bool wants_more = c->phase != PHASE_BODY || c->stream == NULL || c->stream->stage == STAGE_BODY;

    c->looked_at = true;
    if ((wants_more && !peer_is_there(c)) || (c->en->draining && c->phase != PHASE_BODY))
        h1_conn_kill(c);
}

/* The list is in the order of time: those looked at are at its head, the young at its end. */
static void look_at_phase(struct h1_engine *en, enum h1_phase phase, uint64_t now)
{
    struct list *at = en->phases[phase].prev, *before;

    for (; at != &en->phases[phase]; at = before) {
        struct h1_conn *c = container_of(at, struct h1_conn, item);

        before = at->prev;
        if (c->looked_at)
            return;
        if (now - c->since_ms >= PEER_CHECK_MS)
            look_at(c);
    }
}

/* A chunk header without end fills MHD's buffer. Then it neither reads nor answers, but asks to be
 * run again and again. Such a connection cannot be told for certain: one whose bytes MHD leaves in
 * the socket is; one that has been silent for a while is taken for it. */
static bool is_stuck(const struct h1_conn *c, uint64_t now)
{
    const struct h1_stream *st = c->stream;
    uint64_t silent_ms = now - c->upload_ms;
    int unread = 0;

    if (st == NULL || st->stage != STAGE_BODY || st->parked || st->ex.request_body_len != -1)
        return false;
    if (silent_ms < PEER_CHECK_MS)
        return false;
    return silent_ms >= STUCK_MS || (ioctl(c->fd, FIONREAD, &unread) == 0 && unread > 0);
}

static void cut_stuck(struct h1_engine *en, uint64_t now)
{
    struct list *at = en->phases[PHASE_BODY].next, *next;

    for (; at != &en->phases[PHASE_BODY]; at = next) {
        struct h1_conn *c = container_of(at, struct h1_conn, item);

        next = at->next;
        if (is_stuck(c, now)) {
            log_debug("http", "%s: a chunk header without end, cut", c->remote_host);
            h1_conn_kill(c);
        }
    }
}

/* Since the exchange began, or a second before. */
static bool has_changed(const struct stat *st, const struct h1_conn *c)
{
    struct loop *l = c->en->loop;
    int64_t age_s = (int64_t)(loop_now_ms(l) / 1000 - c->stream->ex.started_us / 1000000);

    return st->st_mtim.tv_sec + 1 >= loop_wall_s(l) - age_s;
}

/* When the kernel has no more bytes of a file than those sent, MHD waits for the socket, which has
 * room all the time. If the file has become shorter since its length was sent, they never come, and
 * the framing can only be kept by closing (RFC 9112 8). If it has grown again, MHD does not notice:
 * the socket stays empty from one look to the next. Who pulls the bytes, as over TLS, sees all that
 * by itself. */
static bool runs_dry(struct h1_conn *c, const struct body *b)
{
    uint64_t dry = c->dry;
    struct stat st;
    int unsent = 0;

    c->dry = 0;
    if (b->kind != BODY_FILE || fstat(b->fd, &st) != 0)
        return false;
    if (st.st_size < b->offset + b->len)
        return true;
    if (!has_changed(&st, c) || ioctl(c->fd, SIOCOUTQ, &unsent) != 0 || unsent > 0)
        return false;
    c->dry = tcp_progress(c->fd) + 1;
    return dry == c->dry;
}

static void cut_shrunk(struct h1_engine *en)
{
    struct list *at = en->phases[PHASE_BODY].next, *next;

    for (; at != &en->phases[PHASE_BODY]; at = next) {
        struct h1_conn *c = container_of(at, struct h1_conn, item);

        next = at->next;
        if (c->session == NULL && c->stream != NULL && c->stream->queued &&
            runs_dry(c, &c->stream->ex.body)) {
            log_debug("http", "%s: a file was cut short while it was sent, cut", c->remote_host);
            h1_conn_kill(c);
        }
    }
}

/* ---- the tick ---- */

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
    look_at_phase(en, PHASE_HEADER, now);
    look_at_phase(en, PHASE_SURPLUS, now);
    look_at_phase(en, PHASE_IDLE, now);
    look_at_phase(en, PHASE_BODY, now);
    if (en->spins)
        cut_stuck(en, now);
    if (now - en->files_looked_ms >= FILES_CHECK_MS) {
        en->files_looked_ms = now;
        cut_shrunk(en);
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
    en->limit_ms[PHASE_SURPLUS] = SURPLUS_MS;
    en->limit_ms[PHASE_IDLE] = o->idle_timeout_ms;
    en->limit_ms[PHASE_BODY] = o->body_timeout_ms;
    en->limit_ms[PHASE_PARKED] = PEER_CHECK_MS;
    en->limit_ms[PHASE_TUNNEL] = UINT64_MAX;
    en->limit_ms[PHASE_DEAD] = UINT64_MAX;
}

void h1_deadline_refresh(struct h1_engine *en)
{
    for (int p = 0; p < PHASE_DEAD; p++)
        for (struct list *at = en->phases[p].next; at != &en->phases[p]; at = at->next) {
            struct h1_conn *c = container_of(at, struct h1_conn, item);

            if (c->stream == NULL)
                h1_conn_refresh(c);
        }
}

void h1_deadline_close_idle(struct h1_engine *en)
{
    struct h1_conn *c;

    while (h1_engine_close_idle(en))
        continue;
    while ((c = first(en, PHASE_HEADER)) != NULL && c->looked_at)
        h1_conn_kill(c); /* it has not said anything for a while; the younger are looked at soon */
}

/* ---- for who needs room ---- */

uint64_t h1_engine_idle_since(const struct h1_engine *en)
{
    const struct h1_conn *c = first(en, PHASE_IDLE);

    return c == NULL ? UINT64_MAX : c->since_ms;
}

bool h1_engine_close_idle(struct h1_engine *en)
{
    struct h1_conn *c = first(en, PHASE_IDLE);

    if (c == NULL)
        return false;
    if (c->session != NULL)
        gnutls_bye(c->session, GNUTLS_SHUT_WR);
    h1_conn_kill(c);
    return true;
}

/* What has come in this turn of the loop has not been read yet. */
bool h1_engine_close_slow(struct h1_engine *en)
{
    struct h1_conn *c = first(en, PHASE_HEADER);
    uint64_t least_ms = en->tls ? HANDSHAKE_MS : 1;

    if (c == NULL || loop_now_ms(en->loop) - c->since_ms < least_ms)
        return false;
    h1_conn_kill(c);
    return true;
}
