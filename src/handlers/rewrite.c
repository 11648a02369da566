#include "handlers/rewrite.h"

#include "http/handler.h"
#include "http/placeholder.h"
#include "http/route.h"

/* ---- rewrite ---- */

static bool has_dot_dot(struct str path)
{
    while (path.p != NULL)
        if (str_is(str_cut(&path, '/'), ".."))
            return true;
    return false;
}

static bool is_name_byte(char c)
{
    return (c >= '0' && c <= '9') || (ascii_lower(c) >= 'a' && ascii_lower(c) <= 'z') ||
           (c != '\0' && strchr(".-_?%[]:", c) != NULL);
}

/* The index of c, or the length; the name of a placeholder may have one as well ("{?query}"). */
static size_t find_outside(struct str s, char c)
{
    for (size_t i = 0; i < s.len; i++) {
        size_t end = i + 1;

        if (s.p[i] == c)
            return i;
        while (s.p[i] == '{' && end < s.len && is_name_byte(s.p[end]))
            end++;
        if (s.p[i] == '{' && end < s.len && s.p[end] == '}')
            i = end;
    }
    return s.len;
}

size_t rewrite_query_at(struct str target)
{
    return find_outside(target, '?');
}

int rewrite_target_set(const struct directive_args *d, const struct token *t,
                       struct rewrite_target *out)
{
    struct token path = *t, query = *t;
    size_t mark;

    path.text.len = find_outside(path.text, '#');
    mark = find_outside(path.text, '?');
    query.text = path.text;
    path.text.len = mark;
    if (has_dot_dot(path.text))
        return directive_error(d, t, "the target must not hold '..'");
    out->has_path = mark > 0;
    out->has_query = mark < query.text.len;
    if (!out->has_path && !out->has_query)
        return directive_error(d, t, "neither a path nor a query is left to rewrite to");
    if (out->has_path && directive_text(d, &path, &out->path) != 0)
        return -1;
    query.text = str_from(query.text, out->has_query ? mark + 1 : mark);
    return out->has_query ? directive_text(d, &query, &out->query) : 0;
}

static int rewrite_conf_set(const struct directive_args *d)
{
    return rewrite_target_set(d, &d->args[0], d->target);
}

static enum verdict rewrite_handle(const void *conf, struct exchange *ex)
{
    int status = rewrite_set(ex, conf);

    if (status == 0)
        return NEXT;
    exchange_respond_error(ex, status);
    return TAKEN;
}

static const struct handler_type rewrite_handler = {.name = "rewrite", .handle = rewrite_handle};

/* ---- method ---- */

/* A method is a token (RFC 9110 9.1). */
int rewrite_method_set(const struct directive_args *d, const struct token *t, struct text *out)
{
    if (directive_text(d, t, out) != 0)
        return -1;
    if (out->constant && !str_is_token(text_constant(out)))
        return directive_error(d, t, "'" STR_FMT "' is no method", STR_ARG(t->text));
    return 0;
}

static int method_set(const struct directive_args *d)
{
    return rewrite_method_set(d, &d->args[0], d->target);
}

struct str rewrite_method(const struct text *t, struct exchange *ex)
{
    struct str method = text_expand(t, ex);
    char *upper = arena_bytes(ex->arena, method.len + 1);

    if (!str_is_token(method))
        return (struct str){NULL, 0};
    for (size_t i = 0; i < method.len; i++)
        upper[i] = method.p[i] >= 'a' && method.p[i] <= 'z' ? (char)(method.p[i] - 'a' + 'A')
                                                            : method.p[i];
    upper[method.len] = '\0';
    return (struct str){upper, method.len};
}

static enum verdict method_handle(const void *conf, struct exchange *ex)
{
    struct str method = rewrite_method(conf, ex);

    if (method.p == NULL) {
        exchange_respond_error(ex, 400);
        return TAKEN;
    }
    exchange_keep_original(ex);
    ex->method = method;
    return NEXT;
}

static const struct handler_type method_handler = {.name = "method", .handle = method_handle};

/* ---- the table ---- */

const struct directive rewrite_directives[] = {
    {.name = "method",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 1,
     .type = &method_handler,
     .conf_size = sizeof(struct text),
     .set = method_set,
     .help = "method [matcher] <method>: change the method of the request"},
    {.name = "rewrite",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 1,
     .type = &rewrite_handler,
     .conf_size = sizeof(struct rewrite_target),
     .set = rewrite_conf_set,
     .group = GROUP_REWRITE,
     .help = "rewrite [matcher] <path>[?<query>]: change the URI of the request"},
    {0},
};
