/* MHD knows no interim responses, and takes no final one in the middle of a request's body. But
 * until it is given the final one it writes nothing, so that a response can be written past it, if
 * it goes out whole: what the socket does not take at once could be sent by nobody. */
#include "engines/h1_internal.h"

#include "base/buf.h"
#include "base/date.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    INTERIM_MAX = 8 * 1024, /* bytes; a larger one is left out */
    EARLY_MAX = 16 * 1024,  /* bytes of a final one */
    ROOM = 4 /* of the socket's memory so many bytes are needed for each: the kernel keeps more
                with them, and TLS adds some */
};

/* ---- may it be written? ---- */

/* Until MHD has read some of the body, it may be about to write 100 (Continue). */
static bool is_silent(const struct h1_stream *st)
{
    if (st->queued || st->tunnel != NULL || st->conn->push.held != NULL)
        return false;
    switch (st->stage) {
    case STAGE_HEADER:
        return false;
    case STAGE_BODY:
        return st->ex.bytes_received > 0 || !h1_body_is_awaited(st);
    case STAGE_EXPECT:
    case STAGE_FULL:
        break;
    }
    return true;
}

/* Whether the socket has room for all of it, with what the client has not acknowledged of earlier
 * responses. */
static bool has_room(int fd, size_t len)
{
    int unsent = 0, room = 0;
    socklen_t size = sizeof room;

    return ioctl(fd, SIOCOUTQ, &unsent) == 0 &&
           getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, &size) == 0 &&
           ((size_t)unsent + len) * ROOM <= (size_t)room;
}

/* ---- writing ---- */

static bool write_plain(const struct h1_conn *c, struct str s)
{
    return send(c->fd, s.p, s.len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)s.len;
}

/* A record may have less than all of it. */
static bool write_tls(const struct h1_conn *c, struct str s)
{
    while (s.len > 0) {
        ssize_t n = gnutls_record_send(c->session, s.p, s.len);

        if (n <= 0)
            return false;
        s = str_from(s, (size_t)n);
    }
    return true;
}

/* False: nothing was written. */
static bool write_past(struct h1_stream *st, struct str s)
{
    struct h1_conn *c = st->conn;

    if (c->dead || !is_silent(st) || !has_room(c->fd, s.len))
        return false;
    if (c->session != NULL ? write_tls(c, s) : write_plain(c, s))
        return true;
    log_debug("http", "%s: a response could not be sent whole, cut", c->remote_host);
    h1_conn_kill(c);
    return true;
}

/* ---- interim responses ---- */

static int lay_out(struct buf *b, int status, const struct fields *fields)
{
    int rc = buf_printf(b, "HTTP/1.1 %d %s\r\n", status, status_phrase(status));

    for (size_t i = 0; i < fields->n && rc == 0; i++) {
        const struct field *f = &fields->list[i];

        if (f->value.len > 0 && !h1_is_engines_own(f->name))
            rc = buf_printf(b, STR_FMT ": " STR_FMT "\r\n", STR_ARG(f->name), STR_ARG(f->value));
    }
    return rc;
}

void h1_interim(struct exchange *ex, int status, const struct fields *fields)
{
    struct buf b = BUF_INIT(INTERIM_MAX);

    if (lay_out(&b, status, fields) == 0 && buf_puts(&b, "\r\n") == 0)
        write_past(h1_stream_of(ex), buf_str(&b));
    buf_fini(&b);
}

/* ---- early responses ---- */

/* The rest of the request's body is so short that the connection can be kept for reading it. */
static bool is_nearly_read(const struct exchange *ex)
{
    return ex->request_body_len >= 0 && ex->request_body_len - ex->bytes_received <= H1_DRAIN_KEEP;
}

/* What MHD would add. */
static int lay_out_end(struct buf *b, const struct exchange *ex)
{
    char date[DATE_HTTP_LEN + 1];
    int rc = 0;

    date_format_http(loop_wall_s(ex->loop), date);
    if (fields_get(&ex->response, STR_LIT("Date")).p == NULL)
        rc = buf_printf(b, "Date: %s\r\n", date);
    if (rc == 0 && ex->status != 204 && ex->status != 304)
        rc = buf_printf(b, "Content-Length: %lld\r\n", (long long)ex->body.len);
    return rc == 0 ? buf_puts(b, "Connection: close\r\n\r\n") : rc;
}

bool h1_early(struct h1_stream *st)
{
    struct exchange *ex = &st->ex;
    struct buf b = BUF_INIT(EARLY_MAX);
    int rc;

    if (st->stage != STAGE_BODY || is_nearly_read(ex))
        return false;
    exchange_unprepare(ex);
    if (ex->body.kind != BODY_NONE && ex->body.kind != BODY_BYTES)
        return false;
    rc = lay_out(&b, ex->status, &ex->response);
    if (rc == 0)
        rc = lay_out_end(&b, ex);
    if (rc == 0 && ex->body.kind == BODY_BYTES && !ex->is_head)
        rc = buf_append_str(&b, ex->body.bytes);
    st->answered = rc == 0 && write_past(st, buf_str(&b));
    if (st->answered && !ex->is_head)
        ex->bytes_sent = ex->body.len;
    buf_fini(&b);
    return st->answered;
}
