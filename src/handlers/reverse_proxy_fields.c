#include "handlers/reverse_proxy_fields.h"

#include "base/alloc.h"
#include "handlers/rewrite.h"

#define VIA_NAME "Lintel"

/* Fields of one connection, and what Caddy and Go's ReverseProxy count among them. */
static const struct str hop_by_hop[] = {
    STR_LIT("Connection"),          STR_LIT("Keep-Alive"), STR_LIT("Proxy-Connection"),
    STR_LIT("Proxy-Authenticate"),  STR_LIT("TE"),         STR_LIT("Trailer"),
    STR_LIT("Proxy-Authorization"), STR_LIT("Upgrade"),    STR_LIT("Transfer-Encoding"),
};

/* Fields of a request that we state ourselves: X-Forwarded-* with what a trusted proxy said. */
static const struct str own_request[] = {
    STR_LIT("Host"),
    STR_LIT("Content-Length"),
    STR_LIT("Expect"), /* between the client and the engine, and us and the upstream */
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

/* Takes out the lines of one name; ex != NULL: but for those that the client did not send. */
static void remove_lines(struct fields *f, struct str name, const struct exchange *ex)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (!str_eq_nocase(f->list[i].name, name) ||
            (ex != NULL && !exchange_is_clients(ex, &f->list[i])))
            f->list[kept++] = f->list[i];
    f->n = kept;
}

/* Takes out the fields that the Connection lines of `from` name. Host is not one of them, whatever
 * they say: it tells the upstream which of its sites is meant. Of a request (ex), what the
 * configuration says or who was asked by forward_auth is not the client's to take away. */
static void remove_named(struct fields *f, const struct fields *from, const struct exchange *ex)
{
    for (size_t i = 0; i < from->n; i++) {
        struct str rest = from->list[i].value, token;

        if (from->list[i].name.len != 10 ||
            !str_eq_nocase(from->list[i].name, STR_LIT("Connection")))
            continue;
        while (str_list_next(&rest, &token))
            if (!str_eq_nocase(token, STR_LIT("Host")))
                remove_lines(f, token, ex);
    }
}

/* ---- the request ---- */

/* "_" and "-" are one to a CGI: a client's X_Forwarded_For would pass for the real one. */
static bool is_ambiguous(const struct exchange *ex, const struct field *f)
{
    return f->name.len > 0 && memchr(f->name.p, '_', f->name.len) != NULL &&
           exchange_is_clients(ex, f);
}

/* Whether a request without content should say so (RFC 9110 8.6). */
static bool states_zero_length(const struct exchange *ex, const struct proxy_request *rq)
{
    if (rq->body_len != 0 || rq->is_head)
        return false;
    return str_is(rq->method, "POST") || str_is(rq->method, "PUT") || str_is(rq->method, "PATCH") ||
           (ex->request_body_len == 0 && !rq->bodiless &&
            fields_get(&ex->request, STR_LIT("Content-Length")).p != NULL);
}

/* Whether the peer is a proxy that is believed about its client. */
static bool is_trusted(const struct exchange *ex, const struct reverse_proxy_conf *c)
{
    struct ip ip;

    return ex->trusted_peer ||
           (c->trusted.n > 0 && ip_of_sockaddr(ex->peer, &ip) && ip_set_has(&c->trusted, &ip));
}

/* The last line of that name: the nearest proxy's. */
static struct str last_of(const struct fields *f, struct str name)
{
    for (size_t i = f->n; i > 0; i--)
        if (str_eq_nocase(f->list[i - 1].name, name))
            return f->list[i - 1].value;
    return STR_LIT("");
}

/* What the peer said if it is trusted with that, or else what we know. */
static void add_forwarded(struct exchange *ex, struct fields *out, bool trusted, struct str name,
                          struct str known)
{
    struct str said = trusted ? last_of(&ex->request, name) : STR_LIT("");

    if (said.len > 0)
        known = said;
    if (known.len > 0)
        fields_add(out, ex->arena, name, known);
}

static void add_own(struct exchange *ex, const struct reverse_proxy_conf *c, struct fields *out)
{
    const struct str forwarded_for = STR_LIT("X-Forwarded-For");
    struct str path = ex->remote_host, said = {NULL, 0};
    const bool trusted = is_trusted(ex, c);
    struct arena *a = ex->arena;

    if (trusted)
        said = fields_joined(&ex->request, a, forwarded_for);
    if (said.len > 0)
        path = arena_printf(a, STR_FMT ", " STR_FMT, STR_ARG(said), STR_ARG(path));
    fields_add(out, a, forwarded_for, path);
    add_forwarded(ex, out, trusted, STR_LIT("X-Forwarded-Proto"),
                  ex->secure ? STR_LIT("https") : STR_LIT("http"));
    add_forwarded(ex, out, trusted, STR_LIT("X-Forwarded-Host"), ex->authority);
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

/* The upstream learns its site from one Host field: the first one, unless it is empty. */
static void keep_one_host(struct fields *f)
{
    size_t kept = 0;
    bool found = false;

    for (size_t i = 0; i < f->n; i++) {
        const struct field *line = &f->list[i];
        bool host = line->name.len == 4 && str_eq_nocase(line->name, STR_LIT("Host"));

        if (host && (found || line->value.len == 0))
            continue;
        found |= host;
        f->list[kept++] = *line;
    }
    f->n = kept;
}

/* HTTP/2 has no upgrades (RFC 9113 8.2.2); over TLS, HTTP/1.1 is spoken for one. */
bool proxy_hands_on_upgrade(const struct reverse_proxy_conf *c, const struct proxy_request *rq,
                            const struct upstream *u)
{
    return rq->upgrade.len > 0 && (u->secure || u->http == TRANSFER_HTTP1) && c->fastcgi == NULL;
}

bool proxy_hands_on_expect(const struct exchange *ex, const struct reverse_proxy_conf *c,
                           const struct proxy_request *rq)
{
    return c->request_buffers == 0 && rq->body_len != 0 && ex->http_minor > 0 &&
           fields_get(&ex->request, STR_LIT("Expect")).p != NULL;
}

/* RFC 9110 10.1.4: of what the client says it takes, the one thing that is handed on to it. */
static void add_te(struct exchange *ex, const struct reverse_proxy_conf *c, struct fields *out)
{
    const struct str name = STR_LIT("TE"), trailers = STR_LIT("trailers");

    if (c->fastcgi == NULL && ex->http_minor > 0 && fields_has_token(&ex->request, name, trailers))
        fields_add(out, ex->arena, name, trailers);
}

static void add_connection(struct exchange *ex, const struct reverse_proxy_conf *c,
                           const struct proxy_request *rq, const struct upstream *u,
                           struct fields *out)
{
    const struct str name = STR_LIT("Connection");

    if (fields_get(out, STR_LIT("TE")).p != NULL)
        fields_add(out, ex->arena, name, STR_LIT("TE"));
    if (!proxy_hands_on_upgrade(c, rq, u))
        return;
    fields_add(out, ex->arena, name, STR_LIT("Upgrade"));
    fields_add(out, ex->arena, STR_LIT("Upgrade"), rq->upgrade);
}

struct fields proxy_request_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                                   const struct proxy_request *rq, const struct upstream *u)
{
    struct fields out = {0};

    out.cap = ex->request.n + 10;
    out.list = arena_alloc(ex->arena, out.cap * sizeof *out.list);
    if (u->secure)
        fields_add(&out, ex->arena, STR_LIT("Host"), u->authority);
    else if (ex->authority.len > 0)
        fields_add(&out, ex->arena, STR_LIT("Host"), ex->authority);
    for (size_t i = 0; i < ex->request.n; i++) {
        const struct field *f = &ex->request.list[i];

        if (is_among(f->name, hop_by_hop, ARRAY_LEN(hop_by_hop)) ||
            is_among(f->name, own_request, ARRAY_LEN(own_request)) || is_ambiguous(ex, f))
            continue;
        out.list[out.n++] = *f;
    }
    if (out.n > 0)
        remove_named(&out, &ex->request, ex);
    add_own(ex, c, &out);
    add_te(ex, c, &out);
    field_edits_run(&c->up, ex, &out);
    keep_one_host(&out);
    add_connection(ex, c, rq, u, &out);
    if (states_zero_length(ex, rq))
        fields_add(&out, ex->arena, STR_LIT("Content-Length"), STR_LIT("0"));
    return out;
}

const char *const *proxy_request_lines(struct exchange *ex, const struct reverse_proxy_conf *c,
                                       const struct proxy_request *rq, const struct upstream *u)
{
    const struct fields fields = proxy_request_fields(ex, c, rq, u);

    return to_lines(ex->arena, &fields);
}

/* ---- what is asked ---- */

/* RFC 9110 7.8. An upstream that took h2c would be spoken to behind our back, by requests that
 * nobody has looked at: it is never asked for. */
static struct str upgrade_of(struct exchange *ex, const struct reverse_proxy_conf *c)
{
    const struct str name = STR_LIT("Upgrade");

    if (c->auth != NULL || ex->http_minor == 0 || ex->request_body_len != 0 ||
        !fields_has_token(&ex->request, STR_LIT("Connection"), STR_LIT("upgrade")) ||
        fields_has_token(&ex->request, name, STR_LIT("h2c")))
        return STR_LIT("");
    return fields_joined(&ex->request, ex->arena, name);
}

/* A name without a version stands for any. */
static bool is_protocol(struct str asked, struct str answered)
{
    if (memchr(answered.p, '/', answered.len) == NULL)
        asked.len = str_chr(asked, '/');
    return str_eq_nocase(asked, answered);
}

static bool has_protocol(struct str list, struct str answered)
{
    struct str asked;

    while (str_list_next(&list, &asked))
        if (is_protocol(asked, answered))
            return true;
    return false;
}

/* RFC 9110 7.8: a server must not switch to another. */
bool proxy_asks_for(const struct proxy_request *rq, const struct fields *answer)
{
    for (size_t i = 0; i < answer->n; i++) {
        struct str rest = answer->list[i].value, one;

        if (!str_eq_nocase(answer->list[i].name, STR_LIT("Upgrade")))
            continue;
        while (str_list_next(&rest, &one))
            if (!has_protocol(rq->upgrade, one))
                return false;
    }
    return true;
}

static int set_method(struct exchange *ex, const struct text *method, struct proxy_request *rq)
{
    rq->method = rewrite_method(method, ex);
    if (rq->method.p == NULL)
        return 400;
    rq->is_head = str_is(rq->method, "HEAD");
    rq->bodiless = rq->is_head || str_is(rq->method, "GET");
    return 0;
}

int proxy_request_make(struct exchange *ex, const struct reverse_proxy_conf *c,
                       struct proxy_request *rq)
{
    int status = 0;

    *rq = (struct proxy_request){.method = ex->method, .is_head = ex->is_head};
    rq->bodiless = ex->is_head; /* RFC 9110 9.3.2: the body of a HEAD means nothing */
    if (c->method.n_parts > 0)
        status = set_method(ex, &c->method, rq);
    if (status != 0)
        return status;
    if (str_is(rq->method, "CONNECT")) /* we are a gateway, not a tunnel */
        return 405;
    rq->method = arena_str(ex->arena, rq->method);
    rq->body_len = rq->bodiless ? 0 : ex->request_body_len;
    rq->upgrade = upgrade_of(ex, c);
    if (c->has_rewrite)
        return rewrite_aside(ex, &c->rewrite, &rq->target);
    rq->target = rewrite_origin_form(ex);
    return 0;
}

/* ---- the response ---- */

struct fields proxy_end_to_end(struct exchange *ex, const struct fields *from, size_t more)
{
    struct fields out = {.cap = from->n + more};

    out.list = arena_alloc(ex->arena, (out.cap + 1) * sizeof *out.list);
    for (size_t i = 0; i < from->n; i++) {
        const struct field *f = &from->list[i];

        if (!is_among(f->name, hop_by_hop, ARRAY_LEN(hop_by_hop)) &&
            !(f->name.len == 14 && str_eq_nocase(f->name, STR_LIT("Content-Length"))))
            out.list[out.n++] = *f;
    }
    remove_named(&out, from, NULL);
    return out;
}

/* As Caddy does: the upstream's own Server field is shown, and Via says who stood between. Ours is
 * for header_down to change where there is none. */
static void add_server(struct exchange *ex, struct fields *in)
{
    const struct str name = STR_LIT("Server");
    struct str ours = fields_get(&ex->response, name);

    fields_remove(&ex->response, name);
    if (ours.p != NULL && fields_get(in, name).p == NULL)
        fields_add(in, ex->arena, name, ours);
}

void proxy_respond_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                          const struct fields *upstream_fields)
{
    struct fields in = proxy_end_to_end(ex, upstream_fields, 2);

    add_server(ex, &in);
    fields_add(&in, ex->arena, STR_LIT("Via"), STR_LIT("1.1 " VIA_NAME));
    field_edits_run(&c->down, ex, &in);
    for (size_t i = 0; i < in.n; i++)
        fields_add(&ex->response, ex->arena, in.list[i].name, in.list[i].value);
}
