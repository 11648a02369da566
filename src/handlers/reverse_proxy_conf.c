#include "handlers/reverse_proxy_conf.h"

#include "base/alloc.h"

enum { DIAL_TIMEOUT_MS = 3000 };

/* ---- upstream addresses ---- */

static bool is_host(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '.' && c != '_')
            return false;
    }
    return s.len > 0;
}

static bool is_ipv6(struct str s)
{
    if (s.len < 4 || s.p[0] != '[' || s.p[s.len - 1] != ']')
        return false;
    for (size_t i = 1; i < s.len - 1; i++)
        if (strchr("0123456789abcdef:.", ascii_lower(s.p[i])) == NULL)
            return false;
    return true;
}

/* "host:port" to its parts; port is 0 if there is none. */
static int split_hostport(struct str text, struct str *host, uint64_t *port, struct err *e)
{
    size_t bracket = text.len > 0 && text.p[0] == '[' ? str_chr(text, ']') : 0;
    size_t colon = bracket + str_chr(str_from(text, bracket), ':');

    *host = (struct str){text.p, colon};
    *port = 0;
    if (colon < text.len &&
        (!str_to_uint(str_from(text, colon + 1), UINT16_MAX, port) || *port == 0))
        return err_set(e, ERR_SYNTAX, "the port is a number from 1 to 65535");
    if (host->len == 0 && *port != 0)
        *host = STR_LIT("localhost");
    if (!is_host(*host) && !is_ipv6(*host))
        return err_set(e, ERR_SYNTAX, "an upstream is [http://]host:port or unix//path");
    return 0;
}

static bool take_prefix(struct str *s, const char *prefix)
{
    if (!str_starts(*s, str_of(prefix)))
        return false;
    *s = str_from(*s, strlen(prefix));
    return true;
}

/* The port of the scheme is left out where the host and the port are put together. */
static void name_upstream(struct arena *a, struct str host, uint64_t port, struct upstream *u)
{
    const unsigned standard = u->secure ? 443 : 80;
    const unsigned number = port == 0 ? standard : (unsigned)port;
    struct upstream_names *n = &u->names;

    n->host = n->hostport = arena_str(a, host);
    n->port = arena_printf(a, "%u", number);
    if (number != standard)
        n->hostport = arena_printf(a, STR_FMT ":%u", STR_ARG(host), number);
    n->address = arena_printf(a, "tcp/" STR_FMT ":%u", STR_ARG(host), number);
}

int upstream_parse(struct arena *a, struct str text, struct upstream *u, struct err *e)
{
    struct str rest = text, host;
    uint64_t port;

    *u = (struct upstream){.name = arena_str(a, text).p};
    if (take_prefix(&rest, "unix/")) {
        if (rest.len == 0 || rest.p[0] != '/')
            return err_set(e, ERR_SYNTAX, "a unix socket is written unix//path");
        u->unix_socket = arena_str(a, rest).p;
        u->url = "http://localhost/";
        u->names.hostport = u->names.host = STR_LIT("localhost");
        u->names.address = arena_printf(a, "unix/" STR_FMT, STR_ARG(rest));
        return 0;
    }
    if (memchr(text.p, '{', text.len) != NULL)
        return err_set(e, ERR_INVALID, "placeholders in upstream addresses are not supported");
    u->secure = take_prefix(&rest, "https://");
    if (!u->secure && !take_prefix(&rest, "http://") && memmem(rest.p, rest.len, "://", 3) != NULL)
        return err_set(e, ERR_INVALID, "only http:// and https:// upstreams are supported");
    if (memchr(rest.p, '/', rest.len) != NULL || memchr(rest.p, '?', rest.len) != NULL)
        return err_set(e, ERR_INVALID, "an upstream has no path: it gets the request's own");
    if (split_hostport(rest, &host, &port, e) != 0)
        return -1;
    name_upstream(a, host, port, u);
    u->url = arena_printf(a, "%s://" STR_FMT "/", u->secure ? "https" : "http",
                          STR_ARG(u->names.hostport))
                 .p;
    return 0;
}

static int add_upstreams(const struct directive_args *d, const struct token *t, size_t n)
{
    struct reverse_proxy_conf *c = d->target;

    for (size_t i = 0; i < n; i++) {
        struct err e;

        c->upstreams =
            arena_grow(d->arena, c->upstreams, c->n_upstreams, &c->cap, sizeof *c->upstreams);
        if (upstream_parse(d->arena, t[i].text, &c->upstreams[c->n_upstreams], &e) != 0)
            return directive_error(d, &t[i], "%s", e.msg);
        c->n_upstreams++;
    }
    return 0;
}

/* ---- header_up, header_down ---- */

static int set_field_op(const struct directive_args *d, const struct node *n, struct field_ops *ops)
{
    struct field_op op = {.kind = FIELD_SET};

    if (n->n_words < 2 || n->n_words > 3)
        return directive_error(d, &n->words[0], STR_FMT " takes a field and a value, or -field",
                               STR_ARG(n->words[0].text));
    op.name = n->words[1].text;
    if (op.name.len > 0 && (op.name.p[0] == '+' || op.name.p[0] == '-')) {
        op.kind = op.name.p[0] == '+' ? FIELD_ADD : FIELD_REMOVE;
        op.name = str_from(op.name, 1);
    }
    if (op.name.len == 0 || memchr(op.name.p, '*', op.name.len) != NULL)
        return directive_error(d, &n->words[1], "this is no field name");
    if ((n->n_words == 3) != (op.kind != FIELD_REMOVE))
        return directive_error(d, &n->words[1],
                               op.kind == FIELD_REMOVE ? "-field takes no value"
                                                       : "the value is missing");
    if (n->n_words == 3 && directive_text(d, &n->words[2], &op.value) != 0)
        return -1;
    op.name = arena_str(d->arena, op.name);
    ops->list = arena_grow(d->arena, ops->list, ops->n, &ops->cap, sizeof *ops->list);
    ops->list[ops->n++] = op;
    return 0;
}

static int set_header_up(const struct directive_args *d, const struct node *n)
{
    return set_field_op(d, n, &((struct reverse_proxy_conf *)d->target)->up);
}

static int set_header_down(const struct directive_args *d, const struct node *n)
{
    return set_field_op(d, n, &((struct reverse_proxy_conf *)d->target)->down);
}

/* ---- the block ---- */

struct sub {
    const char *name;
    int (*set)(const struct directive_args *d, const struct node *n);
};

/* Finds n's row in subs (ended by a zeroed one) and runs it. Words that Caddy knows and we do not
 * yet are told apart from words nobody knows. */
static int set_sub(const struct directive_args *d, const struct node *n, const char *what,
                   const struct sub *subs, const char *const *later)
{
    const char *names[16] = {NULL};
    size_t n_names = 0;

    for (; subs->name != NULL; subs++) {
        if (str_is(n->words[0].text, subs->name))
            return subs->set(d, n);
        names[n_names++] = subs->name;
    }
    for (; *later != NULL; later++)
        if (str_is(n->words[0].text, *later))
            return directive_error(d, &n->words[0], "%s %s is not supported by this version", what,
                                   *later);
    return directive_unknown(d, &n->words[0], what, names);
}

static int set_duration(const struct directive_args *d, const struct node *n, unsigned *value)
{
    uint64_t ms;

    if (n->n_words != 2)
        return directive_error(d, &n->words[0], STR_FMT " takes a duration",
                               STR_ARG(n->words[0].text));
    if (directive_duration(d, &n->words[1], &ms) != 0)
        return -1;
    if (ms > INT32_MAX)
        return directive_error(d, &n->words[1], "at most 24 days");
    *value = (unsigned)ms;
    return 0;
}

static int set_dial_timeout(const struct directive_args *d, const struct node *n)
{
    return set_duration(d, n, &((struct reverse_proxy_conf *)d->target)->dial_timeout_ms);
}

static int set_response_header_timeout(const struct directive_args *d, const struct node *n)
{
    return set_duration(d, n,
                        &((struct reverse_proxy_conf *)d->target)->response_header_timeout_ms);
}

static const struct sub transport_subs[] = {
    {"dial_timeout", set_dial_timeout},
    {"response_header_timeout", set_response_header_timeout},
    {NULL, NULL},
};

static const char *const transport_later[] = {"read_buffer",
                                              "write_buffer",
                                              "max_response_header",
                                              "proxy_protocol",
                                              "dial_fallback_delay",
                                              "expect_continue_timeout",
                                              "read_timeout",
                                              "write_timeout",
                                              "resolvers",
                                              "tls",
                                              "tls_client_auth",
                                              "tls_insecure_skip_verify",
                                              "tls_curves",
                                              "tls_timeout",
                                              "tls_trust_pool",
                                              "tls_trusted_ca_certs",
                                              "tls_server_name",
                                              "tls_renegotiation",
                                              "tls_except_ports",
                                              "keepalive",
                                              "keepalive_interval",
                                              "keepalive_idle_conns",
                                              "keepalive_idle_conns_per_host",
                                              "versions",
                                              "compression",
                                              "max_conns_per_host",
                                              "network_proxy",
                                              "forward_proxy_url",
                                              "local_address",
                                              NULL};

static int set_transport(const struct directive_args *d, const struct node *n)
{
    int rc = 0;

    if (n->n_words != 2 || !str_is(n->words[1].text, "http"))
        return directive_error(d, &n->words[n->n_words > 1 ? 1 : 0],
                               "the only transport of this version is http");
    for (size_t i = 0; i < n->n_children; i++)
        if (set_sub(d, &n->children[i], "transport option", transport_subs, transport_later) != 0)
            rc = -1;
    return rc;
}

static int set_to(const struct directive_args *d, const struct node *n)
{
    if (n->n_words < 2)
        return directive_error(d, &n->words[0], "to takes at least one upstream");
    return add_upstreams(d, n->words + 1, n->n_words - 1);
}

static const struct sub subs[] = {
    {"to", set_to},
    {"header_up", set_header_up},
    {"header_down", set_header_down},
    {"transport", set_transport},
    {NULL, NULL},
};

static const char *const later[] = {"dynamic",
                                    "lb_policy",
                                    "lb_retries",
                                    "lb_try_duration",
                                    "lb_try_interval",
                                    "lb_retry_match",
                                    "health_uri",
                                    "health_upstream",
                                    "health_port",
                                    "health_interval",
                                    "health_passes",
                                    "health_fails",
                                    "health_timeout",
                                    "health_method",
                                    "health_status",
                                    "health_request_body",
                                    "health_body",
                                    "health_follow_redirects",
                                    "health_headers",
                                    "fail_duration",
                                    "max_fails",
                                    "unhealthy_status",
                                    "unhealthy_latency",
                                    "unhealthy_request_count",
                                    "flush_interval",
                                    "request_buffers",
                                    "response_buffers",
                                    "buffer_requests",
                                    "buffer_responses",
                                    "stream_timeout",
                                    "stream_close_delay",
                                    "stream_buffer_size",
                                    "trusted_proxies",
                                    "method",
                                    "rewrite",
                                    "verbose_logs",
                                    "replace_status",
                                    "handle_response",
                                    "copy_response",
                                    "copy_response_headers",
                                    NULL};

int reverse_proxy_set_upstreams(const struct directive_args *d)
{
    ((struct reverse_proxy_conf *)d->target)->dial_timeout_ms = DIAL_TIMEOUT_MS;
    return add_upstreams(d, d->args, d->n_args);
}

int reverse_proxy_set_option(const struct directive_args *d, const struct node *n)
{
    return set_sub(d, n, "reverse_proxy option", subs, later);
}

int reverse_proxy_check(const struct directive_args *d)
{
    if (((const struct reverse_proxy_conf *)d->target)->n_upstreams > 0)
        return 0;
    return directive_error(d, &d->node->words[0], STR_FMT " needs at least one upstream",
                           STR_ARG(d->node->words[0].text));
}

int reverse_proxy_set(const struct directive_args *d)
{
    int rc = reverse_proxy_set_upstreams(d);

    for (size_t i = 0; i < d->node->n_children; i++)
        if (reverse_proxy_set_option(d, &d->node->children[i]) != 0)
            rc = -1;
    return rc == 0 ? reverse_proxy_check(d) : -1;
}
