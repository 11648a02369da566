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
    } else if (rp->status >= 400 && !direct_sent(t)) {
        t->send_stopped = true; /* an error: it does not want the rest (RFC 9112 9.3) */
    }
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

static enum step on_error(struct direct_transfer *t, int error)
{
    t->conn->readable = false;
    if (error == EAGAIN)
        return STEP_WAIT;
    direct_lost(t, strerror(error));
    return STEP_OVER;
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

static enum step fill(struct direct_transfer *t)
{
    struct direct_conn *c = t->conn;
    size_t room;
    ssize_t n;

    if (!make_room(t)) {
        direct_fail(t, TRANSFER_TOO_BIG, "the response's header is too large");
        return STEP_OVER;
    }
    room = BLOCK_SIZE - t->in->end;
    do
        n = recv(c->src.fd, t->in->bytes + t->in->end, room, 0);
    while (n == -1 && errno == EINTR);
    if (n == -1)
        return on_error(t, errno);
    if (n == 0) {
        c->readable = false;
        c->hung_up = true;
        on_close(t);
        return STEP_OVER;
    }
    t->in->end += (size_t)n;
    t->answered = true;
    t->received_ms = loop_now_ms(t->d->loop);
    /* Edge-triggered: what comes later is told of anew, but not a close that was told of already.
     */
    c->readable = (size_t)n == room || c->hung_up;
    return STEP_MORE;
}

void direct_receive(struct direct_transfer *t)
{
    enum step step = STEP_WAIT;

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
    if (t->in != NULL && t->in->start == t->in->end)
        direct_block_put(t->d, &t->in);
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
