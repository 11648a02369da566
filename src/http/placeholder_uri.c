/* Placeholders of the target: as it is now, and as the client sent it. */
#include "http/placeholder_values.h"

/* ---- parts of paths ---- */

/* As far as the last slash, and with it. */
static struct str dir_of(struct str path)
{
    while (path.len > 0 && path.p[path.len - 1] != '/')
        path.len--;
    return path;
}

static struct str file_of(struct str path)
{
    return str_from(path, dir_of(path).len);
}

static struct str ext_of(struct str path)
{
    struct str file = file_of(path);

    for (size_t i = file.len; i > 0; i--)
        if (file.p[i - 1] == '.')
            return str_from(file, i - 1);
    return STR_LIT("");
}

/* The last segment, also one that a slash follows, without its extension. */
static struct str base_of(struct str path)
{
    struct str ext = ext_of(path), base = path;

    while (base.len > 1 && base.p[base.len - 1] == '/')
        base.len--;
    if (base.len > 1)
        base = file_of(base);
    base.len -= ext.len;
    return base;
}

static struct str part_of(struct str path, unsigned index)
{
    struct str part = {NULL, 0};

    if (str_starts(path, STR_LIT("/")))
        path = str_from(path, 1);
    for (unsigned i = 0; i <= index && path.p != NULL; i++) {
        part = str_cut(&path, '/');
        if (i == index)
            return part;
    }
    return STR_LIT("");
}

/* ---- escapes of a query ---- */

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool is_unreserved(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' ||
           c == '~';
}

/* As a value in a form: a blank becomes "+". */
static struct str escape(struct arena *a, struct str s)
{
    static const char hex[] = "0123456789ABCDEF";
    char *out = arena_bytes(a, s.len * 3), *at = out;

    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_unreserved(s.p[i])) {
            *at++ = s.p[i];
        } else if (c == ' ') {
            *at++ = '+';
        } else {
            *at++ = '%';
            *at++ = hex[c >> 4];
            *at++ = hex[c & 15];
        }
    }
    return (struct str){out, (size_t)(at - out)};
}

/* Takes one byte off the front of *s. -1: an escape is broken. */
static int next_byte(struct str *s)
{
    int high, low;
    char c = s->p[0];

    if (c != '%') {
        *s = str_from(*s, 1);
        return c == '+' ? ' ' : (unsigned char)c;
    }
    if (s->len < 3 || (high = hex_digit(s->p[1])) < 0 || (low = hex_digit(s->p[2])) < 0)
        return -1;
    *s = str_from(*s, 3);
    return high * 16 + low;
}

/* Whether raw is well escaped, and means key. */
static bool means(struct str raw, struct str key)
{
    size_t i = 0;

    for (; raw.len > 0; i++)
        if (i == key.len || next_byte(&raw) != (unsigned char)key.p[i])
            return false;
    return i == key.len;
}

static bool is_well_escaped(struct str raw)
{
    while (raw.len > 0)
        if (next_byte(&raw) < 0)
            return false;
    return true;
}

/* Pairs that are badly escaped or hold a semicolon do not count, as in Caddy. */
static bool next_value(struct str *query, struct str key, struct str *value)
{
    while (query->p != NULL) {
        struct str pair = str_cut(query, '&'), name;

        *value = pair;
        name = str_cut(value, '=');
        if (means(name, key) && str_chr(pair, ';') == pair.len && is_well_escaped(*value))
            return true;
    }
    return false;
}

/* The values of a key, with commas between. */
static struct str query_value(struct arena *a, struct str query, struct str key)
{
    const size_t longest = query.len + 1;
    char *out = NULL, *at = NULL;
    struct str value;

    while (next_value(&query, key, &value)) {
        if (out == NULL)
            at = out = arena_bytes(a, longest);
        else
            *at++ = ',';
        while (value.len > 0)
            *at++ = (char)next_byte(&value);
    }
    return (struct str){out, (size_t)(at - out)};
}

static struct str prefixed(struct arena *a, struct str query)
{
    return query.len == 0 ? query : arena_printf(a, "?" STR_FMT, STR_ARG(query));
}

/* ---- as it is now ---- */

struct str placeholder_uri(struct exchange *ex)
{
    if (ex->query.p == NULL)
        return ex->raw_path;
    return arena_printf(ex->arena, STR_FMT "?" STR_FMT, STR_ARG(ex->raw_path), STR_ARG(ex->query));
}

struct str placeholder_uri_escaped(struct exchange *ex)
{
    return escape(ex->arena, placeholder_uri(ex));
}

struct str placeholder_path(struct exchange *ex)
{
    return ex->path;
}

struct str placeholder_path_escaped(struct exchange *ex)
{
    return escape(ex->arena, ex->path);
}

struct str placeholder_path_part(struct exchange *ex, const struct text_part *part)
{
    return part_of(ex->path, part->index);
}

struct str placeholder_dir(struct exchange *ex)
{
    return dir_of(ex->path);
}

struct str placeholder_file(struct exchange *ex)
{
    return file_of(ex->path);
}

struct str placeholder_file_base(struct exchange *ex)
{
    return base_of(ex->path);
}

struct str placeholder_file_ext(struct exchange *ex)
{
    return ext_of(ex->path);
}

struct str placeholder_query(struct exchange *ex)
{
    return ex->query;
}

struct str placeholder_query_escaped(struct exchange *ex)
{
    return escape(ex->arena, ex->query);
}

struct str placeholder_prefixed_query(struct exchange *ex)
{
    return prefixed(ex->arena, ex->query);
}

struct str placeholder_query_value(struct exchange *ex, const struct text_part *part)
{
    return query_value(ex->arena, ex->query, part->text);
}

/* ---- as the client sent it ---- */

struct str placeholder_orig_method(struct exchange *ex)
{
    return exchange_original(ex).method;
}

struct str placeholder_orig_uri(struct exchange *ex)
{
    return ex->target;
}

struct str placeholder_orig_path(struct exchange *ex)
{
    return exchange_original(ex).path;
}

struct str placeholder_orig_path_part(struct exchange *ex, const struct text_part *part)
{
    return part_of(exchange_original(ex).path, part->index);
}

struct str placeholder_orig_dir(struct exchange *ex)
{
    return dir_of(exchange_original(ex).path);
}

struct str placeholder_orig_file(struct exchange *ex)
{
    return file_of(exchange_original(ex).path);
}

struct str placeholder_orig_query(struct exchange *ex)
{
    return exchange_original(ex).query;
}

struct str placeholder_orig_prefixed_query(struct exchange *ex)
{
    return prefixed(ex->arena, exchange_original(ex).query);
}
