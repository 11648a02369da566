/* A connection that has been upgraded (RFC 9110 7.8): bytes both ways, as they are. What comes from
 * the client is the exchange's request body, without an end known before; what goes to it is pulled
 * from the response's source, as any body is.
 *
 * MHD can hand over a socket, and does where there is no TLS. Over TLS it would go on to encrypt,
 * by four bytes a time: so there the connection stays suspended for MHD, and we speak with its
 * session ourselves. What MHD has read beyond the request is lost then, since it tells nobody how
 * much that is: nothing but what was in the request's own TLS record. */
#include "engines/h1_internal.h"

#include "base/buf.h"
#include "base/date.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    TURNS = 16,               /* of reading or writing, before others have theirs */
    LAST_WORDS_MS = 60 * 1000 /* for the other side, when the client has no more to say */
};

/* Thousands of them wait for most of the time: what waits holds no buffers. */
struct h1_tunnel {
    struct h1_stream *st;
    struct MHD_UpgradeResponseHandle *urh; /* NULL over TLS */
    gnutls_session_t session;              /* NULL without */
    struct event_source src;
    struct task run;
    uint32_t events;
    bool readable;      /* there may be something from the client */
    struct timer timer; /* set once the client has no more to say */
    bool in_ended;      /* the client sends no more */
    bool out_ended;     /* there is no more for it */
    bool broken;        /* or nothing more can be done for it */
    char *unsent;       /* malloc'ed; NULL: all has been sent */
    size_t from, to;    /* of it */
};

/* ---- the end ---- */

/* MHD then ends the request: h1_on_completed(). */
static void leave(struct h1_stream *st, struct h1_tunnel *t)
{
    if (t->urh != NULL) {
        MHD_upgrade_action(t->urh, MHD_UPGRADE_ACTION_CLOSE);
        h1_engine_wake(st->conn->en);
        return;
    }
    if (!st->conn->dead)
        gnutls_bye(t->session, GNUTLS_SHUT_WR);
    h1_conn_kill(st->conn);
    if (st->parked)
        h1_unpark(st);
}

void h1_tunnel_close(struct h1_stream *st)
{
    struct h1_tunnel *t = st->tunnel;
    struct loop *l = st->conn->en->loop;

    st->tunnel = NULL;
    st->body_ended = true;
    loop_del(l, &t->src);
    loop_unpost(l, &t->run);
    timer_cancel(l, &t->timer);
    leave(st, t);
    free(t->unsent);
    free(t);
}

/* ---- the socket ---- */

/* Each: bytes, 0 at the end of what comes, -1 if there is no more to be done now; what fails for
 * good breaks the tunnel. A read that did not fill its buffer was the last: what comes after it is
 * an event. */
static ssize_t answer_of(struct h1_tunnel *t, ssize_t n, bool again)
{
    if (n >= 0)
        return n;
    t->broken |= !again;
    return -1;
}

static ssize_t put(struct h1_tunnel *t, const char *p, size_t len)
{
    ssize_t n;

    if (t->session == NULL) {
        n = send(t->src.fd, p, len, MSG_NOSIGNAL | MSG_DONTWAIT);
        return answer_of(t, n, errno == EAGAIN || errno == EINTR);
    }
    n = gnutls_record_send(t->session, p, len); /* again with the same bytes, if it has to be */
    return answer_of(t, n, n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED);
}

static ssize_t get(struct h1_tunnel *t, char *p, size_t len)
{
    ssize_t n;

    if (t->session == NULL) {
        n = recv(t->src.fd, p, len, MSG_DONTWAIT);
        t->readable = n == (ssize_t)len;
        return answer_of(t, n, errno == EAGAIN || errno == EINTR);
    }
    do
        n = gnutls_record_recv(t->session, p, len);
    while (n < 0 && n != GNUTLS_E_AGAIN && gnutls_error_is_fatal((int)n) == 0);
    t->readable = gnutls_record_check_pending(t->session) > 0;
    if (n == GNUTLS_E_PREMATURE_TERMINATION)
        return 0;
    return answer_of(t, n, n == GNUTLS_E_AGAIN);
}

/* ---- to the client ---- */

static size_t send_some(struct h1_tunnel *t, const char *p, size_t len)
{
    ssize_t n = put(t, p, len);

    return n > 0 ? (size_t)n : 0;
}

static void send_unsent(struct h1_tunnel *t)
{
    t->from += send_some(t, t->unsent + t->from, t->to - t->from);
    if (t->from < t->to)
        return;
    free(t->unsent);
    t->unsent = NULL;
}

/* Pulls into memory that all tunnels share; only what the client does not take at once is kept.
 * False: there is nothing to send. */
static bool pull_and_send(struct h1_tunnel *t)
{
    struct source *s = t->st->ex.body.source;
    char *buf = t->st->conn->en->scratch;
    size_t len = 0, sent;

    switch (s->pull(s, buf, H1_SCRATCH, &len)) {
    case PULL_BYTES:
        break;
    case PULL_AGAIN:
        return false;
    case PULL_END:
        t->out_ended = true;
        return false;
    case PULL_FAIL:
        t->broken = true;
        return false;
    }
    t->st->ex.bytes_sent += (int64_t)len;
    sent = send_some(t, buf, len);
    if (sent < len) {
        t->from = 0;
        t->to = len - sent;
        t->unsent = xrealloc_array(NULL, t->to, 1);
        memcpy(t->unsent, buf + sent, t->to);
    }
    return true;
}

/* Whether there may be more. */
static bool write_out(struct h1_tunnel *t)
{
    for (int i = 0; i < TURNS && !t->broken; i++) {
        if (t->unsent != NULL)
            send_unsent(t);
        if (t->unsent != NULL || t->out_ended || !pull_and_send(t))
            return false;
    }
    return !t->broken;
}

/* ---- from the client ---- */

static void tell_handler(struct exchange *ex)
{
    if (ex->on_request_body != NULL)
        ex->on_request_body(ex);
}

/* The other side may go on for a while; one that never ends must not keep the tunnel. */
static void end_input(struct h1_tunnel *t)
{
    if (t->in_ended)
        return;
    t->in_ended = t->st->body_ended = true;
    timer_set(t->st->conn->en->loop, &t->timer, LAST_WORDS_MS);
    tell_handler(&t->st->ex);
}

/* Whether there may be more. */
static bool read_in(struct h1_tunnel *t)
{
    struct h1_stream *st = t->st;
    char *buf = st->conn->en->scratch;

    for (int i = 0; i < TURNS && !t->broken; i++) {
        size_t room = h1_body_room(st);
        ssize_t n;

        if (room == 0 || t->in_ended || !t->readable)
            return false;
        n = get(t, buf, room < H1_SCRATCH ? room : H1_SCRATCH);
        if (n < 0)
            return false;
        if (n == 0) {
            end_input(t);
            return false;
        }
        h1_body_put(st, buf, (size_t)n);
        st->ex.bytes_received += n;
        tell_handler(&st->ex);
    }
    return !t->broken;
}

/* ---- both ---- */

static void watch(struct h1_tunnel *t)
{
    uint32_t events = t->unsent != NULL ? EPOLLOUT : 0;
    struct err e;

    if (h1_body_room(t->st) > 0 && !t->in_ended)
        events |= EPOLLIN;
    if (events == t->events)
        return;
    t->events = events;
    if (loop_mod(t->st->conn->en->loop, &t->src, events, &e) != 0)
        h1_tunnel_cut(t->st);
}

/* Once there is no more for the client, nobody listens to it either. */
static void run(struct h1_tunnel *t)
{
    bool more = write_out(t);

    more |= read_in(t);
    if (t->broken || (t->out_ended && t->unsent == NULL)) {
        h1_tunnel_close(t->st);
        return;
    }
    watch(t);
    if (more)
        loop_post(t->st->conn->en->loop, &t->run);
}

static void on_task(struct task *task)
{
    run(container_of(task, struct h1_tunnel, run));
}

/* A hangup is told of whatever is watched for: without room to read, that would not end. */
static void on_event(struct event_source *src, uint32_t events)
{
    struct h1_tunnel *t = container_of(src, struct h1_tunnel, src);

    t->readable |= (events & ~(uint32_t)EPOLLOUT) != 0;
    t->broken |= (events & (EPOLLERR | EPOLLHUP)) != 0 && (t->events & EPOLLIN) == 0;
    run(t);
}

static void on_timer(struct timer *timer)
{
    h1_tunnel_cut(container_of(timer, struct h1_tunnel, timer)->st);
}

/* Not at once: it may be at work. */
void h1_tunnel_cut(struct h1_stream *st)
{
    st->tunnel->broken = true;
    h1_tunnel_wake(st);
}

void h1_tunnel_wake(struct h1_stream *st)
{
    loop_post(st->conn->en->loop, &st->tunnel->run);
}

/* ---- the beginning ---- */

static struct h1_tunnel *tunnel_new(struct h1_stream *st, int fd)
{
    struct h1_engine *en = st->conn->en;
    struct h1_tunnel *t = xalloc(sizeof *t);
    struct err e;

    t->st = st;
    t->session = st->conn->session;
    t->src = (struct event_source){fd, on_event};
    t->run.run = on_task;
    t->timer.on_timer = on_timer;
    t->events = EPOLLIN;
    t->readable = true;
    t->broken = loop_add(en->loop, &t->src, t->events, &e) != 0 || st->conn->dead;
    st->tunnel = t;
    if (en->scratch == NULL)
        en->scratch = xrealloc_array(NULL, H1_SCRATCH, 1);
    h1_conn_enter(st->conn, PHASE_TUNNEL);
    h1_tunnel_wake(st);
    return t;
}

/* MHD_UpgradeHandler. What MHD has read beyond the request is the first that the client says. */
static void on_upgrade(void *cls, struct MHD_Connection *mhd, void *context, const char *extra,
                       size_t extra_size, MHD_socket sock, struct MHD_UpgradeResponseHandle *urh)
{
    struct h1_stream *st = cls;
    struct h1_tunnel *t = tunnel_new(st, sock);

    (void)mhd, (void)context;
    t->urh = urh;
    t->broken |= extra_size > h1_body_room(st);
    if (t->broken || extra_size == 0)
        return;
    h1_body_put(st, extra, extra_size);
    st->ex.bytes_received += (int64_t)extra_size;
    tell_handler(&st->ex);
}

static void expect_bytes(struct h1_stream *st)
{
    st->body_ended = false;
    st->ex.request_body_len = -1;
}

struct MHD_Response *h1_tunnel_response(struct h1_stream *st)
{
    expect_bytes(st);
    return MHD_create_response_for_upgrade(on_upgrade, st);
}

/* As MHD would write it. */
static struct str header_of(struct h1_stream *st)
{
    struct arena *a = st->arena;
    const struct fields *f = &st->ex.response;
    char date[DATE_HTTP_LEN + 1];
    struct buf b = BUF_INIT(H1_SCRATCH);
    struct str header = {NULL, 0};
    int rc;

    date_format_http(loop_wall_s(st->conn->en->loop), date);
    rc = buf_printf(&b, "HTTP/1.1 101 Switching Protocols\r\nDate: %s\r\nConnection: Upgrade\r\n",
                    date);
    for (size_t i = 0; i < f->n && rc == 0; i++)
        if (f->list[i].value.len > 0)
            rc = buf_printf(&b, STR_FMT ": " STR_FMT "\r\n", STR_ARG(f->list[i].name),
                            STR_ARG(f->list[i].value));
    if (rc == 0 && buf_puts(&b, "\r\n") == 0)
        header = arena_str(a, buf_str(&b));
    buf_fini(&b);
    return header;
}

bool h1_tunnel_begin(struct h1_stream *st)
{
    struct str header = header_of(st);
    struct h1_tunnel *t;

    if (header.p == NULL)
        return false;
    expect_bytes(st);
    t = tunnel_new(st, st->conn->fd);
    t->unsent = xstrndup(header.p, header.len);
    t->to = header.len;
    return true;
}
