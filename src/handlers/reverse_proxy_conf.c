#include "handlers/reverse_proxy_conf.h"

#include "base/alloc.h"
#include "handlers/rewrite.h"

enum {
    DIAL_TIMEOUT_MS = 3000,
    PROBE_MS = 30 * 1000,
    RANGE_MAX = 256,
    RETRIES_MAX = 1000,
    TRY_INTERVAL_MS = 250,
    TRY_INTERVAL_MIN_MS = 1,
    COUNT_MAX = 1000000,
    BUFFERS_MAX = 64 * 1024 * 1024
};

static struct reverse_proxy_conf *conf_of(const struct directive_args *d)
{
    return d->target;
}

/* ---- upstreams ---- */

static int parse(const struct directive_args *d, struct str text, const struct text *address,
                 struct upstream *u, struct err *e)
{
    const struct upstream_how *how = &conf_of(d)->how;

    return address != NULL ? upstream_parse_later(d->arena, text, address, how, u, e)
                           : upstream_parse(d->arena, text, how, u, e);
}

/* The address, if it has placeholders. -1 after directive_error(). */
static int compile_address(const struct directive_args *d, const struct token *t, struct str text,
                           struct text **address)
{
    struct token rest = *t;
    struct err e;
    int found = upstream_has_placeholders(text, &rest.text, &e);

    *address = NULL;
    if (found == -1)
        return directive_error(d, t, "%s", e.msg);
    if (found == 0)
        return 0;
    *address = arena_alloc(d->arena, sizeof **address);
    return directive_text(d, &rest, *address);
}

static int add_upstream(const struct directive_args *d, const struct token *t, struct str text)
{
    struct reverse_proxy_conf *c = conf_of(d);
    struct text *address;
    struct err e;

    c->upstreams =
        arena_grow(d->arena, c->upstreams, c->n_upstreams, &c->cap, sizeof *c->upstreams);
    if (compile_address(d, t, text, &address) != 0)
        return -1;
    if (parse(d, text, address, &c->upstreams[c->n_upstreams], &e) != 0)
        return directive_error(d, t, "%s", e.msg);
    c->n_upstreams++;
    return 0;
}

static int add_range(const struct directive_args *d, const struct token *t, struct str rest,
                     unsigned first, unsigned last)
{
    if (last < first || last - first >= RANGE_MAX)
        return directive_error(d, t, "a range of ports goes up, and has at most %d of them",
                               RANGE_MAX);
    for (unsigned port = first; port <= last; port++)
        if (add_upstream(d, t, arena_printf(d->arena, STR_FMT "%u", STR_ARG(rest), port)) != 0)
            return -1;
    return 0;
}

static int add_upstreams(const struct directive_args *d)
{
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++) {
        const struct token *t = &d->args[i];
        unsigned first, last;
        struct str rest;

        if ((upstream_has_range(t->text, &rest, &first, &last) ? add_range(d, t, rest, first, last)
                                                               : add_upstream(d, t, t->text)) != 0)
            rc = -1;
    }
    return rc;
}

static int set_dynamic(const struct directive_args *d)
{
    return dynamic_set(d, &conf_of(d)->dynamic);
}

/* ---- balancing ---- */

static int set_policy(const struct directive_args *d)
{
    return balance_set(d, &conf_of(d)->balance);
}

static int set_retries(const struct directive_args *d)
{
    uint64_t n;

    if (directive_uint(d, &d->args[0], RETRIES_MAX, &n) != 0)
        return -1;
    conf_of(d)->retries = (unsigned)n;
    return 0;
}

static int set_try_duration(const struct directive_args *d)
{
    return directive_duration(d, &d->args[0], &conf_of(d)->try_ms);
}

/* An interval of 0 would keep a worker busy for as long as nobody answers. */
static int set_try_interval(const struct directive_args *d)
{
    uint64_t *ms = &conf_of(d)->try_interval_ms;

    if (directive_duration(d, &d->args[0], ms) != 0)
        return -1;
    if (*ms < TRY_INTERVAL_MIN_MS)
        *ms = TRY_INTERVAL_MIN_MS;
    return 0;
}

static int set_retry_match(const struct directive_args *d)
{
    return retry_match_add(d, &conf_of(d)->retry_matches);
}

/* ---- health ---- */

static int set_fail_duration(const struct directive_args *d)
{
    return directive_duration(d, &d->args[0], &conf_of(d)->passive.fail_ms);
}

static int set_count(const struct directive_args *d, unsigned *out)
{
    uint64_t n;

    if (directive_uint(d, &d->args[0], COUNT_MAX, &n) != 0)
        return -1;
    if (n == 0)
        return directive_error(d, &d->args[0], "one at least");
    *out = (unsigned)n;
    return 0;
}

static int set_max_fails(const struct directive_args *d)
{
    return set_count(d, &conf_of(d)->passive.max_fails);
}

static int set_request_count(const struct directive_args *d)
{
    return set_count(d, &conf_of(d)->passive.max_requests);
}

static int set_latency(const struct directive_args *d)
{
    return directive_duration(d, &d->args[0], &conf_of(d)->passive.latency_ms);
}

static int set_unhealthy_status(const struct directive_args *d)
{
    return response_match_add_statuses(d, d->args, d->n_args, &conf_of(d)->unhealthy);
}

static int set_health(const struct directive_args *d)
{
    return health_conf_set(d, &conf_of(d)->health);
}

/* ---- upgrades ---- */

static int set_stream_timeout(const struct directive_args *d)
{
    return directive_duration(d, &d->args[0], &conf_of(d)->stream_timeout_ms);
}

static int set_stream_close_delay(const struct directive_args *d)
{
    conf_of(d)->has_stream_close_delay = true;
    return directive_duration(d, &d->args[0], &conf_of(d)->stream_close_delay_ms);
}

static int set_stream_buffer_size(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    directive_warn(d, &d->node->words[0],
                   "'stream_buffer_size' changes nothing: buffers have one size");
    return 0;
}

/* ---- buffers ---- */

static int set_buffers(const struct directive_args *d, uint64_t *out)
{
    if (directive_size(d, &d->args[0], out) != 0)
        return -1;
    if (*out > BUFFERS_MAX)
        return directive_error(d, &d->args[0], "at most 64MiB: each request has its own");
    return 0;
}

static int set_request_buffers(const struct directive_args *d)
{
    return set_buffers(d, &conf_of(d)->request_buffers);
}

static int set_response_buffers(const struct directive_args *d)
{
    return set_buffers(d, &conf_of(d)->response_buffers);
}

/* ---- the request and the answer ---- */

/* Recipes for WebSocket from other servers have such lines. */
static bool is_of_upgrades(struct str name)
{
    if (str_starts(name, STR_LIT("+")))
        name = str_from(name, 1);
    return str_eq_nocase(name, STR_LIT("Connection")) || str_eq_nocase(name, STR_LIT("Upgrade"));
}

static int add_edit(const struct directive_args *d, struct field_edits *edits)
{
    char sign = d->args[0].text.len == 0 ? '\0' : d->args[0].text.p[0];

    if (edits == &conf_of(d)->up && is_of_upgrades(d->args[0].text)) {
        directive_warn(d, &d->args[0], "leave it out: upgrades are handed on in any case");
        return 0;
    }

    if (sign == '?' || sign == '>')
        return directive_error(d, &d->args[0], "'%c' is for 'header', not for a proxy", sign);
    return field_edit_add(d, d->args, d->n_args, edits);
}

static int set_header_up(const struct directive_args *d)
{
    return add_edit(d, &conf_of(d)->up);
}

static int set_header_down(const struct directive_args *d)
{
    return add_edit(d, &conf_of(d)->down);
}

static int set_method(const struct directive_args *d)
{
    if (str_eq_nocase(d->args[0].text, STR_LIT("CONNECT")))
        return directive_error(d, &d->args[0], "this is a gateway, no tunnel");
    return rewrite_method_set(d, &d->args[0], &conf_of(d)->method);
}

static int set_rewrite(const struct directive_args *d)
{
    if (conf_of(d)->has_rewrite) /* by "uri" of forward_auth */
        return directive_error(d, &d->node->words[0], "the URI was already given");
    conf_of(d)->has_rewrite = true;
    return rewrite_target_set(d, &d->args[0], &conf_of(d)->rewrite);
}

static int add_trusted(const struct directive_args *d)
{
    struct ip_set *trusted = &conf_of(d)->trusted;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++) {
        struct err e;

        if (ip_set_add(trusted, d->arena, d->args[i].text, &e) != 0)
            rc = directive_error(d, &d->args[i], "%s", e.msg);
    }
    ip_set_finish(trusted);
    return rc;
}

/* What comes is sent on at once, which is what any interval asks for at most. */
static int set_flush_interval(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = d->target;
    struct token t = d->args[0];
    uint64_t ms = 1;

    if (str_starts(t.text, STR_LIT("-")))
        t.text = str_from(t.text, 1);
    if (!str_is(d->args[0].text, "-1") && directive_duration(d, &t, &ms) != 0)
        return -1;
    c->prompt = ms > 0;
    return 0;
}

/* ---- what becomes of answers ---- */

static int set_handle_response(const struct directive_args *d)
{
    return proxy_answer_add_handle(d, &conf_of(d)->answers);
}

static int set_replace_status(const struct directive_args *d)
{
    return proxy_answer_add_status(d, &conf_of(d)->answers);
}

/* ---- the block ---- */

const struct directive reverse_proxy_options[] = {
    {.name = "dynamic",
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .set = set_dynamic,
     .help = "dynamic a <name> <port>|srv <name>|multi [{ ... }]: upstreams that DNS names"},
    {.name = "fail_duration",
     .min_args = 1,
     .max_args = 1,
     .set = set_fail_duration,
     .help = "fail_duration <duration>: how long a failure of an upstream is remembered"},
    {.name = "flush_interval",
     .min_args = 1,
     .max_args = 1,
     .set = set_flush_interval,
     .help = "flush_interval <duration>: what has come is sent on at once, also compressed"},
    {.name = "handle_response",
     .max_args = 1,
     .block = true,
     .repeats = true,
     .set = set_handle_response,
     .help = "handle_response [@name] { ... }: directives instead of the answer"},
    {.name = "header_down",
     .min_args = 1,
     .max_args = 3,
     .repeats = true,
     .set = set_header_down,
     .help = "header_down [+|-]<field> [<value>|<find> <replacement>]: fields of the answer"},
    {.name = "header_up",
     .min_args = 1,
     .max_args = 3,
     .repeats = true,
     .set = set_header_up,
     .help = "header_up [+|-]<field> [<value>|<find> <replacement>]: fields of the request"},
    {.name = "health_body",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help =
         "health_body <regular expression>: that the answer of an upstream that is well matches"},
    {.name = "health_fails",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_fails <number>: so many failures in a row, and an upstream is passed over"},
    {.name = "health_follow_redirects",
     .set = set_health,
     .help = "health_follow_redirects: redirects are followed, at the same upstream"},
    {.name = "health_headers",
     .block = true,
     .set = set_health,
     .help = "health_headers { <field> <value>... }: further fields"},
    {.name = "health_interval",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_interval <duration>: between two checks, 30 s"},
    {.name = "health_method",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_method <method>: GET by default"},
    {.name = "health_passes",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_passes <number>: so many successes in a row, and an upstream is well again"},
    {.name = "health_port",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_port <port>: another port for checks"},
    {.name = "health_request_body",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_request_body <text>: sent with each check"},
    {.name = "health_status",
     .min_args = 1,
     .max_args = -1,
     .set = set_health,
     .help = "health_status <status>...: of an upstream that is well, 2xx"},
    {.name = "health_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_timeout <duration>: for an answer, 5 s"},
    {.name = "health_upstream",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_upstream <upstream>: who is asked instead"},
    {.name = "health_uri",
     .min_args = 1,
     .max_args = 1,
     .set = set_health,
     .help = "health_uri <uri>: what upstreams are asked now and then"},
    {.name = "lb_policy",
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .set = set_policy,
     .help = "lb_policy <policy> [...] [{ fallback, max_age }]: which upstream is asked"},
    {.name = "lb_retries",
     .min_args = 1,
     .max_args = 1,
     .set = set_retries,
     .help = "lb_retries <number>: further attempts when an upstream fails"},
    {.name = "lb_retry_match",
     .max_args = -1,
     .block = true,
     .set = set_retry_match,
     .help = "lb_retry_match <matcher>: what may be sent twice",
     .repeats = true},
    {.name = "lb_try_duration",
     .min_args = 1,
     .max_args = 1,
     .set = set_try_duration,
     .help = "lb_try_duration <duration>: how long to try when upstreams fail"},
    {.name = "lb_try_interval",
     .min_args = 1,
     .max_args = 1,
     .set = set_try_interval,
     .help = "lb_try_interval <duration>: between two rounds of attempts, 250 ms"},
    {.name = "max_fails",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_fails,
     .help = "max_fails <number>: so many in fail_duration, and an upstream is passed over"},
    {.name = "method",
     .min_args = 1,
     .max_args = 1,
     .set = set_method,
     .help = "method <method>: of the request to the upstream"},
    {.name = "replace_status",
     .min_args = 1,
     .max_args = 2,
     .repeats = true,
     .set = set_replace_status,
     .help = "replace_status [@name] <status>: another status for the answer"},
    {.name = "request_buffers",
     .min_args = 1,
     .max_args = 1,
     .set = set_request_buffers,
     .help = "request_buffers <size>: of a body that are read before an upstream is asked"},
    {.name = "response_buffers",
     .min_args = 1,
     .max_args = 1,
     .set = set_response_buffers,
     .help = "response_buffers <size>: of an answer that are read before it is sent on"},
    {.name = "rewrite",
     .min_args = 1,
     .max_args = 1,
     .set = set_rewrite,
     .help = "rewrite <path>[?<query>]: the URI of the request to the upstream"},
    {.name = "stream_buffer_size",
     .min_args = 1,
     .max_args = 1,
     .set = set_stream_buffer_size,
     .help = "stream_buffer_size <size>: changes nothing"},
    {.name = "stream_close_delay",
     .min_args = 1,
     .max_args = 1,
     .set = set_stream_close_delay,
     .help = "stream_close_delay <duration>: of upgrades, after a reload; without it they go on"},
    {.name = "stream_timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_stream_timeout,
     .help = "stream_timeout <duration>: upgrades that last longer are closed"},
    {.name = "to",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = add_upstreams,
     .help = "to <upstream>..."},
    {.name = "transport",
     .min_args = 1,
     .max_args = 1,
     .block = true,
     .set = reverse_proxy_set_transport,
     .help = "transport http|fastcgi { ... }: how to speak with upstreams"},
    {.name = "trusted_proxies",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = add_trusted,
     .help = "trusted_proxies <range>|private_ranges...: peers believed about X-Forwarded-*"},
    {.name = "unhealthy_latency",
     .min_args = 1,
     .max_args = 1,
     .set = set_latency,
     .help = "unhealthy_latency <duration>: an answer that takes longer is a failure"},
    {.name = "unhealthy_request_count",
     .min_args = 1,
     .max_args = 1,
     .set = set_request_count,
     .help = "unhealthy_request_count <number>: so many at once, and others are preferred"},
    {.name = "unhealthy_status",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_unhealthy_status,
     .help = "unhealthy_status <status>...: answers that are failures"},
    {0},
};

static const struct refused refused[] = {
    {"buffer_requests", "it is called 'request_buffers' now"},
    {"buffer_responses", "it is called 'response_buffers' now"},
    {"max_buffer_size", "write the size after 'request_buffers' and 'response_buffers'"},
    {"timeout",
     "write 'dial_timeout', 'response_header_timeout', 'read_timeout' or 'write_timeout' in "
     "'transport http'"},
    {"verbose_logs", "use the global option 'debug'"},
    {NULL, NULL},
};

/* What HTTP can and FastCGI cannot. */
static int check_fastcgi(const struct directive_args *d)
{
    const struct reverse_proxy_conf *c = conf_of(d);

    if (c->fastcgi == NULL)
        return 0;
    for (size_t i = 0; i < c->n_upstreams; i++)
        if (c->upstreams[i].secure || c->upstreams[i].http != TRANSFER_HTTP1)
            return directive_error(d, &d->node->words[0], "FastCGI goes over no %s: '%s'",
                                   c->upstreams[i].secure ? "TLS" : "HTTP/2", c->upstreams[i].name);
    return 0;
}

/* Connections of libcurl, which speaks HTTP/2, cannot begin so. */
static int check_http1(const struct directive_args *d, const struct upstream *u)
{
    if (u->http == TRANSFER_HTTP1)
        return 0;
    return directive_error(d, conf_of(d)->how.proxy_protocol_at,
                           "'%s': it goes before HTTP/1.1, not before HTTP/2", u->name);
}

static int check_proxy_protocol(const struct directive_args *d)
{
    const struct reverse_proxy_conf *c = conf_of(d);
    const struct token *at = c->how.proxy_protocol_at;

    if (c->how.proxy_protocol == 0)
        return 0;
    if (c->client == CLIENT_CURL)
        return directive_error(d, at, "it is sent by 'http_client direct' only");
    if (c->how.http2 || c->how.h2c)
        return directive_error(d, at, "it goes before HTTP/1.1, not before HTTP/2");
    for (size_t i = 0; i < c->n_upstreams; i++)
        if (check_http1(d, &c->upstreams[i]) != 0 ||
            (c->health.asked != NULL && check_http1(d, &c->health.asked[i]) != 0))
            return -1;
    return 0;
}

/* libcurl, which speaks TLS and HTTP/2, has the system resolve names; so do those that are here for
 * no name. */
static int check_resolvers(const struct directive_args *d)
{
    const struct reverse_proxy_conf *c = conf_of(d);
    bool direct = c->client == CLIENT_DIRECT;

    for (size_t i = 0; i < c->n_upstreams; i++) {
        const struct upstream *asked =
            c->health.asked != NULL ? &c->health.asked[i] : &c->upstreams[i];

        direct &= !c->upstreams[i].secure && c->upstreams[i].http == TRANSFER_HTTP1 &&
                  !asked->secure && asked->http == TRANSFER_HTTP1;
    }
    if (c->how.servers == NULL || direct)
        return 0;
    return directive_error(d, c->how.servers_at,
                           "with TLS, HTTP/2 or libcurl, 'resolvers' stands in the block of "
                           "'dynamic a NAME PORT', in the place of an upstream");
}

/* Now that the block has said how upstreams are spoken with, whatever stood first. */
static int finish_upstreams(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = conf_of(d);
    struct err e;

    for (size_t i = 0; i < c->n_upstreams; i++) {
        struct upstream *u = &c->upstreams[i];

        if (parse(d, str_of(u->name), u->address, u, &e) != 0)
            return directive_error(d, &d->node->words[0], "%s", e.msg);
    }
    if (health_conf_finish(d, &c->health, c->upstreams, c->n_upstreams) != 0 ||
        check_proxy_protocol(d) != 0 || check_resolvers(d) != 0)
        return -1;
    return check_fastcgi(d);
}

int reverse_proxy_set_with(const struct directive_args *d, const struct directive *options)
{
    const struct directive *const tables[] = {reverse_proxy_options, options, NULL};
    struct directive_args args = *d;
    struct node rest;
    int rc;

    conf_of(d)->dial_timeout_ms = DIAL_TIMEOUT_MS;
    conf_of(d)->how.probe_ms = PROBE_MS;
    conf_of(d)->max_header = UPSTREAM_HEADER_MAX;
    conf_of(d)->try_interval_ms = TRY_INTERVAL_MS;
    conf_of(d)->passive.max_fails = 1;
    conf_of(d)->identity = directive_identity(d);
    health_conf_init(&conf_of(d)->health);
    rc = add_upstreams(d);
    if (proxy_answer_take_matches(d, &conf_of(d)->answers, &rest) != 0)
        rc = -1;
    args.node = &rest;
    if (directive_blocks(&args, tables, refused, d->target) != 0 || rc != 0)
        return -1;
    if (conf_of(d)->n_upstreams > 0 || conf_of(d)->dynamic.n > 0)
        return finish_upstreams(d);
    return directive_error(d, &d->node->words[0],
                           "'" STR_FMT "' needs an upstream: '" STR_FMT " [matcher] HOST:PORT'",
                           STR_ARG(d->node->words[0].text), STR_ARG(d->node->words[0].text));
}

bool reverse_proxy_knows(struct str word)
{
    for (size_t i = 0; reverse_proxy_options[i].name != NULL; i++)
        if (str_is(word, reverse_proxy_options[i].name))
            return true;
    for (size_t i = 0; refused[i].name != NULL; i++)
        if (str_is(word, refused[i].name))
            return true;
    return str_starts(word, STR_LIT("@"));
}

int reverse_proxy_set(const struct directive_args *d)
{
    return reverse_proxy_set_with(d, NULL);
}
