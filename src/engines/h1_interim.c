/* MHD knows no interim responses. But until it is given the final one it writes nothing, so that
 * one can be written past it, if it goes out whole: what the socket does not take at once could be
 * sent by nobody. */
#include "engines/h1_internal.h"

#include "base/buf.h"

#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    INTERIM_MAX = 8 * 1024, /* bytes; a larger one is left out */
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

static void write_out(struct h1_conn *c, struct str s)
{
    if (c->session != NULL ? write_tls(c, s) : write_plain(c, s))
        return;
    log_debug("http", "%s: an interim response could not be sent whole, cut", c->remote_host);
    h1_conn_kill(c);
}

/* ---- the response ---- */

static int lay_out(struct buf *b, int status, const struct fields *fields)
{
    int rc = buf_printf(b, "HTTP/1.1 %d %s\r\n", status, status_phrase(status));

    for (size_t i = 0; i < fields->n && rc == 0; i++) {
        const struct field *f = &fields->list[i];

        if (!h1_is_engines_own(f->name))
            rc = buf_printf(b, STR_FMT ": " STR_FMT "\r\n", STR_ARG(f->name), STR_ARG(f->value));
    }
    return rc == 0 ? buf_puts(b, "\r\n") : rc;
}

void h1_interim(struct exchange *ex, int status, const struct fields *fields)
{
    struct h1_stream *st = h1_stream_of(ex);
    struct buf b = BUF_INIT(INTERIM_MAX);

    if (!st->conn->dead && is_silent(st) && lay_out(&b, status, fields) == 0 &&
        has_room(st->conn->fd, b.len))
        write_out(st->conn, buf_str(&b));
    buf_fini(&b);
}
