#include "handlers/reverse_proxy_conf.h"

#include "base/alloc.h"
#include "handlers/rewrite.h"

enum { DIAL_TIMEOUT_MS = 3000, RANGE_MAX = 256 };

static struct reverse_proxy_conf *conf_of(const struct directive_args *d)
{
    return d->target;
}

/* ---- upstreams ---- */

static int add_upstream(const struct directive_args *d, const struct token *t, struct str text)
{
    struct reverse_proxy_conf *c = conf_of(d);
    struct err e;

    c->upstreams =
        arena_grow(d->arena, c->upstreams, c->n_upstreams, &c->cap, sizeof *c->upstreams);
    if (upstream_parse(d->arena, text, &c->upstreams[c->n_upstreams], &e) != 0)
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

static int set_policy(const struct directive_args *d)
{
    static const char *const names[] = {
        [POLICY_TURNS] = "round_robin", [POLICY_FIRST] = "first", [POLICY_RANDOM] = "random", NULL};
    static const char *const later[] = {
        "client_ip_hash", "cookie",        "header", "ip_hash",  "least_conn",
        "query",          "random_choose", "uri",    "uri_hash", "weighted_round_robin"};
    const struct token *t = &d->args[0];

    for (size_t i = 0; i < ARRAY_LEN(later); i++)
        if (str_is(t->text, later[i]))
            return directive_error(d, t, "the policy '%s' is not supported yet", later[i]);
    for (size_t i = 0; names[i] != NULL; i++) {
        if (!str_is(t->text, names[i]))
            continue;
        conf_of(d)->policy = (enum proxy_policy)i;
        return d->n_args == 1 ? 0
                              : directive_error(d, &d->args[1], "nothing follows '%s'", names[i]);
    }
    return directive_unknown(d, t, "policy", names);
}

/* ---- the request and the answer ---- */

static int add_edit(const struct directive_args *d, struct field_edits *edits)
{
    char sign = d->args[0].text.len == 0 ? '\0' : d->args[0].text.p[0];

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
    struct token t = d->args[0];
    uint64_t ms;

    if (str_is(t.text, "-1"))
        return 0;
    if (str_starts(t.text, STR_LIT("-")))
        t.text = str_from(t.text, 1);
    return directive_duration(d, &t, &ms);
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

/* Takes the response matchers out of the block: *rest has the options. */
static int take_matches(const struct directive_args *d, struct node *rest)
{
    struct node *others = arena_alloc(d->arena, (d->node->n_children + 1) * sizeof *others);
    int rc = 0;

    *rest = *d->node;
    rest->children = others;
    rest->n_children = 0;
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (!proxy_answer_is_match(line))
            others[rest->n_children++] = *line;
        else if (proxy_answer_add_match(d, line, &conf_of(d)->answers) != 0)
            rc = -1;
    }
    return rc;
}

/* ---- the block ---- */

const struct directive reverse_proxy_options[] = {
    {.name = "flush_interval",
     .min_args = 1,
     .max_args = 1,
     .set = set_flush_interval,
     .help = "flush_interval <duration>: answers are sent on as they come in any case"},
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
    {.name = "lb_policy",
     .min_args = 1,
     .max_args = -1,
     .set = set_policy,
     .help = "lb_policy first|random|round_robin: the upstream to ask first"},
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
    {.name = "rewrite",
     .min_args = 1,
     .max_args = 1,
     .set = set_rewrite,
     .help = "rewrite <path>[?<query>]: the URI of the request to the upstream"},
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
     .help = "transport http { ... }: how to speak with upstreams"},
    {.name = "trusted_proxies",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = add_trusted,
     .help = "trusted_proxies <range>|private_ranges...: peers believed about X-Forwarded-*"},
    {0},
};

#define STREAMED "bodies are streamed, with as much in memory as it takes"
#define NO_UPGRADE "leave it out: attempts to upgrade the protocol are not handed on"

static const struct refused refused[] = {
    {"buffer_requests", STREAMED},
    {"buffer_responses", STREAMED},
    {"dynamic", NULL},
    {"fail_duration", NULL},
    {"health_body", NULL},
    {"health_fails", NULL},
    {"health_follow_redirects", NULL},
    {"health_headers", NULL},
    {"health_interval", NULL},
    {"health_method", NULL},
    {"health_passes", NULL},
    {"health_port", NULL},
    {"health_request_body", NULL},
    {"health_status", NULL},
    {"health_timeout", NULL},
    {"health_upstream", NULL},
    {"health_uri", NULL},
    {"lb_retries", NULL},
    {"lb_retry_match", NULL},
    {"lb_try_duration", NULL},
    {"lb_try_interval", NULL},
    {"max_buffer_size", STREAMED},
    {"max_fails", NULL},
    {"request_buffers", STREAMED},
    {"response_buffers", STREAMED},
    {"stream_buffer_size", NO_UPGRADE},
    {"stream_close_delay", NO_UPGRADE},
    {"stream_timeout", NO_UPGRADE},
    {"unhealthy_latency", NULL},
    {"unhealthy_request_count", NULL},
    {"unhealthy_status", NULL},
    {"verbose_logs", "use the global option 'debug'"},
    {NULL, NULL},
};

int reverse_proxy_set_with(const struct directive_args *d, const struct directive *options)
{
    const struct directive *const tables[] = {reverse_proxy_options, options, NULL};
    struct directive_args args = *d;
    struct node rest;
    int rc;

    conf_of(d)->dial_timeout_ms = DIAL_TIMEOUT_MS;
    rc = add_upstreams(d);
    if (take_matches(d, &rest) != 0)
        rc = -1;
    args.node = &rest;
    if (directive_blocks(&args, tables, refused, d->target) != 0 || rc != 0)
        return -1;
    if (conf_of(d)->n_upstreams > 0)
        return 0;
    return directive_error(d, &d->node->words[0],
                           "'" STR_FMT "' needs an upstream: '" STR_FMT " [matcher] HOST:PORT'",
                           STR_ARG(d->node->words[0].text), STR_ARG(d->node->words[0].text));
}

int reverse_proxy_set(const struct directive_args *d)
{
    return reverse_proxy_set_with(d, NULL);
}
