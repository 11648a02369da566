#include "handlers/proxied.h"

#include "base/alloc.h"
#include "handlers/forward_auth.h"
#include "handlers/reverse_proxy.h"
#include "http/route.h"

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

/* All of the answer is there. That is so before the transfer has ended where it goes on sending. */
static bool is_whole(const struct proxied *p)
{
    if (p->transfer == NULL)
        return p->at_end == PULL_END;
    return p->body_left != 0 && (int64_t)proxied_buffered(p) == p->content_length;
}

/* ---- answering ---- */

static void send_on(struct proxied *p, int status)
{
    struct exchange *ex = p->ex;
    bool whole = is_whole(p);
    bool bare = is_bare(p) || status == 204 || status == 304;
    bool in_one = whole && !proxied_has_trailer(p);

    p->copied = true;
    ex->prompt = p->st->conf->prompt;
    proxy_respond_fields(ex, p->st->conf, &p->answer.fields);
    if (p->cookie.p != NULL)
        fields_add(&ex->response, ex->arena, STR_LIT("Set-Cookie"), p->cookie);
    if (bare && !is_bare(p))
        proxied_disclaim(p);
    if (!bare && !in_one)
        proxied_announce_trailer(p);
    if (bare || (in_one && proxied_buffered(p) == 0 && !states_length(p)))
        exchange_respond(ex, status);
    else if (in_one && !p->ex->is_head)
        exchange_respond_bytes(ex, status, (struct str){p->buffer->bytes, p->buffer->end});
    else
        exchange_respond_source(ex, status, &p->source, p->content_length);
}

/* ---- upgrades ---- */

static void on_stream_timeout(struct timer *t)
{
    proxied_cut(container_of(t, struct proxied, again));
}

static void on_close_delay(struct timer *t)
{
    proxied_cut(container_of(t, struct proxied, close_delay));
}

void proxied_retire(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;

    p->close_delay.on_timer = on_close_delay;
    if (c->has_stream_close_delay)
        timer_set(p->st->loop, &p->close_delay, c->stream_close_delay_ms);
}

/* Both are one stream of bytes each from here on, which end together. */
static void open_tunnel(struct proxied *p)
{
    struct exchange *ex = p->ex;
    const struct reverse_proxy_conf *c = p->st->conf;
    struct str protocol = fields_joined(&p->answer.fields, ex->arena, STR_LIT("Upgrade"));

    p->copied = p->tunnel = true;
    kept_body_fini(&p->kept);
    list_add_tail(&p->st->streams, &p->streams);
    ex->on_request_body = proxied_on_request_body;
    proxy_respond_fields(ex, c, &p->answer.fields);
    fields_set(&ex->response, ex->arena, STR_LIT("Upgrade"),
               protocol.len > 0 ? protocol : p->request.upgrade);
    p->again.on_timer = on_stream_timeout;
    if (c->stream_timeout_ms > 0)
        timer_set(p->st->loop, &p->again, c->stream_timeout_ms);
    if (p->st->retired) /* it was asked for before */
        proxied_retire(p);
    exchange_respond_upgrade(ex, &p->source);
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
        proxied_disclaim(p);
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
        proxied_disclaim(p);
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
    if (status == 101 && !proxy_asks_for(&p->request, &p->answer.fields)) {
        proxied_cut(p);
        proxied_fail(p, TRANSFER_BROKEN, "it switches to a protocol that it was not asked for");
        return;
    }
    if (status != 101 && proxied_asks_again(p))
        return;
    p->begun = true;
    if (status == 101) {
        open_tunnel(p);
        return;
    }
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
    proxied_disclaim(p);
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
        ex->on_request_body = proxied_on_request_body;
    p->copied = true;
    if (p->body_left != 0 && p->transfer != NULL)
        transfer_resume_send(p->transfer);
    send_on(p, status);
    return true;
}

/* Whether the answer waits until the request's body has gone: an engine may give up reading it once
 * the response has begun. */
static bool waits_for_request(const struct proxied *p)
{
    return p->body_left != 0 && p->answer.status < 300;
}

/* Whether it waits until as much of its body has come as is to be buffered, and can be. */
static bool waits_for_more(const struct proxied *p)
{
    return p->answer.status != 101 && (p->buffer == NULL || p->budgeted > 0) &&
           proxied_buffered(p) < p->st->conf->response_buffers;
}

/* libcurl's task, which tells of the end, may come between the first turn and the second. */
static void on_respond_task(struct task *t)
{
    struct proxied *p = container_of(t, struct proxied, respond);

    if (!p->turn_passed && p->transfer != NULL) {
        p->turn_passed = true;
        loop_post(p->st->loop, t);
        return;
    }
    p->held = p->transfer != NULL && !p->paused && (waits_for_request(p) || waits_for_more(p));
    if (!p->held)
        respond(p);
}

void proxied_respond_init(struct proxied *p)
{
    p->respond.run = on_respond_task;
}

void proxied_on_head(struct proxied *p)
{
    p->rule = proxy_answer_find(&p->st->conf->answers, &p->answer);
    loop_post(p->st->loop, &p->respond);
}

void proxied_release(struct proxied *p)
{
    if (p->held)
        loop_post(p->st->loop, &p->respond);
}
