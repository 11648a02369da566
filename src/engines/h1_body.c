#include "engines/h1_internal.h"

#include <assert.h>
#include <stdlib.h>

/* ---- parking ---- */

void h1_park(struct h1_stream *st)
{
    assert(!st->parked);
    st->parked = true;
    MHD_suspend_connection(st->conn->mhd);
    h1_conn_enter(st->conn, PHASE_PARKED);
}

void h1_unpark(struct h1_stream *st)
{
    if (st->tunnel != NULL) {
        h1_tunnel_wake(st);
        return;
    }
    if (!st->parked) {
        st->woken = true;
        if (st->asked > 0) {
            h1_hold_end(st);
            h1_engine_wake(st->conn->en);
        }
        return;
    }
    st->parked = false;
    MHD_resume_connection(st->conn->mhd);
    h1_conn_enter(st->conn, PHASE_BODY);
    h1_engine_wake(st->conn->en);
}

/* ---- the request body ---- */

bool h1_body_is_awaited(const struct h1_stream *st)
{
    const struct fields request = exchange_original(&st->ex).request;

    return st->ex.http_minor > 0 && fields_get(&request, STR_LIT("Expect")).p != NULL;
}

bool h1_body_is_short(const struct h1_stream *st)
{
    const struct exchange *ex = &st->ex;

    return ex->request_body_len >= 0 && ex->request_body_len <= H1_DRAIN_KEEP &&
           !h1_body_is_awaited(st); /* it will not be sent */
}

/* A client that waits is told to send it. */
static void want_body(struct h1_stream *st)
{
    if (st->body_wanted)
        return;
    st->body_wanted = true;
    if (st->stage == STAGE_EXPECT)
        h1_unpark(st);
}

size_t h1_body_room(struct h1_stream *st)
{
    if (st->body_from == st->body_to)
        st->body_from = st->body_to = 0;
    return H1_BODY_BUFFER - st->body_to;
}

void h1_body_put(struct h1_stream *st, const char *data, size_t len)
{
    assert(len <= h1_body_room(st));
    if (st->body == NULL)
        st->body = xrealloc_array(NULL, H1_BODY_BUFFER, 1);
    memcpy(st->body + st->body_to, data, len);
    st->body_to += len;
}

static size_t put_what_fits(struct h1_stream *st, const char *data, size_t len)
{
    size_t room = h1_body_room(st);

    if (len > room)
        len = room;
    h1_body_put(st, data, len);
    return len;
}

static void tell_handler(struct h1_stream *st)
{
    if (st->ex.on_request_body != NULL && !st->ex.responded)
        st->ex.on_request_body(&st->ex);
}

bool h1_body_take(struct h1_stream *st, const char *data, size_t *size)
{
    st->conn->upload_ms = loop_now_ms(st->conn->en->loop);
    while (!st->ex.responded && !st->conn->dead && *size > 0) {
        size_t taken = put_what_fits(st, data, *size);

        data += taken;
        *size -= taken;
        st->ex.bytes_received += (int64_t)taken;
        tell_handler(st);
        if (*size > 0 && st->body_from < st->body_to && !st->ex.responded && !st->conn->dead) {
            h1_park(st); /* MHD keeps the rest until the handler has emptied the buffer */
            return true;
        }
    }
    st->drained += (int64_t)*size;
    st->ex.bytes_received += (int64_t)*size;
    *size = 0;
    if (st->ex.responded && !st->answered)
        h1_early(st); /* what could not be sent before 100 (Continue), or had no room */
    return st->drained <= H1_DRAIN_MOST;
}

void h1_body_end(struct h1_stream *st)
{
    st->stage = STAGE_FULL;
    st->body_ended = true;
    tell_handler(st);
}

enum pull h1_body_read(struct exchange *ex, char *buf, size_t cap, size_t *n)
{
    struct h1_stream *st = h1_stream_of(ex);
    size_t len = st->body_to - st->body_from;

    if (st->conn->dead)
        return PULL_FAIL;
    if (len == 0) {
        if (st->drained > 0) /* since the response has begun: the body is not complete */
            return PULL_FAIL;
        if (st->body_ended || ex->request_body_len == 0)
            return PULL_END;
        want_body(st);
        return PULL_AGAIN;
    }
    if (len > cap)
        len = cap;
    memcpy(buf, st->body + st->body_from, len);
    st->body_from += len;
    *n = len;
    if (st->body_from < st->body_to)
        return PULL_BYTES;
    if (st->tunnel != NULL) {
        free(st->body);
        st->body = NULL;
    }
    if (st->tunnel != NULL || st->stage == STAGE_BODY)
        h1_unpark(st);
    return PULL_BYTES;
}
