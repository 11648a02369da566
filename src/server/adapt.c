#include "server/adapt.h"

#include "base/alloc.h"
#include "conf/directive.h"
#include "conf/log_format.h"
#include "conf/source.h"
#include "server/net_text.h"

#include <json.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- values ---- */

static struct json_object *string(struct str s)
{
    return json_object_new_string_len(s.p == NULL ? "" : s.p, (int)s.len);
}

static void put(struct json_object *o, const char *key, struct json_object *value)
{
    json_object_object_add(o, key, value);
}

/* Nothing for an empty text. */
static void put_text(struct json_object *o, const char *key, const char *text)
{
    if (text != NULL && text[0] != '\0')
        put(o, key, json_object_new_string(text));
}

static void put_ms(struct json_object *o, const char *key, uint64_t ms)
{
    put(o, key, json_object_new_int64((int64_t)ms));
}

static struct json_object *strings(const struct str *list, size_t n)
{
    struct json_object *a = json_object_new_array();

    for (size_t i = 0; i < n; i++)
        json_object_array_add(a, string(list[i]));
    return a;
}

/* ---- routes ---- */

/* A route that is being told, and those it is in: named routes may invoke each other. */
struct within {
    const struct conf *conf;
    const struct route *route;
    const struct within *up;
};

/* What a handler tells goes into its row. */
struct told {
    struct describer describer;
    const struct within *within;
    struct json_object *row;
};

static struct json_object *json_of_route(const struct conf *c, const struct route *r,
                                         const struct within *up);

static struct told *told_of(struct describer *d)
{
    return container_of(d, struct told, describer);
}

static void tell_text(struct describer *d, const char *key, struct str value)
{
    put(told_of(d)->row, key, string(value));
}

static void tell_number(struct describer *d, const char *key, int64_t value)
{
    put(told_of(d)->row, key, json_object_new_int64(value));
}

static void tell_flag(struct describer *d, const char *key, bool value)
{
    put(told_of(d)->row, key, json_object_new_boolean(value));
}

static void tell_item(struct describer *d, const char *key, struct str value)
{
    struct json_object *row = told_of(d)->row, *list;

    if (!json_object_object_get_ex(row, key, &list)) {
        list = json_object_new_array();
        put(row, key, list);
    }
    json_object_array_add(list, string(value));
}

static bool is_in(const struct within *within, const struct route *route)
{
    while (within != NULL && within->route != route)
        within = within->up;
    return within != NULL;
}

static void tell_route(struct describer *d, const char *key, const struct route *value)
{
    const struct within *within = told_of(d)->within;

    if (is_in(within, value))
        put(told_of(d)->row, key, json_object_new_string("the one this stands in, again"));
    else
        put(told_of(d)->row, key, json_of_route(within->conf, value, within));
}

static struct json_object *json_of_matcher(const struct matcher *m)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < m->n; i++)
        json_object_array_add(list, json_object_new_string(m->all[i].source != NULL
                                                               ? m->all[i].source
                                                               : m->all[i].type->row.name));
    return list;
}

static struct json_object *json_of_row(const struct within *within, const struct handler_row *row)
{
    const struct handler_conf *h = &within->conf->handlers[row->slot];
    struct told told = {{tell_text, tell_number, tell_flag, tell_item, tell_route},
                        within,
                        json_object_new_object()};

    if (row->matcher.n > 0)
        put(told.row, "match", json_of_matcher(&row->matcher));
    put(told.row, "directive", json_object_new_string(h->row->name));
    if (h->source != NULL && h->source->n_arguments > 0)
        put(told.row, "arguments", strings(h->source->arguments, h->source->n_arguments));
    if (h->row->describe != NULL)
        h->row->describe(h->conf, &told.describer);
    if (h->source != NULL && h->source->n_lines > 0 &&
        !json_object_object_get_ex(told.row, "route", NULL))
        put(told.row, "options", strings(h->source->lines, h->source->n_lines));
    return told.row;
}

static struct json_object *json_of_route(const struct conf *c, const struct route *r,
                                         const struct within *up)
{
    const struct within here = {c, r, up};
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < r->n_rows; i++)
        json_object_array_add(list, json_of_row(&here, &r->rows[i]));
    return list;
}

/* ---- sites ---- */

static const char *version_text(enum tls_version v)
{
    return v == TLS_1_2 ? "tls1.2" : "tls1.3";
}

static const char *key_type_text(enum key_type t)
{
    static const char *const names[] = {
        [KEY_P256] = "p256",       [KEY_P384] = "p384",       [KEY_RSA2048] = "rsa2048",
        [KEY_RSA3072] = "rsa3072", [KEY_RSA4096] = "rsa4096", [KEY_ED25519] = "ed25519"};

    return names[t];
}

static struct json_object *json_of_tls(const struct tls_conf *tls)
{
    static const char *const sources[] = {[CERT_NONE] = "none",
                                          [CERT_ACME] = "acme",
                                          [CERT_INTERNAL] = "internal",
                                          [CERT_FILES] = "files"};
    struct json_object *o = json_object_new_object();

    put_text(o, "certificate", sources[tls->source]);
    if (tls->source == CERT_ACME) {
        put_text(o, "ca", tls->ca);
        put_text(o, "ca_root", tls->ca_root);
        put_text(o, "email", tls->email);
        put_text(o, "eab_key_id", tls->eab_key_id);
    }
    if (tls->source == CERT_FILES) {
        put_text(o, "cert_file", tls->cert_file);
        put_text(o, "key_file", tls->key_file);
    } else if (tls->source != CERT_NONE) {
        put_text(o, "key_type", key_type_text(tls->key_type));
        if (tls->renewal_permille > 0)
            put(o, "renewal_window_ratio", json_object_new_double(tls->renewal_permille / 1000.0));
    }
    put_text(o, "protocols_min", version_text(tls->min_version));
    put_text(o, "protocols_max", version_text(tls->max_version));
    return o;
}

/* What is done to fields, without the details. */
static struct json_object *json_of_rules(const struct log_conf *log)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < log->n_rules; i++) {
        const struct log_rule *rule = &log->rules[i];
        struct json_object *o = json_object_new_object();

        put(o, "field", string(rule->field));
        put_text(o, "filter", log_rule_name(rule->kind));
        if (rule->text.len > 0)
            put(o, "text", string(rule->text));
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *json_of_log(const struct site_log *site_log)
{
    static const char *const formats[] = {"json", "console", "combined"};
    const struct log_conf *log = site_log->log;
    struct json_object *o = json_object_new_object();

    put(o, "logger", string(log->logger));
    put_text(o, "output", log->path == NULL ? "discard" : log->path);
    put_text(o, "format", formats[log->format]);
    put_text(o, "level", log->errors_only ? "ERROR" : "INFO");
    if (site_log->n_hosts > 0)
        put(o, "hosts", strings(site_log->hosts, site_log->n_hosts));
    if (log->n_rules > 0)
        put(o, "filters", json_of_rules(log));
    return o;
}

static struct json_object *json_of_logs(const struct site *s)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < s->n_logs; i++)
        json_object_array_add(list, json_of_log(&s->logs[i]));
    return list;
}

/* The hosts of the listeners that lead to a site: "https://a.com", "http://[::]:8080". */
static struct json_object *json_of_site(const struct conf *c, const struct site *s)
{
    struct json_object *o = json_object_new_object();

    put(o, "name", string(s->name));
    if (s->tls.source != CERT_NONE)
        put(o, "tls", json_of_tls(&s->tls));
    if (s->hsts.mode == HSTS_FIXED)
        put(o, "hsts", string(s->hsts.value));
    else if (s->tls.source == CERT_ACME)
        put_text(o, "hsts", s->hsts.mode == HSTS_OFF ? "off" : "ramp");
    if (s->n_logs > 0)
        put(o, "logs", json_of_logs(s));
    put(o, "route", json_of_route(c, &s->route, NULL));
    if (s->errors.n_rows > 0)
        put(o, "errors", json_of_route(c, &s->errors, NULL));
    return o;
}

/* ---- listeners ---- */

static int compare_hosts(const void *a, const void *b)
{
    const struct host_entry *const *x = a, *const *y = b;

    return str_cmp((*x)->host, (*y)->host);
}

static struct json_object *json_of_host(const struct host_entry *h)
{
    struct json_object *o = json_object_new_object();

    put(o, "host", h->host.len == 0 ? json_object_new_string("*") : string(h->host));
    if (h->site != NULL)
        put(o, "site", string(h->site->name));
    else
        put(o, "redirect_to_https_port", json_object_new_int(h->https_port));
    return o;
}

/* Sorted: the buckets are in the order of a hash. */
static struct json_object *json_of_hosts(const struct listener_conf *l)
{
    const struct host_entry **sorted = xalloc((l->n_buckets + 1) * sizeof(*sorted));
    struct json_object *list = json_object_new_array();
    size_t n = 0;

    for (size_t i = 0; i < l->n_buckets; i++)
        if (l->buckets[i] != NULL)
            sorted[n++] = l->buckets[i];
    qsort(sorted, n, sizeof(*sorted), compare_hosts);
    if (l->any != NULL)
        sorted[n++] = l->any;
    for (size_t i = 0; i < n; i++)
        json_object_array_add(list, json_of_host(sorted[i]));
    free(sorted);
    return list;
}

static struct json_object *json_of_listener(const struct listener_conf *l)
{
    struct json_object *o = json_object_new_object();
    char address[NET_TEXT_MAX];

    net_text((const struct sockaddr *)&l->addr, address);
    put_text(o, "address", address);
    put(o, "tls", json_object_new_boolean(l->tls));
    if (l->implicit)
        put(o, "for_redirects_and_challenges_only", json_object_new_boolean(true));
    put(o, "hosts", json_of_hosts(l));
    return o;
}

/* ---- options ---- */

static struct json_object *json_of_ranges(const struct ip_set *set)
{
    struct json_object *list = json_object_new_array();
    struct arena *a = arena_new();

    for (size_t i = 0; i < set->n; i++)
        json_object_array_add(
            list,
            string(arena_printf(a, STR_FMT "-" STR_FMT, STR_ARG(ip_format(a, &set->list[i].first)),
                                STR_ARG(ip_format(a, &set->list[i].last)))));
    arena_free(a);
    return list;
}

static struct json_object *json_of_options(const struct options *opt)
{
    static const char *const levels[] = {"DEBUG", "INFO", "WARN", "ERROR"};
    struct json_object *o = json_object_new_object();

    put_text(o, "storage", opt->storage);
    put_text(o, "admin", opt->admin[0] == '\0' ? "off" : opt->admin);
    put(o, "http_port", json_object_new_int(opt->http_port));
    put(o, "https_port", json_object_new_int(opt->https_port));
    put_text(o, "log_level", levels[opt->log_level]);
    if (opt->default_sni.len > 0)
        put(o, "default_sni", string(opt->default_sni));
    if (opt->fallback_sni.len > 0)
        put(o, "fallback_sni", string(opt->fallback_sni));
    put(o, "trusted_proxies", json_of_ranges(&opt->trusted_proxies));
    put(o, "trusted_proxies_strict", json_object_new_boolean(opt->trusted_strict));
    put(o, "strict_sni_host", json_object_new_boolean(opt->strict_sni));
    put_ms(o, "grace_period_ms", opt->grace_period_ms);
    put_ms(o, "shutdown_delay_ms", opt->shutdown_delay_ms);
    put_ms(o, "renew_interval_ms", opt->renew_interval_ms);
    put_ms(o, "ticket_rotation_ms", opt->ticket_rotation_ms);
    put_ms(o, "timeout_read_header_ms", opt->header_timeout_ms);
    put_ms(o, "timeout_read_body_ms", opt->body_timeout_ms);
    put_ms(o, "timeout_idle_ms", opt->idle_timeout_ms);
    put(o, "max_header_size", json_object_new_int64((int64_t)opt->max_header_size));
    if (opt->max_connections > 0)
        put(o, "max_connections", json_object_new_int64(opt->max_connections));
    put(o, "proxy_buffers", json_object_new_int64((int64_t)opt->proxy_buffers));
    put(o, "workers", json_object_new_int((int)opt->workers));
    return o;
}

/* ---- the whole ---- */

static struct json_object *json_of_certs(const struct conf *c)
{
    struct json_object *list = json_object_new_array();

    for (size_t i = 0; i < c->n_certs; i++) {
        struct json_object *o = json_of_tls(c->certs[i].tls);

        put_text(o, "name", c->certs[i].name);
        json_object_array_add(list, o);
    }
    return list;
}

static struct json_object *json_of_conf(const struct conf *c)
{
    struct json_object *o = json_object_new_object();
    struct json_object *listeners = json_object_new_array(), *sites = json_object_new_array();

    for (size_t i = 0; i < c->n_listeners; i++)
        json_object_array_add(listeners, json_of_listener(&c->listeners[i]));
    for (size_t i = 0; i < c->n_sites; i++)
        json_object_array_add(sites, json_of_site(c, c->sites[i]));
    put(o, "options", json_of_options(&c->options));
    put(o, "listeners", listeners);
    put(o, "certificates", json_of_certs(c));
    put(o, "sites", sites);
    return o;
}

char *adapt_json(const struct conf *conf)
{
    struct json_object *o = json_of_conf(conf);
    const char *text = json_object_to_json_string_ext(
        o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE);
    size_t len = strlen(text);
    char *copy = xalloc(len + 2);

    memcpy(copy, text, len);
    copy[len] = '\n';
    json_object_put(o);
    return copy;
}
