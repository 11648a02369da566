#include "http/path_escapes.h"

#include "base/glob.h"
#include "http/unescape.h"

/* ---- dot segments ---- */

/* Before each segment p[0..to) is resolved and ends with "/". ".." at the root stays there. */
struct str path_without_dots(struct arena *a, struct str path, bool keep_slashes)
{
    char *p = arena_bytes(a, path.len + 1);
    size_t to = 1;
    struct str rest = path;

    if (path.len == 0 || path.p[0] != '/')
        return path;
    p[0] = '/';
    rest = str_from(rest, 1);
    while (rest.p != NULL) {
        struct str segment = str_cut(&rest, '/');

        if (str_is(segment, ".") || (segment.len == 0 && !keep_slashes))
            continue;
        if (str_is(segment, "..")) {
            while (to > 1 && p[--to - 1] != '/')
                ;
            continue;
        }
        memcpy(p + to, segment.p, segment.len);
        to += segment.len;
        if (rest.p != NULL)
            p[to++] = '/';
    }
    p[to] = '\0';
    return (struct str){p, to};
}

/* ---- patterns with escapes ---- */

/* The pattern and the path side by side. What is to be compared in the end is put in out, as a path
 * in which only the escapes are left that the pattern asks for. */
struct pair {
    struct arena *arena;
    struct str pattern, path;
    size_t i, j; /* in each */
    char *out;
    size_t n;
};

static bool put(struct pair *p, struct str s, bool decode)
{
    struct str decoded = s;

    if (decode && !unescape(p->arena, s, false, &decoded))
        return false;
    memcpy(p->out + p->n, decoded.p, decoded.len);
    p->n += decoded.len;
    return true;
}

/* One character of the path, with its escape or without. */
static bool put_char(struct pair *p, bool decode)
{
    bool escape = p->path.p[p->j] == '%' && p->j + 3 <= p->path.len;
    size_t len = escape ? 3 : 1;
    struct str c = {p->path.p + p->j, len};

    p->j += len;
    return put(p, c, decode);
}

/* What a star stands for: up to where the character after it comes first. False: it never does. */
static bool put_span(struct pair *p, bool decode)
{
    struct str rest = str_from(p->path, p->j);
    size_t len = rest.len;

    if (p->i < p->pattern.len) {
        char next = ascii_lower(p->pattern.p[p->i]);

        for (len = 0; len < rest.len && ascii_lower(rest.p[len]) != next; len++)
            ;
        if (len == rest.len)
            return false;
    }
    p->j += len;
    return put(p, (struct str){rest.p, len}, decode);
}

static bool step(struct pair *p)
{
    char c = p->pattern.p[p->i];
    bool escaped_star = c == '%' && p->i + 1 < p->pattern.len && p->pattern.p[p->i + 1] == '*';

    if (c == '*' || escaped_star) {
        p->i += escaped_star ? 2 : 1;
        return put_span(p, !escaped_star);
    }
    if (c == '%' && p->i + 3 <= p->pattern.len) {
        p->i += 3;
        return put_char(p, false);
    }
    p->i++;
    return put_char(p, true);
}

/* "%*" is then a star as any other. */
static struct str plain_stars(struct arena *a, struct str pattern)
{
    char *out = arena_bytes(a, pattern.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < pattern.len; i++)
        if (pattern.p[i] != '%' || i + 1 == pattern.len || pattern.p[i + 1] != '*')
            out[n++] = pattern.p[i];
    return (struct str){out, n};
}

bool path_escapes_match(struct arena *a, struct str pattern, struct str raw)
{
    bool keep_slashes = pattern.len > 1 && memmem(pattern.p, pattern.len, "//", 2) != NULL;
    struct pair p = {a, pattern, path_without_dots(a, raw, keep_slashes), 0, 0, NULL, 0};

    p.out = arena_bytes(a, p.path.len + 1);
    while (p.i < p.pattern.len && p.j < p.path.len)
        if (!step(&p))
            return false;
    /* What the pattern has no more hints for. */
    if (p.j < p.path.len && !put(&p, str_from(p.path, p.j), true))
        return false;
    return glob_matches(plain_stars(a, pattern), (struct str){p.out, p.n}, true);
}
