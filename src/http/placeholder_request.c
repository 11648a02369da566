/* Placeholders of a request, but for its target. */
#include "http/placeholder_values.h"

#include "http/cookie.h"
#include "http/prepared.h"

struct str placeholder_host(struct exchange *ex)
{
    return ex->host;
}

struct str placeholder_hostport(struct exchange *ex)
{
    return ex->authority;
}

/* As the client wrote it; empty if it wrote none, as in Caddy. */
struct str placeholder_port(struct exchange *ex)
{
    struct str s = ex->authority;

    for (size_t i = s.len; i > 0 && s.p[i - 1] != ']'; i--)
        if (s.p[i - 1] == ':')
            return str_from(s, i);
    return STR_LIT("");
}

/* The label at an index from the right: 0 is that of the top-level domain. */
struct str placeholder_label(struct exchange *ex, const struct text_part *part)
{
    struct str rest = ex->host;

    for (unsigned i = 0;; i++) {
        size_t from = rest.len;

        while (from > 0 && rest.p[from - 1] != '.')
            from--;
        if (i == part->index)
            return str_from(rest, from);
        if (from == 0)
            return STR_LIT("");
        rest.len = from - 1;
    }
}

struct str placeholder_method(struct exchange *ex)
{
    return ex->method;
}

struct str placeholder_scheme(struct exchange *ex)
{
    return ex->secure ? STR_LIT("https") : STR_LIT("http");
}

struct str placeholder_proto(struct exchange *ex)
{
    return ex->http_minor == 0 ? STR_LIT("HTTP/1.0") : STR_LIT("HTTP/1.1");
}

/* Caddy joins lines by a comma alone. */
struct str placeholder_header(struct exchange *ex, const struct text_part *part)
{
    return fields_joined_by(&ex->request, ex->arena, part->text, STR_LIT(","));
}

struct str placeholder_response_header(struct exchange *ex, const struct text_part *part)
{
    struct str value = fields_joined_by(&ex->response, ex->arena, part->text, STR_LIT(","));

    if (value.p == NULL && ex->body.kind == BODY_PREPARED)
        value = fields_joined_by(&ex->body.prepared->fields, ex->arena, part->text, STR_LIT(","));
    return value;
}

/* ---- cookies ---- */

struct str placeholder_cookie(struct exchange *ex, const struct text_part *part)
{
    struct str value = cookie_get(&ex->request, part->text);

    return value.p != NULL ? value : STR_LIT("");
}
