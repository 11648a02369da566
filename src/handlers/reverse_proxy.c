/* A proxied exchange:
 *  1. start_transfer() sends the request to one upstream; the request's body is pulled by the
 * transfer.
 *  2. on_head keeps status and fields; the response is sent at the end of the loop's batch. What
 *     has arrived as a whole by then is sent with its length, in one piece; otherwise the body
 *     becomes a source, fed through a bounded buffer. An answer of success that comes before the
 *     request's body has gone is held back until then: an engine may give up reading the body once
 *     the response has begun.
 *  3. An upstream that cannot be connected to is passed over, as long as nothing of the request's
 *     body was taken; the last failure answers 502 or 504. A failure after the head makes the
 *     source fail, so that the client sees a broken response and not a complete one.
 *  4. If a rule is for the answer, it is carried out instead of 2: the rows of handle_response run,
 *     of which copy_response does what 2 says; with any other response, the upstream's is thrown
 *     away. forward_auth is such a rule, without rows.
 *  5. on_end, deferred to the exchange's end, cancels what is still under way.
 */
#include "handlers/reverse_proxy.h"

#include "base/alloc.h"
#include "base/log.h"
#include "base/random.h"
#include "handlers/forward_auth.h"
#include "handlers/relay_buffer.h"
#include "handlers/reverse_proxy_conf.h"
#include "handlers/reverse_proxy_fields.h"
#include "http/route.h"

#include <stdlib.h>

enum {
    UNWANTED_BODY = 64 * 1024, /* of an answer that nobody wants: more ends the connection */
    MAX_HEAD = 16 * 1024,      /* of a response: more the HTTP/1 engine cannot send */
    COMPLAINTS_MAX = 8,        /* lines in the log about one upstream's failures... */
    COMPLAINTS_MS = 1000       /* ...in this time, a worker */
};

/* How an upstream fares, for the log. */
struct upstream_state {
    uint64_t window_ms; /* when the time at hand began */
    unsigned failures;  /* since then */
};

struct proxy_state {
    const struct reverse_proxy_conf *conf;
    struct loop *loop;
    struct fetcher *fetcher;
    struct relay_pool buffers;
    size_t next; /* whose turn it is */
    struct upstream_state *upstreams;
};

/* ---- one exchange ---- */

struct proxied {
    struct source source;
    struct exchange *ex;
    struct proxy_state *st;
    struct transfer *transfer; /* NULL: over */
    size_t upstream;           /* index of the one at work */
    size_t tried;
    struct proxy_request request;
    struct upstream_answer answer;  /* names and values in the exchange's arena; status 0: none */
    const struct answer_rule *rule; /* for the answer; NULL: it is sent on */
    int64_t content_length;
    struct relay_buffer *buffer;
    struct task respond; /* at the end of the batch */
    bool turn_passed;    /* of the two the task takes */
    bool held;           /* the response waits for the end of the request's body */
    bool begun;          /* the answer was sent on, or its rule carried out */
    bool copied;         /* it was sent on */
    bool unwanted;       /* it will not be */
    bool body_taken;     /* some of the request's body is gone: no other upstream can have it */
    int64_t body_left;   /* of the request; -1: not known, 0: all of it is gone */
    size_t thrown_away;  /* bytes of an unwanted body */
    bool paused;         /* on_body answered false */
    bool waiting;        /* pull answered AGAIN */
    enum pull at_end;    /* once transfer is NULL: END or FAIL */
};

static const struct upstream *upstream_of(const struct proxied *p)
{
    return &p->st->conf->upstreams[p->upstream];
}

static size_t buffered(const struct proxied *p)
{
    return p->buffer == NULL ? 0 : p->buffer->end - p->buffer->start;
}

/* The response to a HEAD has no body, but the length that a GET's would have. */
static bool states_length(const struct proxied *p)
{
    return p->ex->is_head && p->content_length != 0;
}

/* Nothing follows the head of the upstream's answer, although the client awaits a body. */
static bool is_bare(const struct proxied *p)
{
    return p->answer.status == 204 || p->answer.status == 304 ||
           (p->request.is_head && !p->ex->is_head);
}

/* ---- the response's way: upstream to client ---- */

static enum pull on_pull_response(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct proxied *p = container_of(s, struct proxied, source);
    size_t have = buffered(p);

    p->waiting = false;
    if (have == 0) {
        p->waiting = p->transfer != NULL;
        return p->transfer != NULL ? PULL_AGAIN : p->at_end;
    }
    *n = have < cap ? have : cap;
    memcpy(buf, p->buffer->bytes + p->buffer->start, *n);
    p->buffer->start += *n;
    if (p->buffer->start < p->buffer->end)
        return PULL_BYTES;
    p->buffer->start = p->buffer->end = 0;
    if (p->paused && p->transfer != NULL) {
        p->paused = false;
        transfer_resume_recv(p->transfer);
    }
    return PULL_BYTES;
}

static void wake(struct proxied *p)
{
    if (!p->waiting)
        return;
    p->waiting = false;
    exchange_resume(p->ex);
}

static void release(struct proxied *p)
{
    if (p->held)
        loop_post(p->st->loop, &p->respond);
}

/* ---- an answer that nobody wants ---- */

static void end_transfer(struct proxied *p)
{
    if (p->transfer != NULL)
        transfer_cancel(p->transfer);
    p->transfer = NULL;
}

static void drop_buffer(struct proxied *p)
{
    relay_buffer_put(&p->st->buffers, p->buffer);
    p->buffer = NULL;
}

/* What is left of the answer is read and thrown away, so that the connection can be used again;
 * but not for long, and not while the request's body would have to be sent. */
static void disclaim(struct proxied *p)
{
    p->unwanted = true;
    drop_buffer(p);
    if (p->body_left != 0)
        end_transfer(p);
    if (p->transfer != NULL && p->paused)
        transfer_resume_recv(p->transfer);
    p->paused = false;
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
    if (p->buffer == NULL)
        p->buffer = relay_buffer_get(&p->st->buffers, p->content_length);
    if (bytes.len > p->buffer->cap - p->buffer->end) {
        p->paused = true;
        release(p); /* nobody else makes room */
        return false;
    }
    memcpy(p->buffer->bytes + p->buffer->end, bytes.p, bytes.len);
    p->buffer->end += bytes.len;
    wake(p);
    return true;
}

static void on_field(void *arg, struct str name, struct str value)
{
    struct proxied *p = arg;
    char *copy = arena_bytes(p->ex->arena, name.len + value.len + 1);

    memcpy(copy, name.p, name.len);
    memcpy(copy + name.len, value.p, value.len);
    fields_add(&p->answer.fields, p->ex->arena, (struct str){copy, name.len},
               (struct str){copy + name.len, value.len});
}

static void on_head(void *arg, int status, int64_t content_length)
{
    struct proxied *p = arg;

    p->answer.status = status;
    p->content_length = content_length;
    p->ex->answer = &p->answer;
    p->rule = proxy_answer_find(&p->st->conf->answers, &p->answer);
    loop_post(p->st->loop, &p->respond);
}

/* ---- the request's way: client to upstream ---- */

static enum pull on_pull_request(void *arg, char *buf, size_t cap, size_t *n)
{
    struct proxied *p = arg;
    enum pull answer;

    if (p->begun && !p->copied) /* somebody else may read it */
        return PULL_AGAIN;
    answer = exchange_read_body(p->ex, buf, cap, n);
    if (answer == PULL_BYTES) {
        p->body_taken = true;
        if (p->body_left > 0)
            p->body_left -= (int64_t)*n;
    } else if (answer != PULL_AGAIN) {
        p->body_left = 0;
    }
    if (p->body_left == 0)
        release(p);
    return answer;
}

static void on_request_body(struct exchange *ex)
{
    struct proxied *p = ex->handler_data;

    if (p->transfer != NULL)
        transfer_resume_send(p->transfer);
}

/* ---- answering ---- */

static void send_on(struct proxied *p, int status)
{
    struct exchange *ex = p->ex;
    bool whole = p->transfer == NULL && p->at_end == PULL_END;
    bool bare = is_bare(p) || status == 204 || status == 304;

    p->copied = true;
    proxy_respond_fields(ex, p->st->conf, &p->answer.fields);
    if (bare && !is_bare(p))
        disclaim(p);
    if (bare || (whole && buffered(p) == 0 && !states_length(p)))
        exchange_respond(ex, status);
    else if (whole && !p->ex->is_head)
        exchange_respond_bytes(ex, status, (struct str){p->buffer->bytes, p->buffer->end});
    else
        exchange_respond_source(ex, status, &p->source, p->content_length);
}

/* The exchange is answered: if not by the upstream, then the upstream's answer is not wanted. */
static void on_response(struct exchange *ex, const void *arg)
{
    struct proxied *p;

    (void)arg;
    if (ex->answer == NULL)
        return;
    p = container_of(ex->answer, struct proxied, answer);
    if (!p->copied)
        disclaim(p);
}

static bool needs_nothing(const struct prepared *prepared, const void *arg)
{
    (void)prepared;
    (void)arg;
    return false;
}

/* The rows of handle_response, and what comes after them, have the exchange. The request's body
 * waits: it may be that one of them reads it. */
static void hand_over(struct proxied *p)
{
    struct exchange *ex = p->ex;
    const struct answer_rule *rule = p->rule;

    ex->on_request_body = NULL;
    if (rule->auth != NULL) {
        disclaim(p);
        forward_auth_grant(rule->auth, ex, &p->answer.fields);
    } else {
        exchange_on_respond(ex, on_response, needs_nothing, NULL);
    }
    if (route_enter(ex, &rule->route) == NEXT)
        route_continue(ex);
}

static void respond(struct proxied *p)
{
    const struct answer_rule *rule = p->rule;
    int status = p->answer.status;

    if (p->ex->responded || p->begun)
        return;
    p->begun = true;
    if (rule != NULL && rule->status.n_parts == 0) {
        hand_over(p);
        return;
    }
    if (rule != NULL)
        status = proxy_answer_status(&rule->status, p->ex);
    if (status != 0) {
        send_on(p, status);
        return;
    }
    disclaim(p);
    route_fail(p->ex, 500, STR_LIT("replace_status: no number from 200 to 599"));
}

bool reverse_proxy_copy(struct exchange *ex, int status)
{
    struct proxied *p;

    if (ex->answer == NULL)
        return false;
    p = container_of(ex->answer, struct proxied, answer);
    if (!p->begun || p->copied || p->unwanted)
        return false;
    ex->handler_data = p;
    if (p->body_left != 0)
        ex->on_request_body = on_request_body;
    p->copied = true;
    if (p->body_left != 0 && p->transfer != NULL)
        transfer_resume_send(p->transfer);
    send_on(p, status);
    return true;
}

/* The first turn comes before the fetcher's own task, which tells of the end; the second after it.
 */
static void on_respond_task(struct task *t)
{
    struct proxied *p = container_of(t, struct proxied, respond);

    if (!p->turn_passed) {
        p->turn_passed = true;
        loop_post(p->st->loop, t);
    } else if (!p->held && p->transfer != NULL && !p->paused && p->body_left != 0 &&
               p->answer.status < 300) {
        p->held = true;
    } else {
        respond(p);
    }
}

/* ---- failure ---- */

static void complain(struct proxied *p, const char *why)
{
    struct upstream_state *us = &p->st->upstreams[p->upstream];
    uint64_t now = loop_now_ms(p->st->loop);

    if (now - us->window_ms >= COMPLAINTS_MS) {
        if (us->failures > COMPLAINTS_MAX)
            log_warn("proxy", "upstream %s: %u more failures", upstream_of(p)->name,
                     us->failures - COMPLAINTS_MAX);
        us->window_ms = now;
        us->failures = 0;
    }
    if (us->failures++ < COMPLAINTS_MAX)
        log_warn("proxy", "upstream %s: %s (" STR_FMT " " STR_FMT STR_FMT ")", upstream_of(p)->name,
                 why, STR_ARG(p->ex->method), STR_ARG(p->ex->authority), STR_ARG(p->ex->raw_path));
}

static int status_of(enum transfer_result result)
{
    return result == TRANSFER_TIMEOUT || result == TRANSFER_CONNECT_TIMEOUT ? 504 : 502;
}

static bool start_transfer(struct proxied *p);

static void fail(struct proxied *p, enum transfer_result result, const char *why)
{
    bool unsent = result == TRANSFER_CONNECT || result == TRANSFER_CONNECT_TIMEOUT;

    if (exchange_body_error(p->ex, 0) == 0)
        complain(p, why);
    p->at_end = PULL_FAIL;
    if (p->ex->responded || p->begun) {
        wake(p);
        return;
    }
    p->ex->answer = NULL;
    p->rule = NULL;
    p->answer.fields.n = 0;
    if (unsent && !p->body_taken && p->tried < p->st->conf->n_upstreams) {
        p->upstream = (p->upstream + 1) % p->st->conf->n_upstreams;
        if (start_transfer(p))
            return;
    }
    loop_unpost(p->st->loop, &p->respond);
    exchange_respond_error(p->ex, exchange_body_error(p->ex, status_of(result)));
}

static void on_done(void *arg, enum transfer_result result, const char *why)
{
    struct proxied *p = arg;

    p->transfer = NULL;
    if (result != TRANSFER_OK) {
        fail(p, result, why);
        return;
    }
    p->at_end = PULL_END;
    release(p);
    wake(p);
}

/* ---- start and end ---- */

static const struct transfer_events events = {on_field, on_head, on_body, on_done, on_pull_request};

static bool start_transfer(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;
    const struct upstream *u = upstream_of(p);
    struct exchange *ex = p->ex;
    struct transfer_spec spec = {
        .events = &events,
        .arg = p,
        .method = p->request.method.p,
        .url = u->url,
        .target = p->request.target,
        .body_len = p->body_left,
        .unix_socket = u->unix_socket,
        .connect_timeout_ms = c->dial_timeout_ms,
        .head_timeout_ms = c->response_header_timeout_ms,
        .max_head = MAX_HEAD,
    };
    struct err e;

    p->tried++;
    ex->upstream = &u->names;
    spec.fields = proxy_request_lines(ex, c, &p->request, u);
    p->transfer = transfer_start(fetcher_transport(p->st->fetcher), &spec, &e);
    if (p->transfer == NULL)
        complain(p, e.msg);
    return p->transfer != NULL;
}

static void on_end(void *arg)
{
    struct proxied *p = arg;

    end_transfer(p);
    loop_unpost(p->st->loop, &p->respond);
    drop_buffer(p);
}

static size_t first_upstream(struct proxy_state *st)
{
    size_t n = st->conf->n_upstreams, turn = st->next;
    uint32_t random;

    switch (st->conf->policy) {
    case POLICY_FIRST:
        return 0;
    case POLICY_RANDOM:
        random_bytes(&random, sizeof random);
        return random % n;
    case POLICY_TURNS:
        break;
    }
    st->next = (turn + 1) % n;
    return turn;
}

static enum verdict reverse_proxy_handle(const void *conf, struct exchange *ex)
{
    struct proxy_state *st = ex->handler_state;
    struct proxied *p = arena_alloc(ex->arena, sizeof *p);
    int status = proxy_request_make(ex, conf, &p->request);

    if (ex->answer != NULL) /* of another proxy, that let the request go on */
        disclaim(container_of(ex->answer, struct proxied, answer));
    ex->answer = NULL;
    if (status != 0) {
        exchange_respond_error(ex, status);
        return TAKEN;
    }
    p->source.pull = on_pull_response;
    p->respond.run = on_respond_task;
    p->ex = ex;
    p->st = st;
    p->at_end = PULL_FAIL;
    p->upstream = first_upstream(st);
    p->body_left = p->request.body_len;
    ex->handler_data = p;
    if (p->body_left != 0)
        ex->on_request_body = on_request_body;
    exchange_defer(ex, on_end, p);
    if (!start_transfer(p))
        exchange_respond_error(ex, 502);
    return TAKEN;
}

static int reverse_proxy_start(const void *conf, const struct worker_env *env, void **state,
                               struct err *e)
{
    const struct reverse_proxy_conf *c = conf;
    struct proxy_state *st = xalloc(sizeof *st);

    (void)e;
    st->conf = c;
    st->loop = env->loop;
    st->fetcher = env->fetcher;
    st->upstreams = xalloc(c->n_upstreams * sizeof *st->upstreams);
    *state = st;
    return 0;
}

static void reverse_proxy_stop(void *state)
{
    struct proxy_state *st = state;

    relay_pool_fini(&st->buffers);
    free(st->upstreams);
    free(st);
}

static void reverse_proxy_describe(const void *conf, struct describer *out)
{
    const struct reverse_proxy_conf *c = conf;

    for (size_t i = 0; i < c->n_upstreams; i++)
        describe_item(out, "upstreams", str_of(c->upstreams[i].name));
    describe_number(out, "dial_timeout_ms", c->dial_timeout_ms);
    describe_number(out, "response_header_timeout_ms", c->response_header_timeout_ms);
    proxy_answer_describe(&c->answers, out);
}

static const struct handler_type forward_auth_type = {"forward_auth", reverse_proxy_start,
                                                      reverse_proxy_stop, reverse_proxy_handle};
static const struct handler_type reverse_proxy_type = {"reverse_proxy", reverse_proxy_start,
                                                       reverse_proxy_stop, reverse_proxy_handle};

const struct directive reverse_proxy_directives[] = {
    {.name = "forward_auth",
     .places = IN_HANDLERS,
     .max_args = -1,
     .block = true,
     .type = &forward_auth_type,
     .conf_size = sizeof(struct reverse_proxy_conf),
     .set = forward_auth_set,
     .options = forward_auth_options,
     .describe = reverse_proxy_describe,
     .help = "forward_auth [matcher] <upstream>... { uri, copy_headers }: ask whether a request "
             "may go on"},
    {.name = "reverse_proxy",
     .places = IN_HANDLERS,
     .max_args = -1,
     .block = true,
     .type = &reverse_proxy_type,
     .conf_size = sizeof(struct reverse_proxy_conf),
     .set = reverse_proxy_set,
     .options = reverse_proxy_options,
     .describe = reverse_proxy_describe,
     .help = "reverse_proxy [matcher] <upstream>... [{ ... }]: hand requests on to upstreams"},
    {0},
};
