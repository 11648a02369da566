#include "conf/listeners.h"

#include "conf/hosts.h"

#include <netinet/in.h>
#include <stdlib.h>

struct host_draft {
    struct host_entry entry;
    const struct token *at;
};

struct listener_draft {
    struct listener_conf conf;
    const struct token *at; /* the first address that needs it */
    struct host_draft *hosts;
    size_t n_hosts, cap_hosts;
};

struct listeners {
    struct conf_builder *builder;
    struct listener_draft *list;
    size_t n, cap;
};

struct listeners *listeners_new(struct conf_builder *b)
{
    struct listeners *ls = arena_alloc(b->scratch, sizeof *ls);

    ls->builder = b;
    return ls;
}

/* ---- where a site is bound ---- */

/* One socket for both families: the server falls back to IPv4 where there is no IPv6. */
static const struct binding any_address = {.addr = {.ss_family = AF_INET6},
                                           .addr_len = sizeof(struct sockaddr_in6)};

static struct bindings bindings_of(const struct listeners *ls, const struct site_draft *site)
{
    if (site->bind.n > 0)
        return site->bind;
    if (ls->builder->global.bind.n > 0)
        return ls->builder->global.bind;
    return (struct bindings){(struct binding *)&any_address, 1};
}

static void set_port(struct sockaddr_storage *addr, uint16_t port)
{
    if (addr->ss_family == AF_INET6)
        ((struct sockaddr_in6 *)addr)->sin6_port = htons(port);
    else
        ((struct sockaddr_in *)addr)->sin_port = htons(port);
}

/* The listener at an address, made if there is none; NULL after an error. */
static struct listener_draft *listener_at(struct listeners *ls, const struct binding *binding,
                                          uint16_t port, bool tls, const struct token *at)
{
    struct sockaddr_storage addr = binding->addr;
    struct listener_draft *l;

    set_port(&addr, port);
    for (size_t i = 0; i < ls->n; i++)
        if (memcmp(&ls->list[i].conf.addr, &addr, binding->addr_len) == 0)
            return &ls->list[i];
    if (ls->n == LISTENERS_MAX) {
        diag_error(ls->builder->diag, at, "more than %d addresses and ports to listen at",
                   LISTENERS_MAX);
        return NULL;
    }
    ls->list = arena_grow(ls->builder->scratch, ls->list, ls->n, &ls->cap, sizeof *ls->list);
    l = &ls->list[ls->n];
    *l = (struct listener_draft){.at = at};
    l->conf.addr = addr;
    l->conf.addr_len = binding->addr_len;
    l->conf.port = port;
    l->conf.tls = tls;
    l->conf.index = ls->n++;
    return l;
}

static void add_host(struct listeners *ls, struct listener_draft *l, const struct host_entry *entry,
                     const struct token *at)
{
    l->hosts =
        arena_grow(ls->builder->scratch, l->hosts, l->n_hosts, &l->cap_hosts, sizeof *l->hosts);
    l->hosts[l->n_hosts++] = (struct host_draft){*entry, at};
}

/* ---- what is reached there ---- */

void listeners_add_site(struct listeners *ls, const struct site_draft *site,
                        const struct site_address *sa, uint16_t port, bool tls)
{
    const struct bindings bound = bindings_of(ls, site);
    const struct host_entry entry = {.host = str_of(sa->address.host), .site = site->site};

    for (size_t i = 0; i < bound.n; i++) {
        struct listener_draft *l = listener_at(ls, &bound.list[i], port, tls, &sa->token);

        if (l == NULL)
            return;
        if (l->conf.tls == tls)
            add_host(ls, l, &entry, &sa->token);
        else
            diag_error(ls->builder->diag, &sa->token,
                       "port %u cannot be both: '" STR_FMT "' is %s, and '" STR_FMT "' at " STR_FMT
                       ":%u:%u is %s",
                       (unsigned)port, STR_ARG(sa->token.text), tls ? "HTTPS" : "plain HTTP",
                       STR_ARG(l->at->text), STR_ARG(l->at->file), l->at->line, l->at->column,
                       tls ? "plain HTTP" : "HTTPS");
    }
}

/* A plain listener on the http port; NULL if that port is used otherwise. */
static struct listener_draft *implicit_at(struct listeners *ls, const struct binding *binding,
                                          const struct token *at)
{
    const size_t before = ls->n;
    struct listener_draft *l =
        listener_at(ls, binding, ls->builder->global.options.http_port, false, at);

    if (ls->n > before)
        l->conf.implicit = true;
    return l == NULL || l->conf.tls ? NULL : l;
}

void listeners_add_redirect(struct listeners *ls, const struct site_draft *site,
                            const struct site_address *sa, uint16_t https_port)
{
    const struct bindings bound = bindings_of(ls, site);
    const struct host_entry entry = {.host = str_of(sa->address.host), .https_port = https_port};

    for (size_t i = 0; i < bound.n; i++) {
        struct listener_draft *l = implicit_at(ls, &bound.list[i], &sa->token);

        if (l != NULL)
            add_host(ls, l, &entry, &sa->token);
    }
}

void listeners_add_challenge(struct listeners *ls, const struct site_draft *site)
{
    const struct bindings bound = bindings_of(ls, site);

    for (size_t i = 0; i < bound.n; i++)
        (void)implicit_at(ls, &bound.list[i], &site->addresses[0].token);
}

/* ---- the tables ---- */

static unsigned precedence(const struct host_entry *e, uint16_t https_port)
{
    if (e->site != NULL)
        return 0;
    return e->https_port == https_port ? 1 : 2;
}

/* Same hosts side by side: the site first, then a redirect to the https port, then others. */
static int compare(const void *a, const void *b, void *https_port)
{
    const struct host_draft *x = a, *y = b;
    int c = str_cmp(x->entry.host, y->entry.host);
    unsigned p = precedence(&x->entry, *(uint16_t *)https_port);
    unsigned q = precedence(&y->entry, *(uint16_t *)https_port);

    if (c == 0)
        c = (p > q) - (p < q);
    if (c == 0)
        c = (x->at->line > y->at->line) - (x->at->line < y->at->line);
    return c != 0 ? c : (x->at->column > y->at->column) - (x->at->column < y->at->column);
}

static void report_twice(struct listeners *ls, const struct host_draft *first,
                         const struct host_draft *second)
{
    diag_error(ls->builder->diag, second->at,
               "'" STR_FMT "' is the same address as '" STR_FMT "' at " STR_FMT ":%u:%u",
               STR_ARG(second->at->text), STR_ARG(first->at->text), STR_ARG(first->at->file),
               first->at->line, first->at->column);
}

static void compile_hosts(struct listeners *ls, struct listener_draft *l)
{
    struct arena *a = ls->builder->arena;
    struct host_entry *entries = arena_alloc(a, (l->n_hosts + 1) * sizeof *entries);
    uint16_t https_port = ls->builder->global.options.https_port;
    const struct host_draft *last = NULL;
    size_t n = 0;

    if (l->n_hosts > 1)
        qsort_r(l->hosts, l->n_hosts, sizeof l->hosts[0], compare, &https_port);
    for (size_t i = 0; i < l->n_hosts; i++) {
        const struct host_draft *h = &l->hosts[i];

        if (last != NULL && str_eq(last->entry.host, h->entry.host)) {
            if (h->entry.site != NULL)
                report_twice(ls, last, h);
            continue;
        }
        entries[n] = h->entry;
        entries[n++].host = arena_str(a, h->entry.host);
        last = h;
    }
    hosts_build(a, &l->conf, entries, n);
}

void listeners_compile(struct listeners *ls, struct conf *conf)
{
    struct listener_conf *out = arena_alloc(conf->arena, (ls->n + 1) * sizeof *out);

    for (size_t i = 0; i < ls->n; i++) {
        compile_hosts(ls, &ls->list[i]);
        out[i] = ls->list[i].conf;
    }
    conf->listeners = out;
    conf->n_listeners = ls->n;
}
