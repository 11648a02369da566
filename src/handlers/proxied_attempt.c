#include "handlers/proxied.h"

#include "base/log.h"
#include "base/random.h"

enum {
    MAX_HEAD = 16 * 1024, /* of a response: more the HTTP/1 engine cannot send */
    COMPLAINTS_MAX = 8,   /* lines in the log about one upstream's failures... */
    COMPLAINTS_MS = 1000  /* ...in this time, a worker */
};

static const struct upstream *upstream_of(const struct proxied *p)
{
    return &p->st->conf->upstreams[p->upstream];
}

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

/* ---- asking ---- */

static bool start_transfer(struct proxied *p)
{
    const struct reverse_proxy_conf *c = p->st->conf;
    const struct upstream *u = upstream_of(p);
    struct exchange *ex = p->ex;
    struct transfer_spec spec = {
        .events = &proxied_events,
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

void proxied_begin(struct proxied *p)
{
    p->upstream = first_upstream(p->st);
    if (!start_transfer(p))
        exchange_respond_error(p->ex, 502);
}

/* ---- failure ---- */

static int status_of(enum transfer_result result)
{
    return result == TRANSFER_TIMEOUT || result == TRANSFER_CONNECT_TIMEOUT ? 504 : 502;
}

void proxied_fail(struct proxied *p, enum transfer_result result, const char *why)
{
    bool unsent = result == TRANSFER_CONNECT || result == TRANSFER_CONNECT_TIMEOUT;

    if (exchange_body_error(p->ex, 0) == 0)
        complain(p, why);
    p->at_end = PULL_FAIL;
    if (p->ex->responded || p->begun) {
        proxied_wake(p);
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
