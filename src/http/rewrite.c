#include "http/rewrite.h"

#include "http/path.h"
#include "http/placeholder.h"
#include "http/query.h"

/* ---- setting ---- */

static int set_path(struct exchange *ex, struct str raw, bool plain)
{
    struct str path;

    if (raw.len > REWRITE_MAX)
        return 414;
    ex->path_gone = raw.len == 0;
    raw = path_normal(ex->arena, raw, plain);
    if (path_has_dots(raw, 2) || path_clean(ex->arena, raw, &path) != PATH_OK)
        return 400;
    exchange_keep_original(ex);
    ex->raw_path = raw;
    ex->path = path;
    return 0;
}

int rewrite_set_path(struct exchange *ex, struct str raw)
{
    return set_path(ex, raw, false);
}

int rewrite_set_query(struct exchange *ex, struct str query)
{
    if (query.len > REWRITE_MAX)
        return 414;
    exchange_keep_original(ex);
    ex->query = query.len == 0 ? (struct str){NULL, 0} : query_normal(ex->arena, query);
    return 0;
}

/* ---- values of placeholders ---- */

/* Placeholders whose value is a path and a query, or one of them, escaped as a client sends them.
 */
static bool is_uri(const struct text_part *part)
{
    return part->kind == PH_URI || part->kind == PH_ORIG_URI || part->kind == PH_PREFIXED_QUERY ||
           part->kind == PH_ORIG_PREFIXED_QUERY;
}

/* Those whose value is escaped already. */
static bool is_escaped(const struct text_part *part)
{
    return part->kind == PH_LITERAL || part->kind == PH_URI_ESCAPED ||
           part->kind == PH_PATH_ESCAPED || part->kind == PH_QUERY_ESCAPED;
}

static struct str value_of(struct exchange *ex, const struct text_part *part)
{
    const struct text one = {part, 1, false};

    return text_expand(&one, ex);
}

/* The path of a URI; dot segments are resolved, so that they cannot eat up what is put before it.
 */
static struct str path_of_uri(struct exchange *ex, struct str uri)
{
    struct str path;

    uri.len = str_chr(uri, '?');
    if (path_has_dots(uri, 1) && path_clean(ex->arena, uri, &path) == PATH_OK)
        return path_escape(ex->arena, path);
    return uri;
}

static struct str path_value(struct exchange *ex, const struct text_part *part)
{
    struct str value = value_of(ex, part);

    if (is_escaped(part))
        return value;
    return is_uri(part) ? path_of_uri(ex, value) : path_escape(ex->arena, value);
}

static struct str query_value(struct exchange *ex, const struct text_part *part)
{
    struct str value = value_of(ex, part);

    return part->kind == PH_LITERAL ? value : query_escape(ex->arena, value);
}

static struct str expand(struct exchange *ex, const struct text *t,
                         struct str (*value)(struct exchange *, const struct text_part *))
{
    struct str *values = arena_alloc(ex->arena, (t->n_parts + 1) * sizeof *values);
    size_t len = 0;
    char *out, *at;

    for (size_t i = 0; i < t->n_parts; i++) {
        values[i] = value(ex, &t->parts[i]);
        len += values[i].len;
    }
    at = out = arena_bytes(ex->arena, len + 1);
    for (size_t i = 0; i < t->n_parts; i++)
        if (values[i].len > 0)
            at = mempcpy(at, values[i].p, values[i].len);
    *at = '\0';
    return (struct str){out, len};
}

struct str rewrite_expand_path(struct exchange *ex, const struct text *t)
{
    return expand(ex, t, path_value);
}

struct str rewrite_expand_query(struct exchange *ex, const struct text *t)
{
    return expand(ex, t, query_value);
}

/* ---- rewrite ---- */

/* The query being made: pairs without a key and a value leave no "&" behind. */
struct query_out {
    char *p;
    size_t len;
    bool in_value;  /* else in a key */
    bool ampersand; /* goes before the next byte of a key */
    bool equals;    /* goes before whatever follows */
};

static void put(struct query_out *q, struct str s)
{
    if (q->equals)
        q->p[q->len++] = '=';
    q->equals = false;
    if (s.len > 0 && q->ampersand && !q->in_value)
        q->p[q->len++] = '&';
    if (s.len > 0) {
        q->ampersand = false;
        memcpy(q->p + q->len, s.p, s.len);
        q->len += s.len;
    }
}

/* A delimiter of the target itself. */
static void put_delimiter(struct query_out *q, char c)
{
    put(q, STR_LIT(""));
    q->in_value = c == '=';
    q->equals = c == '=';
    q->ampersand = c == '&' && q->len > 0;
}

static void put_literal(struct query_out *q, struct str s)
{
    size_t from = 0;

    for (size_t i = 0; i < s.len; i++) {
        if (s.p[i] != '=' && s.p[i] != '&')
            continue;
        put(q, (struct str){s.p + from, i - from});
        put_delimiter(q, s.p[i]);
        from = i + 1;
    }
    if (from < s.len)
        put(q, str_from(s, from));
}

static struct str make_query(struct exchange *ex, const struct text *t)
{
    struct str *values = arena_alloc(ex->arena, (t->n_parts + 1) * sizeof *values);
    struct query_out out = {NULL, 0, false, false, false};
    size_t cap = 1;

    for (size_t i = 0; i < t->n_parts; i++) {
        values[i] = value_of(ex, &t->parts[i]);
        cap += values[i].len * 3 + 2;
    }
    out.p = arena_bytes(ex->arena, cap);
    for (size_t i = 0; i < t->n_parts; i++) {
        enum placeholder kind = t->parts[i].kind;

        if (kind == PH_LITERAL)
            put_literal(&out, values[i]);
        else if (kind == PH_QUERY && !out.in_value)
            put(&out, values[i]);
        else
            put(&out, query_escape(ex->arena, values[i]));
    }
    return (struct str){out.p, out.len};
}

/* The path of the target. *rest: what follows a "?" that came with {uri}; p == NULL without one. */
static struct str make_path(struct exchange *ex, const struct text *t, struct str *rest)
{
    struct str path = STR_LIT("");

    *rest = (struct str){NULL, 0};
    for (size_t i = 0; i < t->n_parts; i++) {
        struct str *out = rest->p == NULL ? &path : rest;
        struct str value = path_value(ex, &t->parts[i]);

        *out = arena_printf(ex->arena, STR_FMT STR_FMT, STR_ARG(*out), STR_ARG(value));
        if (is_uri(&t->parts[i]) && rest->p == NULL) {
            *rest = value_of(ex, &t->parts[i]);
            (void)str_cut(rest, '?');
        }
    }
    return path;
}

int rewrite_set(struct exchange *ex, const struct rewrite_target *t)
{
    struct str path, query = ex->query, rest = {NULL, 0};
    int status;

    path = make_path(ex, &t->path, &rest);
    if (t->has_query)
        query = t->query.n_parts > 0 ? make_query(ex, &t->query) : rest;
    if (query.len > REWRITE_MAX)
        return 414;
    status = t->has_path ? set_path(ex, path, true) : 0;
    return status == 0 && t->has_query ? rewrite_set_query(ex, query) : status;
}

const char *rewrite_origin_form(struct exchange *ex)
{
    size_t len = ex->raw_path.len + (ex->query.p == NULL ? 0 : 1 + ex->query.len);
    char *target = arena_bytes(ex->arena, len + 1);
    char *at = mempcpy(target, ex->raw_path.p, ex->raw_path.len);

    if (ex->query.p != NULL) {
        *at++ = '?';
        at = mempcpy(at, ex->query.p, ex->query.len);
    }
    *at = '\0';
    return target;
}

int rewrite_aside(struct exchange *ex, const struct rewrite_target *t, const char **target)
{
    const struct str raw_path = ex->raw_path, path = ex->path, query = ex->query;
    const struct original *original = ex->original;
    int status = rewrite_set(ex, t);

    *target = rewrite_origin_form(ex);
    ex->raw_path = raw_path;
    ex->path = path;
    ex->query = query;
    ex->original = original;
    return status;
}

/* ---- uri ---- */

static struct str merge_slashes(struct arena *a, struct str raw)
{
    char *out = arena_bytes(a, raw.len + 1), *at = out;

    for (size_t i = 0; i < raw.len; i++)
        if (raw.p[i] != '/' || at == out || at[-1] != '/')
            *at++ = raw.p[i];
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}

struct str rewrite_path(struct exchange *ex, bool keep_slashes)
{
    if (path_has_dots(ex->raw_path, 1))
        return path_escape(ex->arena, ex->path);
    return keep_slashes ? ex->raw_path : merge_slashes(ex->arena, ex->raw_path);
}

static bool has_double_slash(struct str s)
{
    return s.len > 1 && memmem(s.p, s.len, "//", 2) != NULL;
}

enum { NOWHERE = -1 };

/* The index behind pattern, which begins at path[at]; NOWHERE if it does not. */
static ssize_t match_at(struct str path, size_t at, struct str pattern)
{
    for (size_t i = 0; i < pattern.len; i++) {
        int byte = at < path.len && pattern.p[i] != '%' ? path_escape_at(path, at) : -1;

        if (at == path.len)
            return NOWHERE;
        if (ascii_lower(byte < 0 ? path.p[at] : (char)byte) != ascii_lower(pattern.p[i]))
            return NOWHERE;
        at += byte < 0 ? 1 : 3;
    }
    return (ssize_t)at;
}

int rewrite_strip_prefix(struct exchange *ex, struct str prefix)
{
    struct str path;
    ssize_t end;

    if (!str_starts(prefix, STR_LIT("/")))
        prefix = arena_printf(ex->arena, "/" STR_FMT, STR_ARG(prefix));
    path = rewrite_path(ex, has_double_slash(prefix));
    end = match_at(path, 0, prefix);
    return rewrite_set_path(ex, end == NOWHERE ? path : str_from(path, (size_t)end));
}

int rewrite_strip_suffix(struct exchange *ex, struct str suffix)
{
    struct str path = rewrite_path(ex, has_double_slash(suffix));
    size_t most = suffix.len * 3 < path.len ? suffix.len * 3 : path.len;

    for (size_t at = 0; at < path.len; at += path_escape_at(path, at) < 0 ? 1 : 3) {
        if (at < path.len - most || match_at(path, at, suffix) != (ssize_t)path.len)
            continue;
        path.len = at;
        break;
    }
    return rewrite_set_path(ex, path);
}

static size_t count(struct str s, struct str find, size_t limit)
{
    const char *at = s.p, *end = s.p + s.len;
    size_t n = 0;

    while (n < limit && (at = memmem(at, (size_t)(end - at), find.p, find.len)) != NULL) {
        n++;
        at += find.len;
    }
    return n;
}

/* False: it would become too long. */
static bool replace(struct exchange *ex, struct str *s, struct str find, struct str with,
                    size_t limit)
{
    size_t n = s->len == 0 || find.len == 0 ? 0 : count(*s, find, limit == 0 ? s->len : limit);
    struct str rest = *s;
    char *out, *at;

    if (n == 0)
        return true;
    if (with.len > REWRITE_MAX || s->len + n * with.len > REWRITE_MAX)
        return false;
    at = out = arena_bytes(ex->arena, s->len + n * with.len + 1);
    for (; n > 0; n--) {
        const char *found = memmem(rest.p, rest.len, find.p, find.len);

        at = mempcpy(at, rest.p, (size_t)(found - rest.p));
        if (with.len > 0)
            at = mempcpy(at, with.p, with.len);
        rest = str_from(rest, (size_t)(found - rest.p) + find.len);
    }
    at = mempcpy(at, rest.p, rest.len);
    *at = '\0';
    *s = (struct str){out, (size_t)(at - out)};
    return true;
}

int rewrite_replace(struct exchange *ex, const struct text *find, const struct text *with,
                    size_t limit)
{
    struct str find_path = rewrite_expand_path(ex, find);
    struct str path = rewrite_path(ex, has_double_slash(find_path)), query = ex->query;
    int status;

    if (!replace(ex, &path, find_path, rewrite_expand_path(ex, with), limit) ||
        !replace(ex, &query, rewrite_expand_query(ex, find), rewrite_expand_query(ex, with), limit))
        return 414;
    status = rewrite_set_path(ex, path);
    return status == 0 && ex->query.p != NULL ? rewrite_set_query(ex, query) : status;
}
