/* The directives that set something of a site: tls, bind, hsts. (log: conf/log_directive.c.) */
#include "base/alloc.h"
#include "conf/log_directive.h"
#include "conf/tls_options.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static struct site *site_of(const struct directive_args *d)
{
    return d->target;
}

/* ---- bind ---- */

static int parse_binding(const struct directive_args *d, const struct token *t, struct binding *out)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)&out->addr;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)&out->addr;
    struct str text = t->text;
    const char *copy;

    if (str_is(text, "localhost"))
        text = STR_LIT("127.0.0.1");
    if (str_starts(text, STR_LIT("[")) && str_ends(text, STR_LIT("]")))
        text = (struct str){text.p + 1, text.len - 2};
    copy = arena_str(d->builder->scratch, text).p;
    if (inet_pton(AF_INET, copy, &v4->sin_addr) == 1) {
        out->addr.ss_family = AF_INET;
        out->addr_len = sizeof *v4;
        return 0;
    }
    if (inet_pton(AF_INET6, copy, &v6->sin6_addr) == 1) {
        out->addr.ss_family = AF_INET6;
        out->addr_len = sizeof *v6;
        return 0;
    }
    if (str_starts(text, STR_LIT("unix/")) || str_starts(text, STR_LIT("fd/")) ||
        str_starts(text, STR_LIT("tcp/")))
        return directive_error(d, t, "binding to '" STR_FMT "' is not supported yet",
                               STR_ARG(text));
    return directive_error(d, t, "'" STR_FMT "' is no IP address", STR_ARG(text));
}

int build_bindings(const struct directive_args *d, struct bindings *out)
{
    out->list = arena_alloc(d->builder->scratch, d->n_args * sizeof *out->list);
    for (size_t i = 0; i < d->n_args; i++)
        if (parse_binding(d, &d->args[i], &out->list[out->n]) == 0)
            out->n++;
    return out->n == d->n_args ? 0 : -1;
}

static int set_bind(const struct directive_args *d)
{
    return build_bindings(d, &d->builder->current->bind);
}

/* ---- hsts ---- */

/* RFC 6797 6.1: seconds, or one of our durations. */
static int hsts_max_age(const struct directive_args *d, uint64_t *seconds)
{
    uint64_t ms;

    if (directive_duration(d, &d->args[0], &ms) != 0)
        return -1;
    *seconds = ms / 1000;
    return 0;
}

static int set_hsts(const struct directive_args *d)
{
    static const char *const flags[] = {"includeSubDomains", "preload", NULL};
    bool given[2] = {false, false};
    struct hsts_conf *hsts = &site_of(d)->hsts;
    uint64_t seconds;

    d->builder->current->hsts_token = d->node->words[0];
    if (str_is(d->args[0].text, "off")) {
        if (d->n_args > 1)
            return directive_error(d, &d->args[1], "nothing follows 'hsts off'");
        hsts->mode = HSTS_OFF;
        return 0;
    }
    if (hsts_max_age(d, &seconds) != 0)
        return -1;
    for (size_t i = 1; i < d->n_args; i++) {
        const struct token *t = &d->args[i];

        if (str_eq_nocase(t->text, str_of(flags[0])))
            given[0] = true;
        else if (str_eq_nocase(t->text, str_of(flags[1])))
            given[1] = true;
        else
            return directive_unknown(d, t, "HSTS directive", flags);
    }
    hsts->mode = HSTS_FIXED;
    hsts->value = arena_printf(d->arena, "max-age=%llu%s%s", (unsigned long long)seconds,
                               given[0] ? "; includeSubDomains" : "", given[1] ? "; preload" : "");
    return 0;
}

/* ---- tls ---- */

static struct tls_conf *tls_of(const struct directive_args *d)
{
    return &site_of(d)->tls;
}

static int set_tls_ca(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_ca(d, tls_of(d));
}

static int set_tls_ca_root(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_ca_root(d, tls_of(d));
}

static int set_tls_key_type(const struct directive_args *d)
{
    return tls_options_key_type(d, tls_of(d));
}

static int set_tls_eab(const struct directive_args *d)
{
    d->builder->current->tls_acme = true;
    return tls_options_eab(d, tls_of(d));
}

static int parse_version(const struct directive_args *d, const struct token *t,
                         enum tls_version *out)
{
    static const char *const names[] = {"tls1.2", "tls1.3", NULL};

    if (str_is(t->text, names[0]))
        *out = TLS_1_2;
    else if (str_is(t->text, names[1]))
        *out = TLS_1_3;
    else
        return directive_unknown(d, t, "TLS version", names);
    return 0;
}

static int set_tls_protocols(const struct directive_args *d)
{
    struct tls_conf *tls = tls_of(d);

    if (parse_version(d, &d->args[0], &tls->min_version) != 0)
        return -1;
    if (d->n_args == 1)
        return 0;
    if (parse_version(d, &d->args[1], &tls->max_version) != 0)
        return -1;
    if (tls->min_version > tls->max_version)
        return directive_error(d, &d->args[0], "the lowest version is above the highest");
    return 0;
}

static const struct directive tls_rows[] = {
    {.name = "ca", .min_args = 1, .max_args = 1, .set = set_tls_ca, .help = "ca URL"},
    {.name = "ca_root",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_ca_root,
     .help = "ca_root FILE"},
    {.name = "eab", .max_args = 2, .block = true, .set = set_tls_eab, .help = "eab KEY_ID MAC_KEY"},
    {.name = "key_type",
     .min_args = 1,
     .max_args = 1,
     .set = set_tls_key_type,
     .help = "key_type TYPE"},
    {.name = "protocols",
     .min_args = 1,
     .max_args = 2,
     .set = set_tls_protocols,
     .help = "protocols LOWEST [HIGHEST]"},
    {0},
};

static const char *const known_tls[] = {
    "alpn",
    "ciphers",
    "client_auth",
    "curves",
    "dns",
    "get_certificate",
    "insecure_secrets_log",
    "issuer",
    "load",
    "on_demand",
    "propagation_delay",
    "propagation_timeout",
    "resolvers",
    "dns_ttl",
    "dns_challenge_override_domain",
    "reuse_private_keys",
    "renewal_window_ratio",
    "force_automate",
    NULL,
};

/* "tls internal", "tls EMAIL" or "tls CERT KEY", any of them with a block, or a block alone. */
static int set_tls(const struct directive_args *d)
{
    struct site_draft *site = d->builder->current;
    struct tls_conf *tls = tls_of(d);

    site->tls_token = d->node->words[0];
    if (d->n_args == 0 && !d->node->has_block)
        return directive_error(d, &d->node->words[0],
                               "'tls' needs internal, an e-mail address, CERT KEY, or a block");
    if (d->n_args == 2) {
        site->tls_directive = CERT_FILES;
        tls->cert_file = directive_path(d, &d->args[0]);
        tls->key_file = directive_path(d, &d->args[1]);
    } else if (d->n_args == 1 && str_is(d->args[0].text, "internal")) {
        site->tls_directive = CERT_INTERNAL;
    } else if (d->n_args == 1) {
        if (str_is(d->args[0].text, "force_automate"))
            return directive_error(d, &d->args[0], "'force_automate' is not supported yet");
        if (str_chr(d->args[0].text, '@') == d->args[0].text.len)
            return directive_error(d, &d->args[0],
                                   "'" STR_FMT "' is neither internal nor an e-mail address",
                                   STR_ARG(d->args[0].text));
        if (tls_options_email(d, tls, &d->args[0]) != 0)
            return -1;
    }
    if (directive_block(d, tls_rows, known_tls, d->target) != 0)
        return -1;
    tls->source = site->tls_directive;
    if (site->tls_acme && tls->source != CERT_NONE)
        return directive_error(d, &d->node->words[0],
                               "a CA (ca, ca_root, eab) is of no use beside '%s'",
                               tls->source == CERT_FILES ? "CERT KEY" : "internal");
    return 0;
}

/* ---- the tables ---- */

const struct directive site_directives[] = {
    {.name = "bind",
     .places = IN_SITE,
     .min_args = 1,
     .max_args = -1,
     .set = set_bind,
     .help = "bind IP..."},
    {.name = "hsts",
     .places = IN_SITE,
     .min_args = 1,
     .max_args = 3,
     .set = set_hsts,
     .help = "hsts off|MAX-AGE [includeSubDomains] [preload]"},
    {.name = "log",
     .places = IN_SITE,
     .block = true,
     .set = log_directive_set,
     .help = "log { output, format }"},
    {.name = "tls",
     .places = IN_SITE,
     .max_args = 2,
     .block = true,
     .set = set_tls,
     .help = "tls internal|EMAIL|CERT KEY { ... }"},
    {0},
};

/* One a line: who makes one of them work takes its line away. */
const char *const known_directives[] = {
    "acme_server", "basic_auth",   "basicauth",    "copy_response",  "copy_response_headers",
    "encode",      "forward_auth", "fs",           "intercept",      "log_append",
    "log_name",    "log_skip",     "map",          "metrics",        "php_fastcgi",
    "push",        "rate_limit",   "request_body", "request_header", "skip_log",
    "templates",   "timeouts",     "tracing",      "try_files",      "vars",
    NULL,
};
