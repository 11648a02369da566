/* "dynamic": which names are looked up, and how often. */
#include "base/alloc.h"
#include "handlers/dynamic.h"

enum { REFRESH_MS = 60 * 1000, REFRESH_MIN_MS = 10, KIND_A = 1, KIND_SRV = 2 };

/* Of one source, while its block is read. */
struct reading {
    const struct directive_args *d;
    struct dynamic_source *s;
    const struct node *line;
    const struct token *name, *service, *proto;
};

static int set_name(struct reading *r)
{
    r->name = &r->line->words[1];
    return 0;
}

static int set_service(struct reading *r)
{
    r->service = &r->line->words[1];
    return 0;
}

static int set_proto(struct reading *r)
{
    r->proto = &r->line->words[1];
    return 0;
}

static int set_port_of(const struct directive_args *d, const struct token *t,
                       struct dynamic_source *s)
{
    uint64_t port;

    if (directive_uint(d, t, UINT16_MAX, &port) != 0)
        return -1;
    if (port == 0)
        return directive_error(d, t, "a port is 1 to 65535");
    s->port = (unsigned)port;
    return 0;
}

static int set_port(struct reading *r)
{
    return set_port_of(r->d, &r->line->words[1], r->s);
}

static int set_refresh(struct reading *r)
{
    if (directive_duration(r->d, &r->line->words[1], &r->s->refresh_ms) != 0)
        return -1;
    if (r->s->refresh_ms < REFRESH_MIN_MS)
        return directive_error(r->d, &r->line->words[1], "10ms at least");
    return 0;
}

static int set_grace(struct reading *r)
{
    return directive_duration(r->d, &r->line->words[1], &r->s->grace_ms);
}

static int set_timeout(struct reading *r)
{
    uint64_t ms;

    if (directive_duration(r->d, &r->line->words[1], &ms) != 0)
        return -1;
    if (ms == 0 || ms > 30000)
        return directive_error(r->d, &r->line->words[1], "more than 0, and at most 30s");
    r->s->servers.timeout_ms = (unsigned)ms;
    return 0;
}

static int set_fallback_delay(struct reading *r)
{
    directive_warn(r->d, &r->line->words[0],
                   "'dial_fallback_delay' changes nothing here: servers "
                   "are asked one after the other");
    return 0;
}

int dynamic_add_servers(const struct directive_args *d, const struct token *words, size_t n,
                        struct dns_servers *to)
{
    for (size_t i = 0; i < n; i++) {
        struct err e;

        if (to->n == DNS_SERVERS_MAX)
            return directive_error(d, &words[i], "at most %d DNS servers", DNS_SERVERS_MAX);
        if (dns_server_parse(words[i].text, &to->list[to->n], &e) != 0)
            return directive_error(d, &words[i], "%s", e.msg);
        to->n++;
    }
    return 0;
}

static int set_resolvers(struct reading *r)
{
    return dynamic_add_servers(r->d, r->line->words + 1, r->line->n_words - 1, &r->s->servers);
}

static int set_versions(struct reading *r)
{
    static const char *const known[] = {"ipv4", "ipv6", NULL};

    r->s->ipv4 = r->s->ipv6 = false;
    for (size_t i = 1; i < r->line->n_words; i++) {
        if (str_is(r->line->words[i].text, "ipv4"))
            r->s->ipv4 = true;
        else if (str_is(r->line->words[i].text, "ipv6"))
            r->s->ipv6 = true;
        else
            return directive_unknown(r->d, &r->line->words[i], "version", known);
    }
    return 0;
}

static const struct {
    const char *name;
    unsigned kinds;
    bool many; /* words may follow */
    int (*set)(struct reading *r);
} options[] = {
    {"dial_fallback_delay", KIND_A | KIND_SRV, false, set_fallback_delay},
    {"dial_timeout", KIND_A | KIND_SRV, false, set_timeout},
    {"grace_period", KIND_SRV, false, set_grace},
    {"name", KIND_A | KIND_SRV, false, set_name},
    {"port", KIND_A, false, set_port},
    {"proto", KIND_SRV, false, set_proto},
    {"refresh", KIND_A | KIND_SRV, false, set_refresh},
    {"resolvers", KIND_A | KIND_SRV, true, set_resolvers},
    {"service", KIND_SRV, false, set_service},
    {"versions", KIND_A, true, set_versions},
};

static int set_option(struct reading *r)
{
    const unsigned kind = r->s->kind == DYNAMIC_A ? KIND_A : KIND_SRV;
    const char *known[ARRAY_LEN(options) + 1];
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_LEN(options); i++) {
        if ((options[i].kinds & kind) == 0)
            continue;
        known[n++] = options[i].name;
        if (!str_is(r->line->words[0].text, options[i].name))
            continue;
        if (r->line->has_block || r->line->n_words < 2 ||
            (r->line->n_words > 2 && !options[i].many))
            return directive_error(r->d, &r->line->words[0], "'%s' has one value", options[i].name);
        return options[i].set(r);
    }
    known[n] = NULL;
    return directive_unknown(r->d, &r->line->words[0], "option of a source", known);
}

/* ---- one source ---- */

static int finish_name(struct reading *r, const struct token *kind)
{
    struct str text;

    if (r->name == NULL)
        return directive_error(r->d, kind, "a name to look up is missing");
    if ((r->service == NULL) != (r->proto == NULL))
        return directive_error(r->d, kind, "'service' and 'proto' stand together");
    text = directive_str(r->d, r->name);
    if (r->service != NULL)
        text = arena_printf(r->d->arena, "_" STR_FMT "._" STR_FMT "." STR_FMT,
                            STR_ARG(r->service->text), STR_ARG(r->proto->text), STR_ARG(text));
    if (!dns_is_name(text))
        return directive_error(r->d, r->name, "'" STR_FMT "' is no name to look up", STR_ARG(text));
    r->s->name = arena_str(r->d->arena, text).p;
    if (r->s->kind == DYNAMIC_A && r->s->port == 0)
        return directive_error(r->d, kind, "a port is missing: 'a NAME PORT'");
    return 0;
}

static int add_source(const struct directive_args *d, const struct token *words, size_t n,
                      const struct node *block, struct dynamic_conf *out)
{
    const bool is_a = str_is(words[0].text, "a");
    struct reading r = {.d = d};
    int rc = 0;

    if (out->n == DYNAMIC_SOURCES_MAX)
        return directive_error(d, &words[0], "at most %d sources", DYNAMIC_SOURCES_MAX);
    r.s = &out->sources[out->n++];
    *r.s = (struct dynamic_source){.kind = is_a ? DYNAMIC_A : DYNAMIC_SRV,
                                   .refresh_ms = REFRESH_MS,
                                   .ipv4 = true,
                                   .ipv6 = true};
    if (n > (is_a ? 3 : 2))
        return directive_error(d, &words[is_a ? 3 : 2], "nothing more stands here: '%s'",
                               is_a ? "a NAME PORT" : "srv NAME");
    if (n > 1)
        r.name = &words[1];
    if (n > 2 && set_port_of(d, &words[2], r.s) != 0)
        rc = -1;
    for (size_t i = 0; i < block->n_children; i++) {
        r.line = &block->children[i];
        if (set_option(&r) != 0)
            rc = -1;
    }
    return rc == 0 ? finish_name(&r, &words[0]) : rc;
}

static int add_multi(const struct directive_args *d, struct dynamic_conf *out)
{
    static const char *const known[] = {"a", "srv", NULL};
    int rc = 0;

    if (d->n_args > 1 || d->node->n_children == 0)
        return directive_error(d, &d->args[0], "a block of sources follows 'multi'");
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (!str_is(line->words[0].text, "a") && !str_is(line->words[0].text, "srv"))
            rc = directive_unknown(d, &line->words[0], "source", known);
        else if (add_source(d, line->words, line->n_words, line, out) != 0)
            rc = -1;
    }
    return rc;
}

int dynamic_set(const struct directive_args *d, struct dynamic_conf *out)
{
    static const char *const known[] = {"a", "multi", "srv", NULL};

    if (str_is(d->args[0].text, "multi"))
        return add_multi(d, out);
    if (!str_is(d->args[0].text, "a") && !str_is(d->args[0].text, "srv"))
        return directive_unknown(d, &d->args[0], "source", known);
    return add_source(d, d->args, d->n_args, d->node, out);
}
