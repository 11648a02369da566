#include "base/glob.h"

struct glob {
    struct str pattern;
    bool nocase;
};

/* ---- characters: UTF-8; a byte that is none is a character of its own ---- */

static uint32_t take_char(struct str s, size_t *at)
{
    const unsigned char *p = (const unsigned char *)s.p + *at;
    size_t len = str_utf8_len(str_from(s, *at));
    uint32_t c = p[0];

    *at += len == 0 ? 1 : len;
    if (len < 2)
        return len == 0 ? 0xfffd : c;
    c &= 0xffU >> (len + 1);
    for (size_t i = 1; i < len; i++)
        c = c << 6 | (p[i] & 0x3f);
    return c;
}

static uint32_t lower(uint32_t c)
{
    return c < 0x80 ? (uint32_t)ascii_lower((char)c) : c;
}

/* ---- one element of a pattern ---- */

/* A character of a class, perhaps behind a backslash. False: the class ends where none may be. */
static bool take_class_char(struct str pattern, size_t *at, uint32_t *c)
{
    if (*at < pattern.len && (pattern.p[*at] == '-' || pattern.p[*at] == ']'))
        return false;
    if (*at < pattern.len && pattern.p[*at] == '\\')
        ++*at;
    if (*at >= pattern.len)
        return false;
    *c = take_char(pattern, at);
    return true;
}

/* "[...]" at *at, which is then behind it. False: not valid. */
static bool take_class(const struct glob *g, size_t *at, uint32_t c, bool *in)
{
    size_t i = *at + 1;
    bool negated = i < g->pattern.len && g->pattern.p[i] == '^';
    bool found = false;
    size_t n = 0;

    i += negated;
    for (; i >= g->pattern.len || g->pattern.p[i] != ']' || n == 0; n++) {
        uint32_t low, high;

        if (!take_class_char(g->pattern, &i, &low))
            return false;
        high = low;
        if (i < g->pattern.len && g->pattern.p[i] == '-') {
            i++;
            if (!take_class_char(g->pattern, &i, &high))
                return false;
        }
        if (g->nocase)
            found |= lower(low) <= lower(c) && lower(c) <= lower(high);
        else
            found |= low <= c && c <= high;
    }
    *at = i + 1;
    *in = found != negated;
    return true;
}

/* Whether the element at *at, which is no star, matches the character at *i; both go on. */
static bool take_element(const struct glob *g, size_t *at, struct str s, size_t *i)
{
    uint32_t c = take_char(s, i), p;
    bool in;

    switch (g->pattern.p[*at]) {
    case '?':
        ++*at;
        return c != '/';
    case '[':
        return take_class(g, at, c, &in) && in;
    case '\\':
        if (++*at == g->pattern.len)
            return false;
        break;
    }
    p = take_char(g->pattern, at);
    return p == c || (g->nocase && lower(p) == lower(c));
}

/* ---- patterns ---- */

bool glob_matches(struct str pattern, struct str s, bool nocase)
{
    const struct glob g = {pattern, nocase};
    size_t at = 0, i = 0, star = SIZE_MAX, resume = 0;

    /* Only the last star can need more than it has: a shorter run for an earlier one leaves more to
     * the later ones. */
    while (i < s.len || at < pattern.len) {
        size_t next_at = at, next_i = i;

        if (at < pattern.len && pattern.p[at] == '*') {
            star = ++at;
            resume = i;
        } else if (at < pattern.len && i < s.len && take_element(&g, &next_at, s, &next_i)) {
            at = next_at;
            i = next_i;
        } else if (star != SIZE_MAX && resume < s.len && s.p[resume] != '/') {
            take_char(s, &resume);
            at = star;
            i = resume;
        } else {
            return false;
        }
    }
    return true;
}

bool glob_is_valid(struct str pattern)
{
    const struct glob g = {pattern, false};

    for (size_t i = 0; i < pattern.len;) {
        bool in;

        if (pattern.p[i] == '[') {
            if (!take_class(&g, &i, 0, &in))
                return false;
        } else if (pattern.p[i] == '\\') {
            i += 2;
            if (i > pattern.len)
                return false;
        } else {
            i++;
        }
    }
    return true;
}

bool glob_has_meta(struct str s)
{
    for (size_t i = 0; i < s.len; i++)
        if (memchr("*?[\\", s.p[i], 4) != NULL)
            return true;
    return false;
}
