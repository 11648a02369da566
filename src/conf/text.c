#include "conf/text.h"

#include "conf/placeholder_names.h"

struct text_compiler {
    struct arena *arena;
    struct text_part *parts;
    size_t n, cap;
    char *literal; /* the one at work */
    size_t literal_len, literal_cap;
};

/* ---- names ---- */

static bool is_name_byte(char c)
{
    char l = ascii_lower(c);

    return (l >= 'a' && l <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_' ||
           c == '?' || c == '[' || c == ']';
}

/* The name in the braces that begin s; len 0: it could be none. *plain: of bytes that make one
 * likely; of others it must be known. */
static struct str name_at(struct str s, bool *plain)
{
    struct str name = {s.p + 1, 0};

    *plain = true;
    for (size_t i = 1; i < s.len && s.p[i] != '}'; i++) {
        if ((unsigned char)s.p[i] <= ' ' || memchr("{\"\\`", s.p[i], 4) != NULL)
            return (struct str){NULL, 0};
        *plain &= is_name_byte(s.p[i]);
        name.len++;
    }
    if (name.len + 1 == s.len || name.len == 0 || (name.p[0] >= '0' && name.p[0] <= '9'))
        return (struct str){NULL, 0};
    return name;
}

/* ---- parts ---- */

static void add_part(struct text_compiler *tc, struct text_part part)
{
    tc->parts = arena_grow(tc->arena, tc->parts, tc->n, &tc->cap, sizeof *tc->parts);
    tc->parts[tc->n++] = part;
}

static void add_bytes(struct text_compiler *tc, struct str bytes)
{
    if (tc->literal_len + bytes.len > tc->literal_cap) {
        char *old = tc->literal;

        tc->literal_cap = (tc->literal_len + bytes.len) * 2;
        tc->literal = arena_bytes(tc->arena, tc->literal_cap);
        if (tc->literal_len > 0)
            memcpy(tc->literal, old, tc->literal_len);
    }
    if (bytes.len > 0)
        memcpy(tc->literal + tc->literal_len, bytes.p, bytes.len);
    tc->literal_len += bytes.len;
}

static void end_literal(struct text_compiler *tc)
{
    if (tc->literal_len == 0)
        return;
    add_part(tc, (struct text_part){.kind = PH_LITERAL, .text = {tc->literal, tc->literal_len}});
    tc->literal += tc->literal_len;
    tc->literal_cap -= tc->literal_len;
    tc->literal_len = 0;
}

/* Adds the placeholder that begins s, if one does; *used: the bytes of it, or 0. */
static int add_placeholder(struct text_compiler *tc, struct str s, const struct defined *defined,
                           size_t *used, struct err *e)
{
    struct text_part part;
    bool plain;
    struct str name = name_at(s, &plain);

    *used = 0;
    if (name.len == 0)
        return 0;
    switch (placeholder_find(tc->arena, name, defined, &part, e)) {
    case FOUND_MISTAKE:
        return -1;
    case FOUND_NOTHING:
        return plain || placeholder_is_known(name) ? placeholder_unknown(name, defined, e) : 0;
    case FOUND_PLACEHOLDER:
        break;
    }
    *used = name.len + 2;
    if (part.kind == PH_LITERAL) {
        add_bytes(tc, part.text);
        return 0;
    }
    end_literal(tc);
    add_part(tc, part);
    return 0;
}

/* The bytes of a reference to a group, "${1}" or "${name}", at the start of s, or 0. */
static size_t group_len(struct str s)
{
    size_t end = str_chr(s, '}');

    return str_starts(s, STR_LIT("${")) && end < s.len ? end + 1 : 0;
}

static int compile(struct arena *a, struct str source, const struct defined *defined, bool groups,
                   struct text *out, struct err *e)
{
    struct text_compiler tc = {
        .arena = a, .literal = arena_bytes(a, source.len + 1), .literal_cap = source.len};
    size_t used;

    for (size_t i = 0; i < source.len; i += used) {
        struct str rest = str_from(source, i);

        used = groups ? group_len(rest) : 0;
        add_bytes(&tc, (struct str){rest.p, used});
        if (used > 0)
            continue;
        if (str_starts(rest, STR_LIT("\\{")) || str_starts(rest, STR_LIT("\\}")))
            rest = str_from(source, ++i);
        else if (rest.p[0] == '{' && add_placeholder(&tc, rest, defined, &used, e) != 0)
            return err_at(e, i);
        if (used == 0) {
            add_bytes(&tc, (struct str){rest.p, 1});
            used = 1;
        }
    }
    end_literal(&tc);
    out->parts = tc.parts;
    out->n_parts = tc.n;
    out->constant = tc.n == 0 || (tc.n == 1 && tc.parts[0].kind == PH_LITERAL);
    return 0;
}

int text_compile(struct arena *a, struct str source, const struct defined *defined,
                 struct text *out, struct err *e)
{
    return compile(a, source, defined, false, out, e);
}

int text_compile_replacement(struct arena *a, struct str source, const struct defined *defined,
                             struct text *out, struct err *e)
{
    return compile(a, source, defined, true, out, e);
}
