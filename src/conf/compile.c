#include "conf/compile.h"

#include "conf/certs.h"
#include "conf/listeners.h"
#include "conf/log_directive.h"

#include <stdlib.h>

/* ---- defaults ---- */

static const char acme_ca_default[] = "https://acme-v02.api.letsencrypt.org/directory";

void compile_defaults(struct conf_builder *b)
{
    static const struct str client_ip_headers[] = {{"X-Forwarded-For", 15}};

    order_init(&b->order, b->scratch);
    b->global.options = (struct options){
        .admin = NULL, /* beside the storage, once that is known */
        .http_port = 80,
        .https_port = 443,
        .grace_period_ms = 10 * 1000,
        .renew_interval_ms = 10 * 60 * 1000,
        .ticket_rotation_ms = 12 * 3600 * 1000,
        .header_timeout_ms = 60 * 1000,
        .proxy = {.timeout_ms = 5 * 1000},
        .idle_timeout_ms = 5 * 60 * 1000,
        .body_timeout_ms = 60 * 1000,
        .max_header_size = 16 * 1024,
        .proxy_buffers = 256 * 1024 * 1024,
        .log_level = LOG_INFO,
        .client_ip_headers = client_ip_headers,
        .n_client_ip_headers = 1,
        .file_cache =
            {
                .bytes = 16 * 1024 * 1024,
                .files = 1024,
                .descriptors = 128,
                .absent = 512,
                .fresh_ms = 1000,
            },
    };
    b->global.tls = (struct tls_conf){
        .source = CERT_NONE,
        .email = "",
        .ca = acme_ca_default,
        .ca_root = "",
        .eab_key_id = "",
        .eab_mac_key = "",
        .cert_file = "",
        .key_file = "",
        .key_type = KEY_P256,
        .min_version = TLS_1_2,
        .max_version = TLS_1_3,
    };
}

/* As the XDG base directory specification has it: a relative path there is to be ignored. */
static const char *default_storage(struct arena *a)
{
    const char *data = getenv("XDG_DATA_HOME"), *home = getenv("HOME");

    if (data != NULL && data[0] == '/')
        return arena_printf(a, "%s/lintel", data).p;
    if (home != NULL && home[0] == '/')
        return arena_printf(a, "%s/.local/share/lintel", home).p;
    return "/var/lib/lintel";
}

/* The host of the site that an option names; len 0, after a warning, if there is none. */
static struct str named_host(struct conf_builder *b, const struct token *name)
{
    if (name->line == 0)
        return STR_LIT("");
    for (size_t i = 0; i < b->n_sites; i++)
        for (size_t j = 0; j < b->sites[i]->n_addresses; j++) {
            struct str host = str_of(b->sites[i]->addresses[j].address.host);

            if (host.len > 0 && str_eq_nocase(host, name->text))
                return arena_str(b->arena, host);
        }
    diag_warn(b->diag, name, "there is no site of the name '" STR_FMT "'", STR_ARG(name->text));
    return STR_LIT("");
}

static struct options compile_options(struct conf_builder *b)
{
    struct options o = b->global.options;

    o.default_sni = named_host(b, &b->global.default_sni);
    o.fallback_sni = named_host(b, &b->global.fallback_sni);
    if (o.storage == NULL)
        o.storage = default_storage(b->arena);
    if (o.admin == NULL)
        o.admin = arena_printf(b->arena, "%s/admin.sock", o.storage).p;
    return o;
}

/* ---- sites ---- */

static const struct handler_conf *compile_handlers(struct conf_builder *b)
{
    struct handler_conf *out = arena_alloc(b->arena, (b->handlers.n + 1) * sizeof *out);

    for (size_t i = 0; i < b->handlers.n; i++)
        out[i] = b->handlers.list[i];
    return out;
}

static void compile_sites(struct conf_builder *b, struct conf *conf)
{
    const struct site **sites = arena_alloc(b->arena, (b->n_sites + 1) * sizeof(*sites));

    for (size_t i = 0; i < b->n_sites; i++)
        sites[i] = b->sites[i]->site;
    conf->sites = sites;
    conf->n_sites = b->n_sites;
    log_compile(b, conf);
    conf->handlers = compile_handlers(b);
    conf->n_handlers = b->handlers.n;
}

/* ---- addresses ---- */

/* The port an address stands for, and whether TLS is spoken there; Caddy's rules. */
static int resolve(struct conf_builder *b, const struct site_draft *site,
                   const struct site_address *sa, uint16_t *port, bool *tls)
{
    const struct options *o = &b->global.options;
    const struct address *a = &sa->address;

    *port = a->port != 0 ? a->port : a->scheme == SCHEME_HTTP ? o->http_port : o->https_port;
    if (a->scheme == SCHEME_HTTP && *port == o->https_port)
        return diag_error(b->diag, &sa->token, "http:// cannot be on the HTTPS port %u",
                          (unsigned)*port);
    if (a->scheme == SCHEME_HTTPS && *port == o->http_port)
        return diag_error(b->diag, &sa->token, "https:// cannot be on the HTTP port %u",
                          (unsigned)*port);
    if (a->scheme == SCHEME_HTTP || *port == o->http_port)
        *tls = false;
    else
        *tls = a->scheme == SCHEME_HTTPS || *port == o->https_port || a->kind != HOST_ANY ||
               site->tls_token.line != 0;
    return 0;
}

/* A TLS address that got its place: redirects and challenges follow when all sites have theirs. */
struct tls_address {
    const struct site_draft *site;
    const struct site_address *address;
    uint16_t port;
    enum cert_source source;
};

struct addresses {
    struct listeners *listeners;
    struct needs needs;
    struct tls_address *tls;
    size_t n_tls, cap_tls;
};

static void place_site(struct conf_builder *b, struct addresses *as, struct site_draft *site)
{
    size_t n_tls = 0;

    for (size_t i = 0; i < site->n_addresses; i++) {
        const struct site_address *sa = &site->addresses[i];
        struct tls_address t = {.site = site, .address = sa};
        bool tls = false;

        if (resolve(b, site, sa, &t.port, &tls) != 0)
            continue;
        if (tls) {
            n_tls++;
            if (certs_add(b, site, sa, &as->needs, &t.source) != 0)
                continue;
            as->tls = arena_grow(b->scratch, as->tls, as->n_tls, &as->cap_tls, sizeof *as->tls);
            as->tls[as->n_tls++] = t;
        }
        listeners_add_site(as->listeners, site, sa, t.port, tls);
    }
    if (n_tls == 0 && site->n_addresses > 0 && site->tls_token.line != 0)
        diag_error(b->diag, &site->tls_token, "'tls' is of no use: the site has no HTTPS address");
    if (n_tls == 0 && site->n_addresses > 0 && site->hsts_token.line != 0)
        diag_warn(b->diag, &site->hsts_token,
                  "'hsts' is of no use: the site has no HTTPS address, and browsers ignore the "
                  "field over plain HTTP");
}

/* The http side of automatic HTTPS. */
static void place_redirects(struct conf_builder *b, struct addresses *as)
{
    for (size_t i = 0; i < as->n_tls; i++) {
        const struct tls_address *t = &as->tls[i];

        switch (b->global.auto_https) {
        case AUTO_HTTPS_OFF:
            break;
        case AUTO_HTTPS_DISABLE_REDIRECTS:
            if (t->source == CERT_ACME)
                listeners_add_challenge(as->listeners, t->site);
            break;
        case AUTO_HTTPS_ON:
        case AUTO_HTTPS_DISABLE_CERTS:
        case AUTO_HTTPS_IGNORE_LOADED:
            listeners_add_redirect(as->listeners, t->site, t->address, t->port);
            break;
        }
    }
}

static void compile_needs(struct conf_builder *b, const struct needs *needs, struct conf *conf)
{
    struct cert_need *out = arena_alloc(b->arena, (needs->n + 1) * sizeof *out);

    for (size_t i = 0; i < needs->n; i++)
        out[i] = (struct cert_need){needs->list[i].name, needs->list[i].tls};
    conf->certs = out;
    conf->n_certs = needs->n;
}

struct conf *compile_run(struct conf_builder *b)
{
    struct addresses as = {.listeners = listeners_new(b)};
    struct conf *conf = arena_alloc(b->arena, sizeof *conf);

    atomic_init(&conf->refs, 1);
    conf->arena = b->arena;
    conf->path = b->file;
    conf->options = compile_options(b);
    for (size_t i = 0; i < b->n_sites; i++)
        place_site(b, &as, b->sites[i]);
    place_redirects(b, &as);
    certs_settle(b, &as.needs);
    compile_sites(b, conf);
    compile_needs(b, &as.needs, conf);
    listeners_compile(as.listeners, conf);
    return conf;
}
