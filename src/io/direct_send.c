/* The request: its head is laid out once, behind the preamble; its body is pulled into one block
 * whenever the socket has taken what was in it. What was pulled stays in the block as long as there
 * is room behind it, so that a request with a short body can be sent once more. */
#include "io/direct_priv.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/uio.h>

enum {
    ROUNDS_MAX = 16,                   /* of pulling and sending: then others have their turn */
    SIZE_LINE = sizeof "8000\r\n" - 1, /* of the largest chunk */
    CHUNK_END = sizeof "\r\n" - 1,
    LAST_CHUNK = sizeof "0\r\n\r\n" - 1,
    FRAME = 2 * FCGI_HEADER_SIZE, /* around a piece of a body, and behind the last */
    ROOM_MIN = 4096               /* less is not worth a pull */
};

_Static_assert(BLOCK_SIZE <= 0x8000, "a chunk's size has four digits");
_Static_assert(SIZE_LINE + CHUNK_END + LAST_CHUNK <= FRAME, "a chunk fits in as well");

/* ---- the head ---- */

static char *put(char *at, const char *p, size_t len)
{
    memcpy(at, p, len);
    return at + len;
}

/* A line break in it would make two lines of one, or two requests. */
static bool is_line(struct str s)
{
    return memchr(s.p, '\r', s.len) == NULL && memchr(s.p, '\n', s.len) == NULL;
}

static struct str without_end_space(const char *line)
{
    struct str s = str_of(line);

    while (s.len > 0 && (s.p[s.len - 1] == ' ' || s.p[s.len - 1] == '\t'))
        s.len--;
    return s;
}

static bool is_host(const char *line)
{
    return ascii_lower(line[0]) == 'h' && str_eq_nocase((struct str){line, 4}, STR_LIT("host")) &&
           line[4] == ':';
}

struct head_parts {
    struct str preamble, method, target, authority, framing;
    const char *const *fields;
    size_t size; /* at most */
    bool has_host;
};

static struct str framing_of(const struct transfer_spec *spec, char *buf, size_t cap)
{
    const char *expect = spec->expect_timeout_ms == 0 ? "" : "Expect: 100-continue\r\n";
    int n;

    if (spec->body_len == 0)
        return (struct str){buf, 0};
    if (spec->body_len < 0)
        n = snprintf(buf, cap, "%sTransfer-Encoding: chunked\r\n", expect);
    else
        n = snprintf(buf, cap, "%sContent-Length: %lld\r\n", expect, (long long)spec->body_len);
    return (struct str){buf, (size_t)n};
}

static bool measure(struct head_parts *h, const struct transfer_spec *spec, struct err *e)
{
    static const char *const none[] = {NULL};
    struct str url = str_of(spec->url);
    size_t slash;

    url = str_from(url, str_chr(url, ':') + sizeof "://" - 1);
    slash = str_chr(url, '/');
    h->authority = (struct str){url.p, slash};
    h->method = str_of(spec->method);
    h->target = spec->target != NULL ? str_of(spec->target) : str_from(url, slash);
    if (h->target.len == 0)
        h->target = STR_LIT("/");
    h->fields = spec->fields == NULL ? none : spec->fields;
    h->preamble = spec->preamble;
    h->size =
        h->preamble.len + h->method.len + h->target.len + h->authority.len + h->framing.len + 64;
    if (!str_is_token(h->method) || str_is(h->method, "CONNECT") || !is_line(h->target) ||
        !is_line(h->authority))
        return err_set(e, ERR_INVALID, "the request line is malformed") == 0;
    for (size_t i = 0; h->fields[i] != NULL; i++) {
        struct str line = str_of(h->fields[i]);

        if (!is_line(line))
            return err_set(e, ERR_INVALID, "a field of the request is malformed") == 0;
        h->has_host |= is_host(line.p);
        h->size += line.len + 2;
    }
    return true;
}

static char *write_head(char *at, const struct head_parts *h)
{
    if (h->preamble.len > 0)
        at = put(at, h->preamble.p, h->preamble.len);
    at = put(at, h->method.p, h->method.len);
    *at++ = ' ';
    at = put(at, h->target.p, h->target.len);
    at = put(at, " HTTP/1.1\r\n", 11);
    if (!h->has_host) {
        at = put(at, "Host: ", 6);
        at = put(at, h->authority.p, h->authority.len);
        at = put(at, "\r\n", 2);
    }
    for (size_t i = 0; h->fields[i] != NULL; i++) {
        struct str line = without_end_space(h->fields[i]);

        at = put(at, line.p, line.len);
        at = put(at, "\r\n", 2);
    }
    at = put(at, h->framing.p, h->framing.len);
    return put(at, "\r\n", 2);
}

bool direct_send_prepare(struct direct_transfer *t, const struct transfer_spec *spec, struct err *e)
{
    char framing[sizeof "Expect: 100-continue\r\nTransfer-Encoding: chunked\r\n" + 20];
    struct head_parts h = {.framing = framing_of(spec, framing, sizeof framing)};

    if (!measure(&h, spec, e))
        return false;
    if (h.size > t->head_cap) {
        t->head_cap = h.size < 1024 ? 1024 : h.size;
        t->head = xrealloc_array(t->head, t->head_cap, 1);
    }
    t->head_len = (size_t)(write_head(t->head, &h) - t->head);
    t->preamble_len = h.preamble.len;
    assert(t->head_len <= t->head_cap);
    return true;
}

void direct_send_rewind(struct direct_transfer *t)
{
    t->head_sent = 0;
    t->send_stopped = false;
    t->expecting = t->expect_timeout_ms != 0 && t->body_len != 0;
    t->due.expect = 0;
    if (t->body != NULL)
        t->body->start = 0;
}

/* ---- the body ---- */

static bool is_raw(const struct direct_transfer *t)
{
    return t->parser.switched;
}

/* What stands before a piece of it. */
static size_t gap_of(const struct direct_transfer *t)
{
    if (t->wire->records)
        return FCGI_HEADER_SIZE;
    return is_raw(t) || t->body_left >= 0 ? 0 : SIZE_LINE;
}

/* In a block that has room for the frame as well. */
static size_t room_to_pull(const struct direct_transfer *t)
{
    size_t room = BLOCK_SIZE - t->body->end;

    if (gap_of(t) > 0)
        room = room > FRAME ? room - FRAME : 0;
    return t->body_left >= 0 && (uint64_t)t->body_left < room ? (size_t)t->body_left : room;
}

static void make_room(struct direct_transfer *t)
{
    struct block *b = t->body;

    if (b == NULL) {
        t->body = direct_block_get(t->d);
        return;
    }
    if (b->start == b->end && (b->end + ROOM_MIN + FRAME > BLOCK_SIZE || is_raw(t))) {
        t->body_forgotten = true;
        b->start = b->end = 0;
    }
}

/* n bytes are behind room for the size line. */
static void add_chunk(struct block *b, size_t n)
{
    char line[16];
    size_t len = (size_t)snprintf(line, sizeof line, "%zx\r\n", n);
    char *at = b->bytes + b->end;

    assert(len <= SIZE_LINE);
    if (len < SIZE_LINE)
        memmove(at + len, at + SIZE_LINE, n);
    memcpy(at, line, len);
    memcpy(at + len + n, "\r\n", CHUNK_END);
    b->end += len + n + CHUNK_END;
}

static void took_end(struct direct_transfer *t)
{
    struct block *b = t->body;

    if (t->wire->records) {
        b->end = (size_t)(fcgi_put_body(b->bytes + b->end, 0) - b->bytes);
    } else if (t->body_len < 0 && !is_raw(t)) {
        memcpy(b->bytes + b->end, "0\r\n\r\n", LAST_CHUNK);
        b->end += LAST_CHUNK;
    }
    t->body_ended = true;
}

static void took(struct direct_transfer *t, size_t n)
{
    struct block *b = t->body;

    assert(n > 0 && (t->body_left < 0 || (int64_t)n <= t->body_left));
    if (t->wire->records) {
        (void)fcgi_put_body(b->bytes + b->end, n);
        b->end += FCGI_HEADER_SIZE + n;
    } else if (t->body_left >= 0 || is_raw(t)) {
        b->end += n;
    } else {
        add_chunk(b, n);
    }
    if (t->body_left < 0)
        return;
    t->body_left -= (int64_t)n;
    if (t->body_left == 0)
        took_end(t);
}

static bool may_pull(const struct direct_transfer *t)
{
    return !t->body_ended && !t->send_paused && !t->expecting;
}

/* More of the body; false: there is none now, or the transfer is over. */
static bool pull(struct direct_transfer *t)
{
    const size_t gap = gap_of(t);
    size_t n = 0;
    enum pull answer;

    make_room(t);
    answer = t->events->pull(t->arg, t->body->bytes + t->body->end + gap, room_to_pull(t), &n);
    if (t->ended)
        return false;
    if (t->due.head != 0) /* the peer has taken something: its time begins anew */
        t->due.head = loop_now_ms(t->d->loop) + t->head_timeout_ms;
    switch (answer) {
    case PULL_BYTES:
        took(t, n);
        return true;
    case PULL_AGAIN:
        t->send_paused = true; /* and no time limit runs while the wait is for us */
        return false;
    case PULL_END:
        if (t->body_left >= 0)
            break;
        took_end(t);
        return true;
    case PULL_FAIL:
        break;
    }
    direct_fail(t, TRANSFER_FAILED, "the request's body broke off");
    return false;
}

/* ---- sending ---- */

static size_t unsent(const struct direct_transfer *t)
{
    return t->head_len - t->head_sent + (t->body == NULL ? 0 : t->body->end - t->body->start);
}

bool direct_sent(const struct direct_transfer *t)
{
    return t->body_ended && unsent(t) == 0;
}

bool direct_send_wants(const struct direct_transfer *t)
{
    return !t->send_stopped && (unsent(t) > 0 || may_pull(t));
}

static ssize_t write_some(struct direct_transfer *t)
{
    struct iovec parts[2] = {{t->head + t->head_sent, t->head_len - t->head_sent}};
    struct msghdr m = {.msg_iov = parts, .msg_iovlen = 1};
    struct block *b = t->body;

    if (t->conn->tls != NULL && parts[0].iov_len > 0)
        return direct_tls_send(t->conn->tls, parts[0].iov_base, parts[0].iov_len);
    if (t->conn->tls != NULL)
        return direct_tls_send(t->conn->tls, b->bytes + b->start, b->end - b->start);
    if (b == NULL || b->start == b->end)
        return send(t->conn->src.fd, parts[0].iov_base, parts[0].iov_len, MSG_NOSIGNAL);
    if (parts[0].iov_len == 0)
        return send(t->conn->src.fd, b->bytes + b->start, b->end - b->start, MSG_NOSIGNAL);
    parts[1] = (struct iovec){b->bytes + b->start, b->end - b->start};
    m.msg_iovlen = 2;
    return sendmsg(t->conn->src.fd, &m, MSG_NOSIGNAL);
}

static void wrote(struct direct_transfer *t, size_t n)
{
    size_t of_head = t->head_len - t->head_sent;

    if (of_head > n)
        of_head = n;
    t->head_sent += of_head;
    if (n > of_head)
        t->body->start += n - of_head;
    t->received_ms = t->sent_ms = loop_now_ms(t->d->loop);
    if (t->expecting && t->head_sent == t->head_len) {
        t->due.expect = t->sent_ms + t->expect_timeout_ms;
        direct_arm(t);
    }
}

/* Sends what is there. False: the socket takes no more. */
static bool flush(struct direct_transfer *t)
{
    size_t all;

    while ((all = unsent(t)) > 0) {
        ssize_t n = write_some(t);

        if (n > 0) {
            wrote(t, (size_t)n);
            t->conn->writable = (size_t)n == all || t->conn->tls != NULL;
            if (!t->conn->writable)
                return false;
        } else if (n == -1 && errno == EAGAIN) {
            t->conn->writable = false;
            return false;
        } else if (n == -1 && errno != EINTR) {
            /* It may have answered before it closed: reading will tell. */
            t->send_stopped = true;
            t->conn->readable = true;
            direct_post(t, OP_SEND);
            return false;
        }
    }
    return true;
}

void direct_send_body(struct direct_transfer *t)
{
    if (!t->expecting)
        return;
    t->expecting = false;
    t->due.expect = 0;
    direct_post(t, OP_SEND);
}

void direct_send_head(struct direct_transfer *t)
{
    (void)flush(t);
}

/* Our side of a tunnel has no more to say. */
static void half_close(struct direct_transfer *t)
{
    t->send_stopped = true;
    if (t->conn->tls != NULL)
        direct_tls_shutdown(t->conn->tls);
    else
        shutdown(t->conn->src.fd, SHUT_WR);
    if (t->recv_ended)
        direct_finish(t);
}

void direct_send(struct direct_transfer *t)
{
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        /* A first piece of the body goes with the head. */
        if (may_pull(t) && (t->body == NULL || t->body->start == t->body->end))
            if (!pull(t) && t->ended)
                return;
        if (!flush(t))
            return;
        if (t->body_ended && is_raw(t)) {
            half_close(t);
            return;
        }
        if (!direct_send_wants(t))
            return;
    }
    direct_let_others(t);
}
