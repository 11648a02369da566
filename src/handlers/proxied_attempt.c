#include "handlers/proxied.h"

#include "base/alloc.h"
#include "base/log.h"
#include "handlers/proxy_preamble.h"
#include "http/match.h"
#include "http/route.h"

#include <limits.h>

enum {
    KEPT_MAX = 64 * 1024,         /* of a request's body, for another attempt */
    LENGTHLESS_MAX = 1024 * 1024, /* of one whose length must be known, but is not */
    COMPLAINTS_MAX = 8,           /* lines in the log about one upstream's failures... */
    COMPLAINTS_MS = 1000          /* ...in this time, a worker */
};

static const struct upstream *upstream_of(const struct proxied *p)
{
    return &p->list->upstreams[p->upstream];
}

static struct upstream_state *state_of(const struct proxied *p)
{
    return p->list->states[p->upstream];
}

static void complain(struct proxied *p, const char *why)
{
    struct complaints *c = &p->list->complaints[p->upstream];
    uint64_t now = loop_now_ms(p->st->loop);

    if (now - c->window_ms >= COMPLAINTS_MS) {
        if (c->failures > COMPLAINTS_MAX)
            log_warn("proxy", "upstream %s: %u more failures", upstream_of(p)->name,
                     c->failures - COMPLAINTS_MAX);
        c->window_ms = now;
        c->failures = 0;
    }
    if (c->failures++ < COMPLAINTS_MAX)
        log_warn("proxy", "upstream %s: %s (" STR_FMT " " STR_FMT STR_FMT ")", upstream_of(p)->name,
                 why, STR_ARG(p->ex->method), STR_ARG(p->ex->authority), STR_ARG(p->ex->raw_path));
}

/* ---- the state that all workers see ---- */

static bool count(struct proxied *p)
{
    p->counted = upstream_state_begin(p->st->upstreams, state_of(p));
    return p->counted;
}

void proxied_ended(struct proxied *p)
{
    if (p->counted)
        upstream_state_ended(state_of(p));
    p->counted = false;
}

/* Where clients have a say in who is asked, one of them could have all others refused; and so it
 * could by a body of which it sends nothing until upstreams lose patience (p->starved). */
static void note_failure(struct proxied *p)
{
    const struct text *address = upstream_of(p)->address;

    if (address != NULL && !address->constant)
        return;
    upstream_state_failed(p->st->upstreams, state_of(p), loop_now_ms(p->st->loop));
}

void proxied_answered(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;
    uint64_t took = loop_now_ms(p->st->loop) - p->since_ms;

    if ((c->passive.latency_ms > 0 && took >= c->passive.latency_ms) ||
        (c->unhealthy.n_statuses > 0 &&
         response_match(&c->unhealthy, p->answer.status, &p->answer.fields)))
        note_failure(p);
}

/* ---- choosing ---- */

/* RFC 2782: those with a larger number wait until none of the others is left. */
static void keep_first(struct candidate *list, size_t n)
{
    unsigned lowest = UINT_MAX;

    for (size_t i = 0; i < n; i++)
        if (list[i].usable && list[i].upstream->priority < lowest)
            lowest = list[i].upstream->priority;
    for (size_t i = 0; i < n; i++)
        list[i].usable &= list[i].upstream->priority == lowest;
}

static int choose(struct proxied *p)
{
    const struct upstream_states *all = p->st->upstreams;
    const struct upstream_list *l = p->list;
    uint64_t now = loop_now_ms(p->st->loop);

    for (size_t i = 0; i < l->n; i++)
        p->candidates[i] =
            (struct candidate){&l->upstreams[i], l->states[i],
                               !p->tried[i] && upstream_state_is_up(all, l->states[i], now)};
    if (l->n == 0)
        return BALANCE_NONE;
    if (p->st->dynamic != NULL)
        keep_first(p->candidates, l->n);
    return balance_choose(&p->st->conf->balance, p->st->balance, p->ex, p->candidates, l->n,
                          &p->cookie);
}

/* ---- asking ---- */

static bool resolve(struct proxied *p)
{
    const struct upstream *u = upstream_of(p);
    struct err e;

    if (!upstream_varies(u)) {
        p->resolved = *u;
        return true;
    }
    if (upstream_resolve(u, p->ex, &p->resolved, &e) == 0)
        return true;
    proxied_ended(p);
    complain(p, e.msg);
    return false;
}

static struct transport *transport_for(const struct proxied *p, const struct transfer_spec *spec)
{
    if (spec->upgrade || spec->preamble.len > 0)
        return p->st->tunnel;
    return p->resolved.secure || spec->http != TRANSFER_HTTP1 ? p->st->secure : p->st->plain;
}

static bool start_transfer(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;
    const struct upstream *u = &p->resolved;
    struct exchange *ex = p->ex;
    struct transfer_spec spec = {
        .events = &proxied_events,
        .arg = p,
        .method = p->request.method.p,
        .target = p->request.target,
        .body_len = p->request.body_len,
        .connect_timeout_ms = c->dial_timeout_ms,
        .head_timeout_ms = c->response_header_timeout_ms,
        .read_timeout_ms = c->read_timeout_ms,
        .write_timeout_ms = c->write_timeout_ms,
        .max_head = c->max_header,
        .upgrade = proxy_hands_on_upgrade(c, &p->request, u),
    };
    struct err e;

    upstream_spec(u, &spec);
    spec.idle = p->st->idle;
    spec.preamble = proxy_preamble_of(ex, c->how.proxy_protocol);
    ex->upstream = &u->names;
    if (proxy_hands_on_expect(ex, c, &p->request))
        spec.expect_timeout_ms = c->expect_timeout_ms;
    if (c->fastcgi != NULL)
        proxied_ask_fastcgi(p, &spec);
    else
        spec.fields = proxy_request_lines(ex, c, &p->request, u);
    kept_body_rewind(&p->kept);
    p->body_left = p->request.body_len;
    p->since_ms = loop_now_ms(p->st->loop);
    p->starved = false;
    p->transfer = transfer_start(transport_for(p, &spec), &spec, &e);
    if (p->transfer != NULL)
        return true;
    proxied_ended(p);
    complain(p, e.msg);
    return false;
}

static void respond_failure(struct proxied *p)
{
    struct exchange *ex = p->ex;

    loop_unpost(p->st->loop, &p->respond);
    if (p->failure == 503)
        fields_set(&ex->response, ex->arena, STR_LIT("Retry-After"), STR_LIT("1"));
    route_fail(ex, exchange_body_error(ex, p->failure), p->why);
}

static void failed(struct proxied *p, int status, const char *why)
{
    p->failure = status;
    p->why = arena_str(p->ex->arena, str_of(why));
}

/* Whether all upstreams may be tried once more. */
static bool has_more_rounds(const struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;

    if (c->retries == 0 && c->try_ms == 0)
        return false;
    return (c->retries == 0 || p->attempts <= c->retries) &&
           (c->try_ms == 0 || loop_now_ms(p->st->loop) < p->due_ms);
}

static void next_round(struct proxied *p)
{
    memset(p->tried, 0, p->list->n * sizeof *p->tried);
    p->round_began = p->attempts;
    timer_set(p->st->loop, &p->again, p->st->conf->try_interval_ms);
}

/* The next upstream that was not asked yet; when there are no more, another round or the end. */
static void attempt(struct proxied *p)
{
    int chosen = choose(p);

    if (chosen == BALANCE_NONE) {
        if (p->failure == 0)
            failed(p, 503, "no upstream is available");
        if (p->attempts == p->round_began) /* a round in which there was nobody to ask */
            p->attempts++;
        if (has_more_rounds(p))
            next_round(p);
        else
            respond_failure(p);
        return;
    }
    p->upstream = (size_t)chosen;
    p->tried[chosen] = true;
    if (!count(p)) {
        failed(p, 503, "the upstream has as many connections as it may have");
        attempt(p);
        return;
    }
    p->attempts++;
    if (resolve(p) && start_transfer(p))
        return;
    failed(p, 502, "the upstream cannot be asked");
    attempt(p); /* as deep as there are upstreams at most */
}

/* Who was asked last is told of, in an error page or the log, when its list may have gone. */
static void keep_names(struct proxied *p)
{
    struct upstream_names *n = &p->resolved.names;
    struct arena *a = p->ex->arena;

    if (p->list == NULL || p->ex->upstream != n)
        return;
    n->hostport = arena_str(a, n->hostport);
    n->host = arena_str(a, n->host);
    n->port = arena_str(a, n->port);
    n->address = arena_str(a, n->address);
}

/* Takes over the reference. What the configuration names is for when DNS names nothing. */
static void take_list(struct proxied *p, struct upstream_list *l)
{
    struct upstream_list *named = p->st->list;

    if (l->n == 0 && named->n > 0) {
        upstream_list_unref(l);
        l = named;
        l->refs++;
    }
    keep_names(p);
    upstream_list_unref(p->list);
    p->list = l;
    p->candidates = arena_alloc(p->ex->arena, (l->n + 1) * sizeof *p->candidates);
    p->tried = arena_alloc(p->ex->arena, (l->n + 1) * sizeof *p->tried);
}

/* DNS may have told others meanwhile. */
static void follow_list(struct proxied *p)
{
    struct upstream_list *l = p->st->dynamic == NULL ? NULL : dynamic_get(p->st->dynamic, NULL);

    if (l != NULL && l != p->list && (l->n > 0 || p->list != p->st->list))
        take_list(p, l);
    else
        upstream_list_unref(l);
}

static void on_again(struct timer *t)
{
    struct proxied *p = container_of(t, struct proxied, again);

    follow_list(p);
    if (p->kept.lost && p->request.body_len != 0)
        respond_failure(p);
    else
        attempt(p);
}

/* ---- the beginning ---- */

static bool may_ask_again(const struct reverse_proxy_conf *c)
{
    return c->n_upstreams > 1 || c->dynamic.n > 0 || c->retries > 0 || c->try_ms > 0;
}

static void init(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;

    p->again.on_timer = on_again;
    p->due_ms = loop_now_ms(p->st->loop) + c->try_ms;
    p->kept.budget = p->st->budget;
    p->kept.budget_max = p->st->budget_max;
    p->kept.max = may_ask_again(c) ? KEPT_MAX : 0;
    if (c->request_buffers > p->kept.max)
        p->kept.max = c->request_buffers;
    if (proxied_needs_length(p) && c->request_buffers == 0)
        p->kept.max = LENGTHLESS_MAX;
}

/* A body that is there as a whole is sent with its length. */
void proxied_buffer(struct proxied *p)
{
    switch (kept_body_fill(&p->kept, p->ex)) {
    case PULL_AGAIN:
        return;
    case PULL_FAIL:
        p->buffering = false;
        if (p->kept.lost) {
            failed(p, 503, "no memory is left for the request's body: proxy_buffers");
            respond_failure(p);
            return;
        }
        exchange_respond_error(p->ex, exchange_body_error(p->ex, 400));
        return;
    case PULL_END:
        p->request.body_len = (int64_t)p->kept.len;
        break;
    case PULL_BYTES:
        if (!proxied_needs_length(p))
            break;
        p->buffering = false;
        exchange_respond_error(p->ex, 411);
        return;
    }
    p->buffering = false;
    attempt(p);
}

static void on_list(struct dynamic_wait *w, struct upstream_list *l)
{
    struct proxied *p = container_of(w, struct proxied, wait);

    take_list(p, l);
    init(p);
    p->buffering =
        (p->st->conf->request_buffers > 0 && p->request.body_len != 0) || proxied_needs_length(p);
    if (p->buffering)
        proxied_buffer(p);
    else
        attempt(p);
}

void proxied_begin(struct proxied *p)
{
    struct upstream_list *l = p->st->list;

    dynamic_wait_init(&p->wait, on_list);
    if (p->st->dynamic != NULL)
        l = dynamic_get(p->st->dynamic, &p->wait);
    else
        l->refs++;
    if (l != NULL)
        on_list(&p->wait, l);
}

/* ---- failure ---- */

static int status_of(enum transfer_result result)
{
    if (result == TRANSFER_OVERLOADED || result == TRANSFER_EXHAUSTED)
        return 503;
    return result == TRANSFER_TIMEOUT || result == TRANSFER_CONNECT_TIMEOUT ? 504 : 502;
}

/* All of the request is there for another upstream. */
static bool can_repeat(const struct proxied *p)
{
    return !p->body_broken && (!p->kept.lost || p->request.body_len == 0);
}

/* What an upstream may have acted upon is repeated only where more attempts were asked for, and
 * only if it does no harm: by its method, or because the configuration says so. */
static bool may_repeat(struct proxied *p, enum transfer_result result)
{
    if (!can_repeat(p))
        return false;
    if (result == TRANSFER_CONNECT || result == TRANSFER_CONNECT_TIMEOUT ||
        result == TRANSFER_OVERLOADED || result == TRANSFER_EXHAUSTED)
        return true;
    return has_more_rounds(p) &&
           retry_match_failure(&p->st->conf->retry_matches, p->ex, p->request.method);
}

/* Of the attempt at work. */
static void drop_answer(struct proxied *p)
{
    p->ex->answer = NULL;
    p->rule = NULL;
    p->answer = (struct upstream_answer){0};
    p->trailer.n = p->interim.n = 0;
    proxied_forget(p);
}

bool proxied_asks_again(struct proxied *p)
{
    const int status = p->answer.status;

    if (!has_more_rounds(p) || !can_repeat(p) || exchange_body_error(p->ex, 0) != 0 ||
        !retry_match_answer(&p->st->conf->retry_matches, p->ex))
        return false;
    proxied_cut(p);
    drop_answer(p);
    failed(p, status < 400 ? 502 : status, "lb_retry_match wants another answer");
    attempt(p);
    return true;
}

void proxied_fail(struct proxied *p, enum transfer_result result, const char *why)
{
    struct exchange *ex = p->ex;

    if (exchange_body_error(ex, 0) == 0) {
        complain(p, why);
        if (result != TRANSFER_EXHAUSTED && !p->body_broken && !p->starved)
            note_failure(p);
    }
    p->at_end = PULL_FAIL;
    if (ex->responded || p->begun) {
        proxied_wake(p);
        return;
    }
    drop_answer(p);
    failed(p, status_of(result), why);
    if (exchange_body_error(ex, 0) == 0 && may_repeat(p, result))
        attempt(p);
    else
        respond_failure(p);
}
