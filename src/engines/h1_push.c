#include "engines/h1_internal.h"

#include <errno.h>
#include <stdlib.h>

enum {
    HELD_MAX = 2048, /* a header's record that is longer goes out by itself */
    PARTS_MAX = 16   /* of records, sent at once; what there is beyond is pushed again */
};

static size_t length_of(const giovec_t *parts, int n)
{
    size_t len = 0;

    for (int i = 0; i < n; i++)
        len += parts[i].iov_len;
    return len;
}

static void hold(struct h1_push *p, const giovec_t *parts, int n)
{
    char *at = p->held = xalloc(HELD_MAX);

    for (int i = 0; i < n; i++)
        at = mempcpy(at, parts[i].iov_base, parts[i].iov_len);
    p->held_len = (size_t)(at - p->held);
}

/* Takes what was sent of the record held back off it, and off sent. */
static ssize_t release(struct h1_push *p, ssize_t sent)
{
    size_t taken = (size_t)sent < p->held_len ? (size_t)sent : p->held_len;

    p->held_len -= taken;
    memmove(p->held, p->held + taken, p->held_len);
    if (p->held_len == 0)
        h1_push_fini(p);
    if ((size_t)sent > taken)
        return sent - (ssize_t)taken;
    errno = EAGAIN; /* nothing of the records that were to be pushed */
    return -1;
}

static ssize_t push(struct h1_conn *c, const giovec_t *parts, int n, bool more)
{
    struct h1_push *p = &c->push;
    struct iovec out[1 + PARTS_MAX] = {{p->held, p->held_len}};
    size_t n_held = p->held != NULL ? 1 : 0, n_parts = n < PARTS_MAX ? (size_t)n : PARTS_MAX;
    struct msghdr m = {.msg_iov = out, .msg_iovlen = n_held + n_parts};
    ssize_t sent;

    memcpy(out + n_held, parts, n_parts * sizeof *parts);
    sent = sendmsg(c->fd, &m, MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    return sent > 0 && n_held > 0 ? release(p, sent) : sent;
}

/* gnutls_vec_push_func. A record is longer than what is in it: so `ahead` may become too small,
 * with which a segment goes out early, but never too large, with which one would wait for nothing.
 */
static ssize_t on_push(gnutls_transport_ptr_t conn, const giovec_t *parts, int n)
{
    struct h1_conn *c = conn;
    struct h1_push *p = &c->push;
    size_t len = length_of(parts, n);
    bool is_header = p->hold;
    ssize_t sent;

    p->hold = false;
    if (is_header && len <= HELD_MAX) {
        hold(p, parts, n);
        return (ssize_t)len;
    }
    sent = push(c, parts, n, p->ahead > len);
    if (sent > 0)
        p->ahead -= (size_t)sent < p->ahead ? (size_t)sent : p->ahead;
    return sent;
}

void h1_push_start(struct h1_conn *c)
{
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_vec_push_function(c->session, on_push);
}

/* Responses with these have no body, whatever they were given (RFC 9110 6.4.1). */
static bool is_bodiless(const struct exchange *ex)
{
    return ex->is_head || ex->status < 200 || ex->status == 204 || ex->status == 304;
}

void h1_push_expect(struct h1_conn *c, const struct exchange *ex)
{
    const struct body *b = &ex->body;
    bool in_memory = b->kind == BODY_BYTES || b->kind == BODY_PREPARED;

    if (c->session == NULL || b->len <= 0 || is_bodiless(ex))
        return;
    c->push.hold = in_memory || b->kind == BODY_FILE;
    c->push.ahead = in_memory ? (size_t)b->len : 0;
}

void h1_push_fini(struct h1_push *p)
{
    free(p->held);
    p->held = NULL;
}
