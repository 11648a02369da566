#include "handlers/fastcgi_params.h"

#include "base/alloc.h"
#include "http/placeholder.h"
#include "http/vars.h"

#include <stdlib.h>

struct maker {
    struct arena *arena;
    struct exchange *ex; /* NULL: a request of our own */
    const struct fastcgi_conf *conf;
    struct fastcgi_params *out;
};

static void append(struct maker *m, struct str name, struct str value)
{
    struct fastcgi_params *p = m->out;

    p->list = arena_grow(m->arena, p->list, p->n, &p->cap, sizeof *p->list);
    p->list[p->n++] = (struct fcgi_param){name, value.p == NULL ? STR_LIT("") : value};
}

/* What the configuration says of a variable counts. */
static void add(struct maker *m, struct str name, struct str value)
{
    for (size_t i = 0; i < m->conf->n_env; i++)
        if (str_eq(m->conf->env[i].name, name))
            return;
    append(m, name, value);
}

#define ADD(name, value) add(m, STR_LIT(name), value)

/* ---- fields ---- */

static bool is_plain(struct str name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
            return false;
    }
    return name.len > 0 && !str_eq_nocase(name, STR_LIT("Proxy"));
}

static struct str variable_of(struct arena *a, struct str name)
{
    const struct str prefix = STR_LIT("HTTP_");
    char *p = arena_bytes(a, prefix.len + name.len + 1);

    memcpy(p, prefix.p, prefix.len);
    for (size_t i = 0; i < name.len; i++) {
        char c = name.p[i];

        p[prefix.len + i] = c == '-' ? '_' : c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
    }
    return (struct str){p, prefix.len + name.len};
}

/* A field and its place among all. */
struct placed {
    struct str variable;
    struct str value;
    size_t at;
};

static int by_variable(const void *a_, const void *b_)
{
    const struct placed *a = a_, *b = b_;
    int rc = str_cmp(a->variable, b->variable);

    return rc != 0 ? rc : a->at < b->at ? -1 : 1;
}

/* The values of n lines of one name (RFC 9110 5.3, and for cookies RFC 9113 8.2.3). */
static struct str joined(struct arena *a, const struct placed *list, size_t n)
{
    const struct str separator =
        str_is(list->variable, "HTTP_COOKIE") ? STR_LIT("; ") : STR_LIT(", ");
    size_t len = (n - 1) * separator.len;
    char *all, *at;

    if (n == 1)
        return list->value;
    for (size_t i = 0; i < n; i++)
        len += list[i].value.len;
    all = at = arena_bytes(a, len + 1);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            at = mempcpy(at, separator.p, separator.len);
        if (list[i].value.len > 0)
            at = mempcpy(at, list[i].value.p, list[i].value.len);
    }
    return (struct str){all, len};
}

static void add_fields(struct maker *m, const struct fields *fields)
{
    struct arena *a = m->arena;
    struct placed *list = arena_alloc(a, (fields->n + 1) * sizeof *list);
    size_t n = 0;

    for (size_t i = 0; i < fields->n; i++)
        if (is_plain(fields->list[i].name)) {
            list[n] =
                (struct placed){variable_of(a, fields->list[i].name), fields->list[i].value, n};
            n++;
        }
    qsort(list, n, sizeof *list, by_variable);
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && str_eq(list[end].variable, list[i].variable);)
            end++;
        add(m, list[i].variable, joined(a, &list[i], end - i));
    }
}

/* ---- the request ---- */

static struct str number(struct arena *a, long long n)
{
    return arena_printf(a, "%lld", n);
}

/* "host:port" to its parts, the host without brackets. */
static void split_host(struct str host, struct str *name, struct str *port)
{
    size_t bracket = str_starts(host, STR_LIT("[")) ? str_chr(host, ']') : 0;
    size_t colon = bracket + str_chr(str_from(host, bracket), ':');

    *name = (struct str){host.p, colon};
    *port = colon < host.len ? str_from(host, colon + 1) : STR_LIT("");
    if (bracket > 0 && colon > 1 && name->p[colon - 1] == ']')
        *name = (struct str){host.p + 1, colon - 2};
}

static void add_server(struct maker *m, struct str host)
{
    const bool secure = m->ex != NULL && m->ex->secure;
    const bool old = m->ex != NULL && m->ex->http_minor == 0;
    struct str name, port;

    split_host(host, &name, &port);
    if (port.len == 0)
        port = secure ? STR_LIT("443") : STR_LIT("80");
    ADD("GATEWAY_INTERFACE", STR_LIT("CGI/1.1"));
    ADD("SERVER_NAME", name);
    ADD("SERVER_PORT", port);
    ADD("SERVER_PROTOCOL", old ? STR_LIT("HTTP/1.0") : STR_LIT("HTTP/1.1"));
    ADD("SERVER_SOFTWARE", STR_LIT("Lintel/" PACKAGE_VERSION));
    ADD("REQUEST_SCHEME", secure ? STR_LIT("https") : STR_LIT("http"));
}

/* "TLS1.3" is called "TLSv1.3" by mod_ssl, whose names these are. */
static void add_tls(struct maker *m)
{
    struct exchange *ex = m->ex;
    struct str version = str_of(ex->tls_version);

    if (!ex->secure)
        return;
    ADD("HTTPS", STR_LIT("on"));
    if (str_starts(version, STR_LIT("TLS")))
        ADD("SSL_PROTOCOL", arena_printf(ex->arena, "TLSv" STR_FMT, STR_ARG(str_from(version, 3))));
    if (ex->tls_cipher != NULL)
        ADD("SSL_CIPHER", str_of(ex->tls_cipher));
}

static void add_client(struct maker *m)
{
    struct exchange *ex = m->ex;

    if (ex->engine->local_host != NULL)
        ADD("SERVER_ADDR", ex->engine->local_host(ex));
    ADD("AUTH_TYPE", STR_LIT(""));
    ADD("REMOTE_ADDR", ex->remote_host);
    ADD("REMOTE_HOST", ex->remote_host);
    ADD("REMOTE_IDENT", STR_LIT(""));
    ADD("REMOTE_PORT", number(m->arena, ex->remote_port));
    ADD("REMOTE_USER", vars_get(ex, STR_LIT("auth.user.id")));
}

static struct str request_uri(struct exchange *ex)
{
    const struct original o = exchange_original(ex);

    if (o.query.p == NULL)
        return o.raw_path;
    return arena_printf(ex->arena, STR_FMT "?" STR_FMT, STR_ARG(o.raw_path), STR_ARG(o.query));
}

static void add_script(struct maker *m, const struct fastcgi_script *s, struct str uri)
{
    struct arena *a = m->arena;

    ADD("DOCUMENT_ROOT", s->root);
    ADD("DOCUMENT_URI", s->name);
    ADD("SCRIPT_NAME", s->name);
    ADD("SCRIPT_FILENAME", fastcgi_script_below(a, s->root, s->name));
    ADD("PATH_INFO", s->path_info);
    if (s->path_info.len > 0)
        ADD("PATH_TRANSLATED", fastcgi_script_below(a, s->root, s->path_info));
    ADD("QUERY_STRING", s->query);
    ADD("REQUEST_URI", uri);
}

/* Its length as well where it is none, if the client said so. */
static void add_body(struct maker *m, int64_t body_len, const struct fields *fields)
{
    struct str length = STR_LIT("");

    if (body_len > 0)
        length = number(m->arena, (long long)body_len);
    else if (fields_get(fields, STR_LIT("Content-Length")).p != NULL)
        length = STR_LIT("0");
    ADD("CONTENT_LENGTH", length);
    ADD("CONTENT_TYPE", fields_get(fields, STR_LIT("Content-Type")));
    if (body_len > 0)
        ADD("HTTP_CONTENT_LENGTH", length);
}

static void add_env(struct maker *m)
{
    for (size_t i = 0; i < m->conf->n_env; i++)
        if (m->ex != NULL)
            append(m, m->conf->env[i].name, text_expand(&m->conf->env[i].value, m->ex));
        else if (m->conf->env[i].value.constant)
            append(m, m->conf->env[i].name, text_constant(&m->conf->env[i].value));
}

/* What is in the message itself. */
static void add_message(struct maker *m, int64_t body_len, const struct fields *fields)
{
    struct str host = fields_get(fields, STR_LIT("Host"));

    add_server(m, host.p == NULL ? STR_LIT("") : host);
    add_body(m, body_len, fields);
    add_fields(m, fields);
    add_env(m);
}

void fastcgi_params_make(struct exchange *ex, const struct fastcgi_conf *c,
                         const struct proxy_request *rq, const struct fields *fields,
                         const struct fastcgi_script *script, struct fastcgi_params *out)
{
    struct maker maker = {ex->arena, ex, c, out}, *m = &maker;

    *out = (struct fastcgi_params){NULL, 0, 0};
    ADD("REQUEST_METHOD", rq->method);
    add_tls(m);
    add_client(m);
    add_script(m, script, request_uri(ex));
    add_message(m, rq->body_len, fields);
}

/* ---- requests of our own ---- */

static struct fields fields_of(struct arena *a, const char *const *lines)
{
    struct fields fields = {NULL, 0, 0};

    for (size_t i = 0; lines[i] != NULL; i++) {
        struct str value = str_of(lines[i]), name = str_cut(&value, ':');

        fields_add(&fields, a, name, value.p == NULL ? STR_LIT("") : str_trim(value));
    }
    return fields;
}

void fastcgi_params_plain(struct arena *a, const struct fastcgi_conf *c,
                          const struct transfer_spec *spec, struct fastcgi_params *out)
{
    struct maker maker = {a, NULL, c, out}, *m = &maker;
    const struct fields fields = fields_of(a, spec->fields);
    struct str query = str_of(spec->target);
    const struct fastcgi_script script = {.name = str_cut(&query, '?'),
                                          .root = c->has_root ? c->root.constant : c->here,
                                          .query = query};

    *out = (struct fastcgi_params){NULL, 0, 0};
    ADD("REQUEST_METHOD", str_of(spec->method));
    add_script(m, &script, str_of(spec->target));
    add_message(m, spec->body_len, &fields);
}
