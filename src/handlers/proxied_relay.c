#include "handlers/proxied.h"

#include "base/alloc.h"

enum { UNWANTED_BODY = 64 * 1024 }; /* of an answer that nobody wants: more ends the connection */

/* ---- the response's way: upstream to client ---- */

static void drop_buffer(struct proxied *p)
{
    relay_buffer_put(&p->st->buffers, p->buffer);
    p->buffer = NULL;
    budget_give(p->st->budget, p->budgeted);
    p->budgeted = 0;
}

/* Bytes of the answer to be held before it is sent on: none of a tunnel, and no more than there
 * are.
 */
static size_t to_be_held(const struct proxied *p)
{
    const uint64_t most = p->st->conf->response_buffers;

    if (p->answer.status == 101)
        return 0;
    if (p->content_length >= 0 && (uint64_t)p->content_length < most)
        return (size_t)p->content_length;
    return (size_t)most;
}

/* One that holds so many; where there is no memory left for that, one for an answer that is sent on
 * as it comes. */
static void take_buffer(struct proxied *p)
{
    size_t wanted = to_be_held(p);

    if (budget_take(p->st->budget, wanted, p->st->budget_max))
        p->budgeted = wanted;
    else
        proxied_release(p);
    p->buffer = relay_buffer_get(&p->st->buffers, p->content_length, p->budgeted);
}

/* Whether the body, of which nothing need be kept here, is received to where the engine wants it.
 */
static bool is_read(const struct proxied *p)
{
    return p->transfer != NULL && transfer_can_read(p->transfer) && !p->tunnel &&
           p->body_left == 0 && p->st->conf->response_buffers == 0 &&
           (p->copied || p->content_length > RELAY_SMALL);
}

/* Nothing has been received that was not given to the engine. */
static enum pull await_more(struct proxied *p, char *buf, size_t cap, size_t *n)
{
    if (p->transfer == NULL) {
        p->ex->trailer = p->trailer;
        return p->at_end;
    }
    if (p->paused) {
        *n = transfer_read(p->transfer, buf, cap);
        if (*n > 0)
            return PULL_BYTES;
        p->paused = false;
    }
    p->waiting = true;
    return PULL_AGAIN;
}

static enum pull on_pull_response(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct proxied *p = container_of(s, struct proxied, source);
    size_t have = proxied_buffered(p);

    p->waiting = false;
    if (have == 0)
        return await_more(p, buf, cap, n);
    *n = have < cap ? have : cap;
    memcpy(buf, p->buffer->bytes + p->buffer->start, *n);
    p->buffer->start += *n;
    if (p->buffer->start < p->buffer->end)
        return PULL_BYTES;
    p->buffer->start = p->buffer->end = 0;
    if (p->tunnel) /* it may be silent for days */
        drop_buffer(p);
    if (p->paused && p->transfer != NULL && !is_read(p)) {
        p->paused = false;
        transfer_resume_recv(p->transfer);
    }
    return PULL_BYTES;
}

void proxied_wake(struct proxied *p)
{
    if (!p->waiting)
        return;
    p->waiting = false;
    exchange_resume(p->ex);
}

/* ---- an answer that nobody wants ---- */

static void end_transfer(struct proxied *p)
{
    if (p->transfer == NULL)
        return;
    transfer_cancel(p->transfer);
    p->transfer = NULL;
    proxied_ended(p);
    proxied_log_notes(p);
}

void proxied_forget(struct proxied *p)
{
    drop_buffer(p);
    p->paused = p->turn_passed = p->held = false;
    loop_unpost(p->st->loop, &p->respond);
}

void proxied_cut(struct proxied *p)
{
    end_transfer(p);
    p->at_end = PULL_FAIL;
    proxied_wake(p);
}

void proxied_disclaim(struct proxied *p)
{
    p->unwanted = true;
    drop_buffer(p);
    if (p->body_left != 0)
        end_transfer(p);
    if (p->transfer != NULL && p->paused)
        transfer_resume_recv(p->transfer);
    p->paused = false;
}

/* It may be that the exchange goes on, with another body. */
static void on_close(struct source *s)
{
    proxied_disclaim(container_of(s, struct proxied, source));
}

static void throw_away(struct proxied *p, size_t n)
{
    p->thrown_away += n;
    if (p->thrown_away > UNWANTED_BODY)
        end_transfer(p);
}

static bool on_body(void *arg, struct str bytes)
{
    struct proxied *p = arg;

    if (p->unwanted) {
        throw_away(p, bytes.len);
        return true;
    }
    if (is_read(p) && proxied_buffered(p) == 0) {
        p->paused = true;
        proxied_wake(p);
        return false;
    }
    if (p->buffer == NULL)
        take_buffer(p);
    if (bytes.len > p->buffer->cap - p->buffer->end) {
        p->paused = true;
        proxied_release(p); /* nobody else makes room */
        return false;
    }
    memcpy(p->buffer->bytes + p->buffer->end, bytes.p, bytes.len);
    p->buffer->end += bytes.len;
    if (p->st->conf->response_buffers > 0 && p->buffer->end >= p->st->conf->response_buffers)
        proxied_release(p);
    proxied_wake(p);
    return true;
}

void proxied_keep_field(struct proxied *p, struct fields *f, struct str name, struct str value)
{
    char *copy = arena_bytes(p->ex->arena, name.len + value.len + 1);

    memcpy(copy, name.p, name.len);
    memcpy(copy + name.len, value.p, value.len);
    fields_add(f, p->ex->arena, (struct str){copy, name.len},
               (struct str){copy + name.len, value.len});
}

static void on_field(void *arg, struct str name, struct str value)
{
    struct proxied *p = arg;

    proxied_keep_field(p, &p->answer.fields, name, value);
}

static void on_head(void *arg, int status, int64_t content_length)
{
    struct proxied *p = arg;

    p->answer.status = status;
    p->content_length = content_length;
    p->ex->answer = &p->answer;
    proxied_answered(p);
    proxied_on_head(p);
}

/* ---- the request's way: client to upstream ---- */

static enum pull on_pull_request(void *arg, char *buf, size_t cap, size_t *n)
{
    struct proxied *p = arg;
    enum pull answer;

    if (p->begun && !p->copied) /* somebody else may read it */
        return PULL_AGAIN;
    if (p->request.upgrade.len > 0 && !p->tunnel) /* there is none before the answer */
        return PULL_AGAIN;
    answer = kept_body_read(&p->kept, p->ex, buf, cap, n);
    p->starved = answer == PULL_AGAIN;
    if (!p->starved) /* before that it cannot answer */
        p->since_ms = loop_now_ms(p->st->loop);
    /* The engine has given up reading the body for an answer whose rest is still to come. */
    if (answer == PULL_FAIL && p->ex->responded && p->content_length >= 0)
        return PULL_AGAIN;
    if (answer == PULL_BYTES) {
        if (p->body_left > 0)
            p->body_left -= (int64_t)*n;
    } else if (answer != PULL_AGAIN) {
        p->body_broken = answer == PULL_FAIL || p->body_left > 0;
        p->body_left = 0;
    }
    if (p->body_left == 0)
        proxied_release(p);
    return answer;
}

void proxied_on_request_body(struct exchange *ex)
{
    struct proxied *p = ex->handler_data;

    if (p->buffering)
        proxied_buffer(p);
    else if (p->transfer != NULL)
        transfer_resume_send(p->transfer);
}

/* ---- life ---- */

static void on_done(void *arg, enum transfer_result result, const char *why)
{
    struct proxied *p = arg;

    p->transfer = NULL;
    proxied_ended(p);
    proxied_log_notes(p);
    if (result != TRANSFER_OK) {
        proxied_fail(p, result, why);
        return;
    }
    p->at_end = PULL_END;
    proxied_release(p);
    proxied_wake(p);
}

const struct transfer_events proxied_events = {.on_interim_field = proxied_on_interim_field,
                                               .on_interim = proxied_on_interim,
                                               .on_field = on_field,
                                               .on_head = on_head,
                                               .on_body = on_body,
                                               .on_done = on_done,
                                               .pull = on_pull_request,
                                               .on_trailer = proxied_on_trailer,
                                               .on_stderr = proxied_on_stderr};

void proxied_relay_init(struct proxied *p)
{
    list_init(&p->wait.item);
    p->source.pull = on_pull_response;
    p->source.close = on_close;
    list_init(&p->streams);
    p->at_end = PULL_FAIL;
}

void proxied_fini(struct proxied *p)
{
    end_transfer(p);
    drop_buffer(p);
    kept_body_fini(&p->kept);
    timer_cancel(p->st->loop, &p->again);
    timer_cancel(p->st->loop, &p->close_delay);
    list_del(&p->streams);
    loop_unpost(p->st->loop, &p->respond);
    dynamic_wait_cancel(&p->wait);
    upstream_list_unref(p->list);
}
