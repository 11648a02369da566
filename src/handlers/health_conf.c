/* "health_*": the options of active checks. */
#include "handlers/health.h"

#include "base/alloc.h"

enum { INTERVAL_MS = 30000, INTERVAL_MIN_MS = 10, TIMEOUT_MS = 5000, TIMES_MAX = 1000 };

void health_conf_init(struct health_conf *c)
{
    c->method = "GET";
    c->interval_ms = INTERVAL_MS;
    c->timeout_ms = TIMEOUT_MS;
    c->passes = c->fails = 1;
}

/* ---- options ---- */

static int set_uri(const struct directive_args *d, struct health_conf *c)
{
    struct str uri = d->args[0].text;

    if (uri.len == 0 || uri.p[0] != '/')
        return directive_error(d, &d->args[0], "the URI of a check begins with '/'");
    for (size_t i = 0; i < uri.len; i++)
        if (uri.p[i] <= ' ' || uri.p[i] == '#' || uri.p[i] == '\x7f')
            return directive_error(d, &d->args[0], "a URI has no spaces and no '#'");
    c->target = directive_cstr(d, &d->args[0]);
    return 0;
}

static int set_upstream(const struct directive_args *d, struct health_conf *c)
{
    c->upstream = directive_str(d, &d->args[0]);
    return 0;
}

static int set_port(const struct directive_args *d, struct health_conf *c)
{
    uint64_t port;

    if (directive_uint(d, &d->args[0], UINT16_MAX, &port) != 0)
        return -1;
    if (port == 0)
        return directive_error(d, &d->args[0], "0 is no port");
    c->port = (unsigned)port;
    return 0;
}

static int set_time(const struct directive_args *d, uint64_t least_ms, uint64_t *ms)
{
    if (directive_duration(d, &d->args[0], ms) != 0)
        return -1;
    if (*ms >= least_ms && *ms <= INT32_MAX)
        return 0;
    return directive_error(d, &d->args[0], "from %u ms to 24 days", (unsigned)least_ms);
}

static int set_interval(const struct directive_args *d, struct health_conf *c)
{
    return set_time(d, INTERVAL_MIN_MS, &c->interval_ms);
}

static int set_timeout(const struct directive_args *d, struct health_conf *c)
{
    return set_time(d, 1, &c->timeout_ms);
}

static int set_times(const struct directive_args *d, unsigned *out)
{
    uint64_t n;

    if (directive_uint(d, &d->args[0], TIMES_MAX, &n) != 0)
        return -1;
    if (n == 0)
        return directive_error(d, &d->args[0], "once at least");
    *out = (unsigned)n;
    return 0;
}

static int set_passes(const struct directive_args *d, struct health_conf *c)
{
    return set_times(d, &c->passes);
}

static int set_fails(const struct directive_args *d, struct health_conf *c)
{
    return set_times(d, &c->fails);
}

static int set_method(const struct directive_args *d, struct health_conf *c)
{
    if (!str_is_token(d->args[0].text) || str_is(d->args[0].text, "CONNECT"))
        return directive_error(d, &d->args[0], "'" STR_FMT "' is no method for a check",
                               STR_ARG(d->args[0].text));
    c->method = directive_cstr(d, &d->args[0]);
    return 0;
}

static int set_status(const struct directive_args *d, struct health_conf *c)
{
    return response_match_add_statuses(d, d->args, d->n_args, &c->status);
}

static int set_body(const struct directive_args *d, struct health_conf *c)
{
    c->body = directive_regex(d, &d->args[0]);
    return c->body == NULL ? -1 : 0;
}

static int set_request_body(const struct directive_args *d, struct health_conf *c)
{
    c->request_body = directive_str(d, &d->args[0]);
    return 0;
}

static int set_follow(const struct directive_args *d, struct health_conf *c)
{
    (void)d;
    c->follow_redirects = true;
    return 0;
}

static bool is_value(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (((unsigned char)s.p[i] < ' ' && s.p[i] != '\t') || s.p[i] == '\x7f')
            return false;
    return true;
}

/* The framing is the transport's. */
static bool is_framing(struct str name)
{
    static const char *const names[] = {
        "Content-Length", "Transfer-Encoding", "Connection", "Upgrade", "Expect", "TE"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

static int add_field(const struct directive_args *d, struct health_conf *c, const struct node *line)
{
    struct str name = line->words[0].text;

    if (str_ends(name, STR_LIT(":")))
        name.len--;
    if (line->has_block || line->n_words < 2)
        return directive_error(d, &line->words[0], "a field and its values stand here");
    if (!str_is_token(name) || is_framing(name))
        return directive_error(d, &line->words[0], "'" STR_FMT "' cannot be set here",
                               STR_ARG(name));
    c->has_host |= str_eq_nocase(name, STR_LIT("Host"));
    for (size_t i = 1; i < line->n_words; i++) {
        if (!is_value(line->words[i].text))
            return directive_error(d, &line->words[i], "a value has no control bytes");
        c->lines = arena_grow(d->arena, c->lines, c->n_lines, &c->cap_lines, sizeof *c->lines);
        c->lines[c->n_lines++] = arena_printf(d->arena, STR_FMT ": " STR_FMT, STR_ARG(name),
                                              STR_ARG(line->words[i].text))
                                     .p;
    }
    return 0;
}

static int set_headers(const struct directive_args *d, struct health_conf *c)
{
    int rc = 0;

    for (size_t i = 0; i < d->node->n_children; i++)
        if (add_field(d, c, &d->node->children[i]) != 0)
            rc = -1;
    return rc;
}

/* ---- all ---- */

int health_conf_set(const struct directive_args *d, struct health_conf *c)
{
    static const struct {
        const char *name;
        int (*set)(const struct directive_args *d, struct health_conf *c);
    } options[] = {
        {"health_body", set_body},
        {"health_fails", set_fails},
        {"health_follow_redirects", set_follow},
        {"health_headers", set_headers},
        {"health_interval", set_interval},
        {"health_method", set_method},
        {"health_passes", set_passes},
        {"health_port", set_port},
        {"health_request_body", set_request_body},
        {"health_status", set_status},
        {"health_timeout", set_timeout},
        {"health_upstream", set_upstream},
        {"health_uri", set_uri},
    };

    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (str_is(d->node->words[0].text, options[i].name))
            return options[i].set(d, c);
    return -1; /* a row without its option: a test of the manual finds it */
}

/* ---- after the block ---- */

static const char *scheme_of(const struct upstream *u)
{
    if (u->http == TRANSFER_H2C)
        return "h2c://";
    return u->secure ? "https://" : u->how->tls ? "" : "http://";
}

/* The same host at another port. */
static int at_port(const struct directive_args *d, const struct upstream *u, unsigned port,
                   struct upstream *out)
{
    struct err e;

    if (u->unix_socket != NULL)
        return directive_error(d, &d->node->words[0], "'health_port': %s has no ports", u->name);
    if (upstream_parse(
            d->arena,
            arena_printf(d->arena, "%s" STR_FMT ":%u", scheme_of(u), STR_ARG(u->names.host), port),
            u->how, out, &e) == 0)
        return 0;
    return directive_error(d, &d->node->words[0], "'health_port': %s", e.msg);
}

int health_conf_finish(const struct directive_args *d, struct health_conf *c,
                       const struct upstream *upstreams, size_t n)
{
    struct upstream *asked;
    struct err e;

    if (c->target == NULL && c->port == 0 && c->upstream.len == 0)
        return 0;
    if (c->target == NULL)
        c->target = "/";
    if (c->request_body.len > 0 && strcmp(c->method, "GET") == 0)
        c->method = "POST";
    asked = arena_alloc(d->arena, n * sizeof *asked);
    for (size_t i = 0; i < n; i++) {
        asked[i] = upstreams[i];
        if (upstreams[i].address != NULL && c->upstream.len == 0)
            return directive_error(d, &d->node->words[0],
                                   "'%s' is another for each request: say by 'health_upstream' who "
                                   "is asked whether it is well",
                                   upstreams[i].name);
        if (c->upstream.len > 0 &&
            upstream_parse(d->arena, c->upstream, upstreams[i].how, &asked[i], &e) != 0)
            return directive_error(d, &d->node->words[0], "'health_upstream': %s", e.msg);
        if (c->upstream.len == 0 && c->port > 0 &&
            at_port(d, &upstreams[i], c->port, &asked[i]) != 0)
            return -1;
    }
    c->asked = asked;
    return 0;
}
