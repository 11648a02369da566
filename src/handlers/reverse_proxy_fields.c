#include "handlers/reverse_proxy_fields.h"

#include "base/alloc.h"
#include "handlers/forward_auth.h"
#include "http/placeholder.h"

#define VIA_NAME "Lintel"

/* Fields of one connection, and what Caddy and Go's ReverseProxy count among them. TE too: trailers
 * are not handed on, so none are asked for. */
static const struct str hop_by_hop[] = {
    STR_LIT("Connection"),          STR_LIT("Keep-Alive"), STR_LIT("Proxy-Connection"),
    STR_LIT("Proxy-Authenticate"),  STR_LIT("TE"),         STR_LIT("Trailer"),
    STR_LIT("Proxy-Authorization"), STR_LIT("Upgrade"),    STR_LIT("Transfer-Encoding"),
};

/* Fields of a request that we state ourselves: X-Forwarded-* with what a trusted proxy said. */
static const struct str own_request[] = {
    STR_LIT("Host"),
    STR_LIT("Content-Length"),
    STR_LIT("Expect"), /* the engine has answered it */
    STR_LIT("X-Forwarded-For"),
    STR_LIT("X-Forwarded-Proto"),
    STR_LIT("X-Forwarded-Host"),
};

static bool is_among(struct str name, const struct str *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (name.len == list[i].len && str_eq_nocase(name, list[i]))
            return true;
    return false;
}

/* Takes out the fields that the Connection lines of `from` name. Host is not one of them, whatever
 * they say: it tells the upstream which of its sites is meant. */
static void remove_named(struct fields *f, const struct fields *from)
{
    for (size_t i = 0; i < from->n; i++) {
        struct str rest = from->list[i].value, token;

        if (from->list[i].name.len != 10 ||
            !str_eq_nocase(from->list[i].name, STR_LIT("Connection")))
            continue;
        while (str_list_next(&rest, &token))
            if (!str_eq_nocase(token, STR_LIT("Host")))
                fields_remove(f, token);
    }
}

/* ---- header_up, header_down ---- */

/* A placeholder may hold what no field value may (RFC 9110 5.5): "%0d%0a" of a path, decoded. */
static struct str without_controls(struct arena *a, struct str s)
{
    char *copy = arena_bytes(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        copy[i] = (unsigned char)s.p[i] < ' ' || s.p[i] == 0x7f ? ' ' : s.p[i];
    copy[s.len] = '\0';
    return str_trim((struct str){copy, s.len});
}

static void apply(const struct field_ops *ops, struct fields *f, struct exchange *ex)
{
    for (size_t i = 0; i < ops->n; i++) {
        const struct field_op *op = &ops->list[i];

        switch (op->kind) {
        case FIELD_REMOVE:
            fields_remove(f, op->name);
            break;
        case FIELD_SET:
            fields_set(f, ex->arena, op->name,
                       without_controls(ex->arena, text_expand(&op->value, ex)));
            break;
        case FIELD_ADD:
            fields_add(f, ex->arena, op->name,
                       without_controls(ex->arena, text_expand(&op->value, ex)));
            break;
        }
    }
}

/* ---- the request ---- */

/* Whether a request without content should say so (RFC 9110 8.6). */
static bool states_zero_length(const struct exchange *ex)
{
    if (ex->request_body_len != 0 || ex->is_head)
        return false;
    return str_is(ex->method, "POST") || str_is(ex->method, "PUT") || str_is(ex->method, "PATCH") ||
           fields_get(&ex->request, STR_LIT("Content-Length")).p != NULL;
}

/* What the peer said if it is trusted with that, or else what we know. */
static void add_forwarded(struct exchange *ex, struct fields *out, struct str name,
                          struct str known)
{
    struct str said = fields_joined(&ex->request, ex->arena, name);

    if (ex->trusted_peer && said.len > 0)
        known = said;
    if (known.len > 0)
        fields_add(out, ex->arena, name, known);
}

static void add_own(struct exchange *ex, struct fields *out)
{
    const struct str forwarded_for = STR_LIT("X-Forwarded-For");
    struct str path = ex->remote_host, said;
    struct arena *a = ex->arena;

    said = fields_joined(&ex->request, a, forwarded_for);
    if (ex->trusted_peer && said.len > 0)
        path = arena_printf(a, STR_FMT ", " STR_FMT, STR_ARG(said), STR_ARG(path));
    fields_add(out, a, forwarded_for, path);
    add_forwarded(ex, out, STR_LIT("X-Forwarded-Proto"),
                  ex->secure ? STR_LIT("https") : STR_LIT("http"));
    add_forwarded(ex, out, STR_LIT("X-Forwarded-Host"), ex->authority);
    fields_add(out, a, STR_LIT("Via"),
               ex->http_minor == 0 ? STR_LIT("1.0 " VIA_NAME) : STR_LIT("1.1 " VIA_NAME));
}

static char *put(char *at, struct str s)
{
    if (s.len > 0)
        memcpy(at, s.p, s.len);
    return at + s.len;
}

static const char *const *to_lines(struct arena *a, const struct fields *f)
{
    const char **lines = arena_alloc(a, (f->n + 1) * sizeof *lines);
    size_t bytes = 0;
    char *at;

    for (size_t i = 0; i < f->n; i++)
        bytes += f->list[i].name.len + f->list[i].value.len + 3;
    at = arena_bytes(a, bytes + 1);
    for (size_t i = 0; i < f->n; i++) {
        lines[i] = at;
        at = put(at, f->list[i].name);
        at = put(at, STR_LIT(": "));
        at = put(at, f->list[i].value);
        *at++ = '\0';
    }
    return lines;
}

const char *const *proxy_request_lines(struct exchange *ex, const struct reverse_proxy_conf *c,
                                       const struct upstream *u)
{
    struct fields out = {0};

    out.cap = ex->request.n + 8;
    out.list = arena_alloc(ex->arena, out.cap * sizeof *out.list);
    if (!u->secure && ex->authority.len > 0)
        fields_add(&out, ex->arena, STR_LIT("Host"), ex->authority);
    for (size_t i = 0; i < ex->request.n; i++) {
        const struct field *f = &ex->request.list[i];

        /* "_" and "-" are one to a CGI: X_Forwarded_For would pass for the real one. */
        if (is_among(f->name, hop_by_hop, ARRAY_LEN(hop_by_hop)) ||
            is_among(f->name, own_request, ARRAY_LEN(own_request)) ||
            (f->name.len > 0 && memchr(f->name.p, '_', f->name.len) != NULL))
            continue;
        out.list[out.n++] = *f;
    }
    if (out.n > 0)
        remove_named(&out, &ex->request);
    add_own(ex, &out);
    if (c->auth != NULL)
        forward_auth_ask(ex, &out);
    else if (states_zero_length(ex))
        fields_add(&out, ex->arena, STR_LIT("Content-Length"), STR_LIT("0"));
    apply(&c->up, &out, ex);
    return to_lines(ex->arena, &out);
}

const char *proxy_request_target(struct exchange *ex)
{
    size_t len = ex->raw_path.len + (ex->query.p == NULL ? 0 : 1 + ex->query.len);
    char *target = arena_bytes(ex->arena, len + 1), *at = put(target, ex->raw_path);

    if (ex->query.p != NULL) {
        *at++ = '?';
        at = put(at, ex->query);
    }
    *at = '\0';
    return target;
}

/* ---- the response ---- */

void proxy_respond_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                          const struct fields *upstream_fields)
{
    struct fields in = {0};

    in.cap = upstream_fields->n + 1;
    in.list = arena_alloc(ex->arena, in.cap * sizeof *in.list);
    for (size_t i = 0; i < upstream_fields->n; i++) {
        const struct field *f = &upstream_fields->list[i];

        if (!is_among(f->name, hop_by_hop, ARRAY_LEN(hop_by_hop)) &&
            !(f->name.len == 14 && str_eq_nocase(f->name, STR_LIT("Content-Length"))))
            in.list[in.n++] = *f;
    }
    remove_named(&in, upstream_fields);
    /* As Caddy does: the upstream's own Server field is shown, and Via says who stood between. */
    if (fields_get(&in, STR_LIT("Server")).p != NULL)
        fields_remove(&ex->response, STR_LIT("Server"));
    fields_add(&in, ex->arena, STR_LIT("Via"), STR_LIT("1.1 " VIA_NAME));
    for (size_t i = 0; i < in.n; i++)
        fields_add(&ex->response, ex->arena, in.list[i].name, in.list[i].value);
    apply(&c->down, &ex->response, ex);
}
