/* A proxied exchange:
 *  1. proxied_begin() sends the request to one upstream; the request's body is pulled by the
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
#include "conf/conf.h"
#include "handlers/forward_auth.h"
#include "handlers/proxied.h"
#include "http/handler.h"
#include "io/direct.h"

#include <stdlib.h>

enum { BUDGET = 0 }; /* the number, among what workers share, of the one that all proxies have */

static void on_end(void *arg)
{
    struct proxied *p = arg;

    proxied_fini(p);
}

static enum verdict reverse_proxy_handle(const void *conf, struct exchange *ex)
{
    struct proxy_state *st = ex->handler_state;
    struct proxied *p = arena_alloc(ex->arena, sizeof *p);
    int status = proxy_request_make(ex, conf, &p->request);

    if (ex->answer != NULL) /* of another proxy, that let the request go on */
        proxied_disclaim(container_of(ex->answer, struct proxied, answer));
    ex->answer = NULL;
    p->ex = ex;
    p->st = st;
    if (status == 0 && st->conf->fastcgi != NULL)
        status = proxied_find_script(p);
    if (status != 0) {
        exchange_respond_error(ex, status);
        return TAKEN;
    }
    proxied_relay_init(p);
    proxied_respond_init(p);
    p->body_left = p->request.body_len;
    ex->handler_data = p;
    if (p->body_left != 0)
        ex->on_request_body = proxied_on_request_body;
    exchange_defer(ex, on_end, p);
    proxied_begin(p);
    return TAKEN;
}

/* Of what all workers together may have: one at least. */
static unsigned share(unsigned all, unsigned n_workers)
{
    return n_workers == 0 ? all : (all + n_workers - 1) / n_workers;
}

static struct transport *transport_for_checks(const struct proxy_state *st)
{
    if (st->conf->fastcgi != NULL)
        return st->plain;
    return st->conf->how.proxy_protocol != 0 || st->conf->how.servers != NULL ? st->tunnel
                                                                              : st->secure;
}

static int reverse_proxy_start(const void *conf, const struct worker_env *env, void **state,
                               struct err *e)
{
    const struct reverse_proxy_conf *c = conf;
    struct proxy_state *st = xalloc(sizeof *st);

    (void)e;
    st->conf = c;
    st->loop = env->loop;
    st->secure = fetcher_transport(env->fetcher);
    st->tunnel = env->direct != NULL ? direct_transport(env->direct) : st->secure;
    st->plain = c->client == CLIENT_DIRECT ? st->tunnel : st->secure;
    if (c->fastcgi != NULL && env->direct != NULL)
        st->plain = direct_fastcgi(env->direct);
    st->idle = (struct transfer_idle){.max_each = share(c->how.idle.max_each, env->n_workers),
                                      .max = share(c->how.idle.max, env->n_workers),
                                      .group = c->identity};
    st->shared = env->shared;
    st->upstreams = shared_get(st->shared, c->identity, &upstream_states_type,
                               &(struct upstream_states_arg){c->n_upstreams, &c->passive});
    st->budget = shared_get(st->shared, BUDGET, &budget_type, NULL);
    st->budget_max = env->conf->options.proxy_buffers;
    st->list = upstream_list_new(c->upstreams, c->n_upstreams, st->upstreams);
    if (c->dynamic.n > 0)
        st->dynamic = dynamic_new(&(struct dynamic_params){&c->dynamic, &c->how, st->upstreams,
                                                           st->loop, env->names, env->home});
    st->balance = balance_state_new(c->dynamic.n > 0 ? DYNAMIC_UPSTREAMS_MAX : c->n_upstreams);
    list_init(&st->streams);
    if (env->worker == 0)
        st->health =
            health_start(&(struct health_params){&c->health, c->upstreams, st->upstreams, st->loop,
                                                 transport_for_checks(st), c->fastcgi});
    *state = st;
    return 0;
}

static void reverse_proxy_stop(void *state)
{
    struct proxy_state *st = state;

    health_stop(st->health);
    relay_pool_fini(&st->buffers);
    dynamic_free(st->dynamic);
    upstream_list_unref(st->list);
    shared_put(st->shared, st->conf->identity, &upstream_states_type);
    shared_put(st->shared, BUDGET, &budget_type);
    balance_state_free(st->balance);
    free(st);
}

static void reverse_proxy_retire(void *state)
{
    struct proxy_state *st = state;

    health_stop(st->health);
    st->health = NULL;
    st->retired = true;
    for (struct list *at = st->streams.next; at != &st->streams; at = at->next)
        proxied_retire(container_of(at, struct proxied, streams));
}

static const struct handler_type forward_auth_type = {.name = "forward_auth",
                                                      .start = reverse_proxy_start,
                                                      .retire = reverse_proxy_retire,
                                                      .stop = reverse_proxy_stop,
                                                      .handle = reverse_proxy_handle};
static const struct handler_type reverse_proxy_type = {.name = "reverse_proxy",
                                                       .start = reverse_proxy_start,
                                                       .retire = reverse_proxy_retire,
                                                       .stop = reverse_proxy_stop,
                                                       .handle = reverse_proxy_handle};

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
