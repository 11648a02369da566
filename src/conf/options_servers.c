/* The option "servers": what concerns connections. */
#include "conf/options.h"

enum { HEADER_SIZE_MIN = 1024, HEADER_SIZE_MAX = 1024 * 1024, CONNECTIONS_MOST = 1000 * 1000 };

static const uint64_t second_ms = 1000;
static const uint64_t year_ms = 365ULL * 24 * 3600 * 1000;

static struct options *options_of(const struct directive_args *d)
{
    return &((struct global *)d->target)->options;
}

/* ---- timeouts and sizes ---- */

static int set_read_header(const struct directive_args *d)
{
    return options_duration(d, second_ms, year_ms, &options_of(d)->header_timeout_ms);
}

static int set_read_body(const struct directive_args *d)
{
    return options_duration(d, second_ms, year_ms, &options_of(d)->body_timeout_ms);
}

static int set_idle(const struct directive_args *d)
{
    return options_duration(d, second_ms, year_ms, &options_of(d)->idle_timeout_ms);
}

static const struct directive timeout_rows[] = {
    {.name = "read_header",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_header,
     .help = "read_header DURATION"},
    {.name = "read_body",
     .min_args = 1,
     .max_args = 1,
     .set = set_read_body,
     .help = "read_body DURATION"},
    {.name = "idle", .min_args = 1, .max_args = 1, .set = set_idle, .help = "idle DURATION"},
    {0},
};

static int set_timeouts(const struct directive_args *d)
{
    return directive_block(d, timeout_rows, refused_timeouts, d->target);
}

static int set_max_header_size(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    if (bytes < HEADER_SIZE_MIN || bytes > HEADER_SIZE_MAX)
        return directive_error(d, &d->args[0], "'" STR_FMT "' is out of range: %d to %d bytes",
                               STR_ARG(d->args[0].text), HEADER_SIZE_MIN, HEADER_SIZE_MAX);
    options_of(d)->max_header_size = (size_t)bytes;
    return 0;
}

static int set_max_connections(const struct directive_args *d)
{
    uint64_t n;

    if (directive_uint(d, &d->args[0], CONNECTIONS_MOST, &n) != 0)
        return -1;
    if (n == 0)
        return directive_error(d, &d->args[0],
                               "'0' would let nobody in: leave the option out for as many as "
                               "open files allow");
    options_of(d)->max_connections = (unsigned)n;
    return 0;
}

static int set_proxy_buffers(const struct directive_args *d)
{
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    options_of(d)->proxy_buffers = bytes < SIZE_MAX / 2 ? (size_t)bytes : SIZE_MAX / 2;
    return 0;
}

/* ---- protocols ---- */

/* The list says what may be spoken. */
static int set_protocols(const struct directive_args *d)
{
    static const char *const known[] = {"h1", "h2", "h2c", "h3", NULL};
    bool h1 = false;

    for (size_t i = 0; i < d->n_args; i++) {
        size_t k = 0;

        while (known[k] != NULL && !str_is(d->args[i].text, known[k]))
            k++;
        if (known[k] == NULL)
            return directive_unknown(d, &d->args[i], "protocol", known);
        h1 |= k == 0;
    }
    if (h1)
        return 0;
    return directive_error(d, &d->args[0], "'h1' is missing: HTTP/1.1 is all that is spoken yet");
}

static int set_strict_sni(const struct directive_args *d)
{
    static const char *const known[] = {"on", "insecure_off", NULL};
    bool off = d->n_args > 0 && str_is(d->args[0].text, "insecure_off");

    if (d->n_args > 0 && !off && !str_is(d->args[0].text, "on"))
        return directive_unknown(d, &d->args[0], "strict_sni_host", known);
    options_of(d)->strict_sni = !off;
    return 0;
}

static int set_0rtt(const struct directive_args *d)
{
    if (str_is(d->args[0].text, "off"))
        return 0;
    return directive_error(d, &d->args[0], "'0rtt' can only be off: early data is never taken");
}

/* ---- trusted proxies ---- */

static int set_trusted_proxies(const struct directive_args *d)
{
    struct ip_set *set = &options_of(d)->trusted_proxies;
    struct err e;
    int rc = 0;

    if (!str_is(d->args[0].text, "static"))
        return directive_error(
            d, &d->args[0],
            "the ranges of the proxies follow the word 'static': trusted_proxies "
            "static private_ranges");
    for (size_t i = 1; i < d->n_args; i++)
        if (ip_set_add(set, d->arena, d->args[i].text, &e) != 0)
            rc = directive_error(d, &d->args[i], "%s", e.msg);
    ip_set_finish(set);
    return rc;
}

static int set_trusted_strict(const struct directive_args *d)
{
    options_of(d)->trusted_strict = true;
    return 0;
}

static int set_client_ip_headers(const struct directive_args *d)
{
    struct str *names = arena_alloc(d->arena, d->n_args * sizeof *names);

    for (size_t i = 0; i < d->n_args; i++)
        names[i] = directive_str(d, &d->args[i]);
    options_of(d)->client_ip_headers = names;
    options_of(d)->n_client_ip_headers = d->n_args;
    return 0;
}

/* ---- listener wrappers ---- */

static struct proxy_options *proxy_of(const struct directive_args *d)
{
    return &options_of(d)->proxy;
}

static int set_proxy_timeout(const struct directive_args *d)
{
    return options_duration(d, 1, year_ms, &proxy_of(d)->timeout_ms);
}

static int add_ranges(const struct directive_args *d, struct ip_set *set)
{
    struct err e;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (ip_set_add(set, d->arena, d->args[i].text, &e) != 0)
            rc = directive_error(d, &d->args[i], "%s", e.msg);
    ip_set_finish(set);
    return rc;
}

static int set_proxy_allow(const struct directive_args *d)
{
    return add_ranges(d, &proxy_of(d)->allow);
}

static int set_proxy_deny(const struct directive_args *d)
{
    return add_ranges(d, &proxy_of(d)->deny);
}

static int set_proxy_fallback(const struct directive_args *d)
{
    static const char *const names[] = {
        [PROXY_IGNORE] = "ignore", [PROXY_USE] = "use",   [PROXY_REQUIRE] = "require",
        [PROXY_REJECT] = "reject", [PROXY_SKIP] = "skip", NULL};

    for (size_t i = 0; names[i] != NULL; i++) {
        struct str name = str_of(names[i]);

        if (!str_eq_nocase(d->args[0].text, name))
            continue;
        proxy_of(d)->fallback = (enum proxy_policy)i;
        return 0;
    }
    return directive_unknown(d, &d->args[0], "policy", names);
}

static const struct directive proxy_rows[] = {
    {.name = "allow",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_proxy_allow,
     .help = "allow RANGE...: proxies that are believed"},
    {.name = "deny",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_proxy_deny,
     .help = "deny RANGE...: peers that may send no PROXY header"},
    {.name = "fallback_policy",
     .min_args = 1,
     .max_args = 1,
     .set = set_proxy_fallback,
     .help = "fallback_policy ignore|use|require|reject|skip: for all others"},
    {.name = "timeout",
     .min_args = 1,
     .max_args = 1,
     .set = set_proxy_timeout,
     .help = "timeout DURATION: for the header, 5 s"},
    {0},
};

static int set_proxy_protocol(const struct directive_args *d)
{
    proxy_of(d)->on = true;
    return directive_block(d, proxy_rows, NULL, d->target);
}

/* Where TLS begins: after the PROXY header in any case. */
static int set_tls_wrapper(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static const struct directive wrapper_rows[] = {
    {.name = "proxy_protocol",
     .block = true,
     .set = set_proxy_protocol,
     .help = "proxy_protocol [{ timeout, allow, deny, fallback_policy }]"},
    {.name = "tls", .set = set_tls_wrapper, .help = "tls: comes last in any case"},
    {0},
};

static int set_listener_wrappers(const struct directive_args *d)
{
    static const struct refused refused[] = {
        {"http_redirect", "plain HTTP on an HTTPS port is answered with what to do instead"},
        {NULL, NULL},
    };

    return directive_block(d, wrapper_rows, refused, d->target);
}

static const struct directive server_rows[] = {
    {.name = "client_ip_headers",
     .min_args = 1,
     .max_args = -1,
     .set = set_client_ip_headers,
     .help = "client_ip_headers FIELD..."},
    {.name = "listener_wrappers",
     .block = true,
     .set = set_listener_wrappers,
     .help = "listener_wrappers { proxy_protocol, tls }"},
    {.name = "trusted_proxies",
     .min_args = 2,
     .max_args = -1,
     .set = set_trusted_proxies,
     .help = "trusted_proxies static RANGE..."},
    {.name = "trusted_proxies_strict", .set = set_trusted_strict, .help = "trusted_proxies_strict"},
    {.name = "0rtt", .min_args = 1, .max_args = 1, .set = set_0rtt, .help = "0rtt off"},
    {.name = "protocols",
     .min_args = 1,
     .max_args = -1,
     .set = set_protocols,
     .help = "protocols h1..."},
    {.name = "strict_sni_host",
     .max_args = 1,
     .set = set_strict_sni,
     .help = "strict_sni_host [on|insecure_off]"},
    {.name = "timeouts", .block = true, .set = set_timeouts, .help = "timeouts { ... }"},
    {.name = "max_header_size",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_header_size,
     .help = "max_header_size SIZE"},
    {.name = "max_connections",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_connections,
     .help = "max_connections N: of clients at a time"},
    {.name = "proxy_buffers",
     .min_args = 1,
     .max_args = 1,
     .set = set_proxy_buffers,
     .help = "proxy_buffers SIZE: all that is held of bodies that are proxied"},
    {0},
};

int options_servers_set(const struct directive_args *d)
{
    if (d->n_args > 0)
        return directive_error(d, &d->args[0],
                               "options for one listener only are not supported "
                               "yet: write 'servers' without an address");
    return directive_block(d, server_rows, refused_servers, d->target);
}
