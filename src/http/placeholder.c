#include "http/placeholder.h"

/* The port of the authority as the client wrote it; empty if it wrote none, as in Caddy. */
static struct str port_of(struct str authority)
{
    for (size_t i = authority.len; i > 0 && authority.p[i - 1] != ']'; i--)
        if (authority.p[i - 1] == ':')
            return str_from(authority, i);
    return STR_LIT("");
}

static struct str uri_of(struct exchange *ex)
{
    if (ex->query.p == NULL)
        return ex->raw_path;
    return arena_printf(ex->arena, STR_FMT "?" STR_FMT, STR_ARG(ex->raw_path), STR_ARG(ex->query));
}

static struct str part_value(const struct text_part *part, struct exchange *ex)
{
    switch (part->kind) {
    case PH_LITERAL:
        return part->text;
    case PH_HOST:
        return ex->host;
    case PH_HOSTPORT:
        return ex->authority;
    case PH_PORT:
        return port_of(ex->authority);
    case PH_METHOD:
        return ex->method;
    case PH_URI:
        return uri_of(ex);
    case PH_PATH:
        return ex->path;
    case PH_QUERY:
        return ex->query;
    case PH_SCHEME:
        return ex->secure ? STR_LIT("https") : STR_LIT("http");
    case PH_REMOTE_HOST:
        return ex->remote_host;
    case PH_REMOTE_PORT:
        return arena_printf(ex->arena, "%u", ex->remote_port);
    case PH_HEADER:
        return fields_joined(&ex->request, ex->arena, part->text);
    }
    return STR_LIT("");
}

struct str text_expand(const struct text *t, struct exchange *ex)
{
    struct str *values;
    char *out, *at;
    size_t len = 0;

    if (t->constant)
        return text_constant(t);
    values = arena_alloc(ex->arena, t->n_parts * sizeof *values);
    for (size_t i = 0; i < t->n_parts; i++) {
        values[i] = part_value(&t->parts[i], ex);
        len += values[i].len;
    }
    at = out = arena_bytes(ex->arena, len + 1);
    for (size_t i = 0; i < t->n_parts; i++)
        if (values[i].len > 0)
            at = mempcpy(at, values[i].p, values[i].len);
    *at = '\0';
    return (struct str){out, len};
}
