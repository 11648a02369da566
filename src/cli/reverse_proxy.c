/* lintel reverse-proxy: hands requests on, by HTTPS if it has a host name itself. */
#include "cli/oneliner.h"

const struct cli_flag cli_reverse_proxy_flags[] = {
    {.name = "from",
     .letter = 'f',
     .value = "ADDRESS",
     .help = "where to serve: [SCHEME://][HOST][:PORT] (default: localhost)"},
    {.name = "to",
     .letter = 't',
     .value = "ADDRESS",
     .help = "where to send requests: [SCHEME://]HOST[:PORT]; may be repeated"},
    {.name = "header-up",
     .letter = 'H',
     .value = "FIELD",
     .help = "a field of requests, \"Name: value\"; may be repeated"},
    {.name = "header-down",
     .letter = 'd',
     .value = "FIELD",
     .help = "a field of responses, \"Name: value\"; may be repeated"},
    {.name = "change-host-header", .letter = 'c', .help = "send the Host of --to, not of --from"},
    {.name = "disable-redirects", .letter = 'r', .help = "do not redirect HTTP to HTTPS"},
    {.name = "internal-certs", .letter = 'i', .help = "take the certificate from the local CA"},
    ONELINER_FLAG_ACCESS_LOG(0),
    ONELINER_FLAG_DEBUG,
    {.name = "insecure"},
    {0},
};

static const struct oneliner_refused refused[] = {
    {"insecure", "certificates of https:// upstreams are always verified"},
    {NULL, NULL},
};

/* ---- from ---- */

/* What is missing is as in Caddy: HTTPS if there is a host, unless the port is that of HTTP. */
static void read_from(struct oneliner *l, struct address *from)
{
    const char *text = cli_value(l->options, "from");
    struct err e;

    text = text == NULL ? "localhost" : text;
    if (address_parse(str_of(text), from, &e) != 0) {
        oneliner_fail(l, "--from %s: %s", text, e.msg);
        return;
    }
    if (from->scheme == SCHEME_NONE)
        from->scheme =
            from->kind == HOST_ANY || from->port == ONELINER_HTTP_PORT ? SCHEME_HTTP : SCHEME_HTTPS;
    if (from->port == 0)
        from->port = from->scheme == SCHEME_HTTPS ? ONELINER_HTTPS_PORT : ONELINER_HTTP_PORT;
    if (from->scheme == SCHEME_HTTPS && from->kind == HOST_ANY)
        oneliner_fail(l, "--from %s: a certificate needs a host name, as in https://localhost",
                      text);
}

/* ---- to ---- */

/* Cuts "-LAST" off "host:FIRST-LAST", and says which ports those are. False: there is no range. */
static bool cut_range(struct str *text, uint64_t *first, uint64_t *last)
{
    size_t colon = text->len, dash;
    struct str range;

    while (colon > 0 && text->p[colon - 1] != ':')
        colon--;
    range = str_from(*text, colon);
    dash = str_chr(range, '-');
    if (colon == 0 || dash == range.len ||
        !str_to_uint((struct str){range.p, dash}, UINT16_MAX, first) ||
        !str_to_uint(str_from(range, dash + 1), UINT16_MAX, last) || *first == 0 || *last < *first)
        return false;
    text->len = colon - 1;
    return true;
}

static void put_upstream(struct oneliner *l, const char *scheme, struct str text, uint64_t port)
{
    char whole[1024];
    int n;

    if (port == 0)
        n = snprintf(whole, sizeof whole, "%s" STR_FMT, scheme, STR_ARG(text));
    else
        n = snprintf(whole, sizeof whole, "%s" STR_FMT ":%llu", scheme, STR_ARG(text),
                     (unsigned long long)port);
    if ((size_t)n >= sizeof whole)
        oneliner_fail(l, "--to: an address is longer than %zu bytes", sizeof whole - 1);
    else
        oneliner_word(l, "--to", str_of(whole));
}

static bool has_scheme(struct str text)
{
    return text.len > 0 && memmem(text.p, text.len, "://", 3) != NULL;
}

/* The scheme of those that are written without one: that of the first that has one. */
static const char *usual_scheme(const struct cli_options *o)
{
    const char *given;
    size_t at = 0;

    while ((given = cli_each(o, "to", &at)) != NULL) {
        struct str rest = str_of(given);

        while (rest.p != NULL) {
            struct str one = str_trim(str_cut(&rest, ','));

            if (has_scheme(one))
                return str_starts(one, STR_LIT("https://")) ? "https://" : "";
        }
    }
    return "";
}

static void put_to(struct oneliner *l, struct str text, const char *scheme)
{
    uint64_t first = 0, last = 0;

    if (text.len == 0) {
        oneliner_fail(l, "--to needs an address");
        return;
    }
    oneliner_greet(l, " " STR_FMT, STR_ARG(text));
    if (has_scheme(text) || str_starts(text, STR_LIT("unix/")))
        scheme = "";
    if (!str_starts(text, STR_LIT("unix/")))
        (void)cut_range(&text, &first, &last);
    for (uint64_t port = first; port <= last && !l->failed; port++)
        put_upstream(l, scheme, text, port);
}

static void put_upstreams(struct oneliner *l)
{
    const char *scheme = usual_scheme(l->options), *given;
    size_t at = 0;

    if (!cli_has(l->options, "to"))
        oneliner_fail(l, "--to is missing: where are requests to be sent?");
    while ((given = cli_each(l->options, "to", &at)) != NULL) {
        struct str rest = str_of(given);

        while (rest.p != NULL)
            put_to(l, str_trim(str_cut(&rest, ',')), scheme);
    }
}

/* ---- the site ---- */

static void put_site(struct oneliner *l, const struct address *from)
{
    const struct cli_options *o = l->options;

    oneliner_globals(l, cli_has(o, "disable-redirects") ? "\tauto_https disable_redirects\n" : "");
    oneliner_site(l, from);
    if (cli_has(o, "internal-certs") && from->scheme == SCHEME_HTTPS)
        oneliner_put(l, "\ttls internal\n");
    oneliner_put(l, "\treverse_proxy *");
    put_upstreams(l);
    oneliner_put(l, " {\n");
    oneliner_fields(l, "header-up", "header_up");
    oneliner_fields(l, "header-down", "header_down");
    if (cli_has(o, "change-host-header"))
        oneliner_put(l, "\theader_up Host {upstream_hostport}\n");
    oneliner_put(l, "\t}\n}\n");
}

int cli_reverse_proxy(const struct cli_options *o)
{
    char url[ONELINER_URL_MAX];
    struct oneliner l;
    struct address from;

    oneliner_init(&l, o);
    oneliner_refuse(&l, refused);
    read_from(&l, &from);
    if (!l.failed) {
        oneliner_url(&from, "", url);
        oneliner_greet(&l, "Proxying %s to", url);
        put_site(&l, &from);
        oneliner_greet(&l, "\n");
    }
    return oneliner_run(&l);
}
