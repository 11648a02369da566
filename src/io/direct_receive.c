/* The response: received into one block, shown to the parser, and handed on from where it lies. */
#include "io/direct_priv.h"

#include <errno.h>
#include <sys/socket.h>

enum { ROUNDS_MAX = 16 }; /* of receiving: then others have their turn */

/* What to do after a step. */
enum step {
    STEP_MORE, /* go on */
    STEP_WAIT, /* for the socket, or for the one who takes the body */
    STEP_OVER  /* the transfer has ended, or begun once more */
};

/* ---- what the parser says ---- */

static void on_head(struct direct_transfer *t)
{
    struct response_parser *rp = &t->parser;

    t->due.head = 0;
    if (rp->switched) {
        t->body_ended = false; /* the tunnel's way there */
        t->body_left = -1;
    } else if (rp->status >= 300 && !direct_sent(t)) {
        t->send_stopped = true; /* no success: it does not want the rest (RFC 9112 9.3) */
    }
    direct_send_body(t);
    if (t->events->on_head != NULL)
        t->events->on_head(t->arg, rp->status, rp->content_length);
    if (!t->ended && rp->switched)
        direct_post(t, OP_SEND);
}

static void on_line(struct direct_transfer *t, void (*fn)(void *arg, struct str, struct str))
{
    if (fn != NULL)
        fn(t->arg, t->parser.name, t->parser.value);
}

static void on_interim(struct direct_transfer *t)
{
    if (t->parser.status == 100)
        direct_send_body(t);
    if (t->events->on_interim != NULL)
        t->events->on_interim(t->arg, t->parser.status);
}

static enum step on_body(struct direct_transfer *t, struct str *in)
{
    struct str bytes = t->parser.bytes;

    if (t->events->on_body != NULL && !t->events->on_body(t->arg, bytes)) {
        t->recv_paused = true;
        return STEP_WAIT;
    }
    t->wire->take(t, in, bytes.len);
    return STEP_MORE;
}

static bool is_overloaded(const struct direct_transfer *t)
{
    return t->fcgi != NULL && t->fcgi->overloaded;
}

static enum step act(struct direct_transfer *t, enum response_event event, struct str *in)
{
    switch (event) {
    case RESPONSE_MORE:
        return STEP_WAIT;
    case RESPONSE_INTERIM_FIELD:
        on_line(t, t->events->on_interim_field);
        return STEP_MORE;
    case RESPONSE_INTERIM:
        on_interim(t);
        return STEP_MORE;
    case RESPONSE_FIELD:
        on_line(t, t->events->on_field);
        return STEP_MORE;
    case RESPONSE_HEAD:
        on_head(t);
        return STEP_MORE;
    case RESPONSE_BODY:
        return on_body(t, in);
    case RESPONSE_TRAILER:
        on_line(t, t->events->on_trailer);
        return STEP_MORE;
    case RESPONSE_END:
        direct_finish(t);
        return STEP_OVER;
    case RESPONSE_TOO_BIG:
        direct_fail(t, TRANSFER_TOO_BIG, t->parser.why);
        return STEP_OVER;
    case RESPONSE_BROKEN:
        direct_fail(t, is_overloaded(t) ? TRANSFER_OVERLOADED : TRANSFER_BROKEN, t->parser.why);
        return STEP_OVER;
    }
    return STEP_OVER;
}

/* Everything that is in the block. */
static enum step parse(struct direct_transfer *t)
{
    struct block *b = t->in;
    enum step step = STEP_MORE;

    while (step == STEP_MORE) {
        struct str in = {b->bytes + b->start, b->end - b->start};
        enum response_event event = t->wire->next(t, &in);

        b->start = b->end - in.len; /* before it is told of the end: what is left over counts */
        step = act(t, event, &in);
        if (t->ended)
            return STEP_OVER;
        b->start = b->end - in.len;
    }
    return step;
}

/* ---- what the socket says ---- */

/* The peer has closed its side. */
static void on_close(struct direct_transfer *t)
{
    if (t->parser.switched) {
        t->recv_ended = true;
        if (t->events->on_eof == NULL || t->send_stopped)
            direct_finish(t);
        else
            t->events->on_eof(t->arg);
    } else if (t->wire->close(t) == RESPONSE_END) {
        direct_finish(t);
    } else {
        direct_lost(t, t->parser.why);
    }
}

/* Bytes from the socket. Returns how many; 0: there are none now; -1: there will be none. */
static ssize_t receive(struct direct_transfer *t, char *p, size_t room)
{
    struct direct_conn *c = t->conn;
    ssize_t n;

    if (!c->readable)
        return 0;
    if (c->drained)
        return -1;
    do
        n = c->tls != NULL ? direct_tls_recv(c->tls, p, room) : recv(c->src.fd, p, room, 0);
    while (n == -1 && errno == EINTR);
    if (n > 0) {
        t->answered = true;
        t->received_ms = loop_now_ms(t->d->loop);
        /* Edge-triggered: what comes later is told of anew, but not a close that was told of. */
        c->readable = (size_t)n == room || c->hung_up || c->tls != NULL;
        return n;
    }
    if (n == -1 && errno == EAGAIN) {
        c->readable = false;
        return 0;
    }
    c->hung_up = c->drained = true;
    c->error = n == 0 || (errno == ECONNABORTED && t->parser.switched) ? 0 : errno;
    return -1;
}

/* Room for more behind what is there. False: a line is longer than a block. */
static bool make_room(struct direct_transfer *t)
{
    struct block *b = t->in;

    if (b == NULL) {
        t->in = direct_block_get(t->d);
        return true;
    }
    if (b->start == b->end)
        b->start = b->end = 0;
    if (b->end < BLOCK_SIZE)
        return true;
    if (b->start == 0)
        return false;
    memmove(b->bytes, b->bytes + b->start, b->end - b->start);
    b->end -= b->start;
    b->start = 0;
    return true;
}

static const char *why_lost(const struct direct_conn *c)
{
    const char *why = direct_tls_why(c->tls);

    return why != NULL ? why : strerror(c->error);
}

static enum step fill(struct direct_transfer *t)
{
    ssize_t n;

    if (!make_room(t)) {
        direct_fail(t, TRANSFER_TOO_BIG, "the response's header is too large");
        return STEP_OVER;
    }
    n = receive(t, t->in->bytes + t->in->end, BLOCK_SIZE - t->in->end);
    if (n > 0) {
        t->in->end += (size_t)n;
        return STEP_MORE;
    }
    if (n == 0)
        return STEP_WAIT;
    t->conn->readable = false;
    if (t->conn->error == 0)
        on_close(t);
    else
        direct_lost(t, why_lost(t->conn));
    return STEP_OVER;
}

static bool is_empty(const struct direct_transfer *t)
{
    return t->in == NULL || t->in->start == t->in->end;
}

/* The one who reads the body is told that there may be more of it, which then need not be copied.
 */
static bool tells_reader(struct direct_transfer *t)
{
    if (!t->by_read || !is_empty(t) || response_room(&t->parser) == 0)
        return false;
    t->recv_paused = !t->events->on_body(t->arg, (struct str){NULL, 0});
    t->by_read = t->recv_paused;
    return t->recv_paused;
}

void direct_receive(struct direct_transfer *t)
{
    enum step step = STEP_WAIT;

    if (is_empty(t) && t->parser.state == RESPONSE_AT_END && !t->wire->records) {
        direct_finish(t); /* the last byte was read */
        return;
    }
    if (t->conn->readable && (tells_reader(t) || t->ended))
        return;
    for (unsigned round = 0; round < ROUNDS_MAX; round++) {
        step = t->in == NULL ? STEP_WAIT : parse(t);
        if (step == STEP_OVER)
            return;
        if (t->recv_paused || !t->conn->readable || t->recv_ended)
            break;
        step = fill(t);
        if (step != STEP_MORE)
            break;
    }
    if (step == STEP_OVER)
        return;
    if (step == STEP_MORE)
        direct_let_others(t);
    if (is_empty(t))
        direct_block_put(t->d, &t->in);
}

/* ---- reading ---- */

/* The next chunk begins, or there is none to be told of here: false. */
static bool enter_chunk(struct direct_transfer *t)
{
    const struct response_parser before = t->parser;
    struct str in = {NULL, 0};
    enum response_event event;

    if (before.state != RESPONSE_AT_CHUNK_SIZE && before.state != RESPONSE_AT_CHUNK_END)
        return false;
    if (!is_empty(t))
        in = (struct str){t->in->bytes + t->in->start, t->in->end - t->in->start};
    event = response_next(&t->parser, &in);
    if (event != RESPONSE_MORE && event != RESPONSE_BODY) {
        t->parser = before; /* what it says is told by the one who may call back */
        return false;
    }
    if (t->in != NULL)
        t->in->start = t->in->end - in.len;
    return true;
}

/* More of a chunked body, by way of the block: its framing is in between. */
static bool fill_chunked(struct direct_transfer *t)
{
    ssize_t n;

    if (!make_room(t))
        return false;
    n = receive(t, t->in->bytes + t->in->end, BLOCK_SIZE - t->in->end);
    if (n > 0)
        t->in->end += (size_t)n;
    return n > 0;
}

static size_t take_received(struct direct_transfer *t, char *buf, size_t cap)
{
    size_t n = t->in->end - t->in->start;

    if (n > cap)
        n = cap;
    if (n > response_room(&t->parser))
        n = (size_t)response_room(&t->parser);
    memcpy(buf, t->in->bytes + t->in->start, n);
    t->in->start += n;
    response_took(&t->parser, n);
    return n;
}

static size_t receive_into(struct direct_transfer *t, char *buf, size_t cap)
{
    uint64_t room = response_room(&t->parser);
    ssize_t n = receive(t, buf, cap < room ? cap : (size_t)room);

    if (n <= 0)
        return 0;
    response_took(&t->parser, (size_t)n);
    return (size_t)n;
}

static size_t read_some(struct direct_transfer *t, char *buf, size_t cap)
{
    for (;;) {
        if (response_room(&t->parser) == 0 && !enter_chunk(t))
            return 0;
        if (response_room(&t->parser) > 0 && !is_empty(t))
            return take_received(t, buf, cap);
        if (!t->parser.chunked)
            return receive_into(t, buf, cap);
        if (!fill_chunked(t))
            return 0;
    }
}

/* Whether there is something that is not for the reader: the end, a trailer, what is broken. */
static bool has_more_to_tell(const struct direct_transfer *t)
{
    return t->conn->readable || !is_empty(t) || t->parser.state == RESPONSE_AT_END;
}

size_t direct_read(struct transfer *transfer, char *buf, size_t cap)
{
    struct direct_transfer *t = container_of(transfer, struct direct_transfer, transfer);
    size_t n;

    if (t->ended || !t->recv_paused)
        return 0;
    t->by_read = true;
    n = read_some(t, buf, cap);
    if (n == 0 ? has_more_to_tell(t) : t->parser.state == RESPONSE_AT_END)
        direct_post(t, OP_RESUME_RECV);
    if (n == 0) { /* the next event tells the reader */
        t->recv_paused = false;
        t->received_ms = loop_now_ms(t->d->loop);
    }
    if (is_empty(t))
        direct_block_put(t->d, &t->in);
    return n;
}

/* ---- HTTP ---- */

static void http_begin(struct direct_transfer *t)
{
    response_init(&t->parser, t->is_head, t->upgrade, t->max_head);
}

static enum response_event http_next(struct direct_transfer *t, struct str *in)
{
    return response_next(&t->parser, in);
}

static void http_take(struct direct_transfer *t, struct str *in, size_t n)
{
    response_take(&t->parser, in, n);
}

static enum response_event http_close(struct direct_transfer *t)
{
    return response_close(&t->parser);
}

const struct wire direct_wire_http = {.prepare = direct_send_prepare,
                                      .begin = http_begin,
                                      .next = http_next,
                                      .take = http_take,
                                      .close = http_close};
