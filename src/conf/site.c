/* The directives that set something of a site: bind, hsts. (log: conf/log_directive.c, tls:
 * conf/tls_directive.c.) */
#include "base/alloc.h"
#include "conf/log_directive.h"
#include "conf/tls_directive.h"

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
     .max_args = 1,
     .block = true,
     .repeats = true,
     .set = log_directive_set,
     .help = "log [<name>] { output, format, level, hostnames, no_hostname }"},
    {.name = "tls",
     .places = IN_SITE,
     .max_args = 2,
     .block = true,
     .set = tls_directive_set,
     .help = "tls internal|EMAIL|CERT KEY { ... }"},
    {0},
};
