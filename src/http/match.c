#include "http/match.h"

static struct str head(struct str s, size_t len)
{
    return (struct str){s.p, len};
}

/* "*" stands for any run of bytes but "/", "?" for one of them (path.Match of Go, which Caddy
 * uses). Without recursion: only the last star can need more bytes. */
static bool glob(struct str pattern, struct str s)
{
    size_t p = 0, i = 0, star = SIZE_MAX, resume = 0;

    while (i < s.len) {
        if (p < pattern.len && pattern.p[p] == '*') {
            star = p++;
            resume = i;
        } else if (p < pattern.len && (ascii_lower(pattern.p[p]) == ascii_lower(s.p[i]) ||
                                       (pattern.p[p] == '?' && s.p[i] != '/'))) {
            p++;
            i++;
        } else if (star != SIZE_MAX && s.p[resume] != '/') {
            p = star + 1;
            i = ++resume;
        } else {
            return false;
        }
    }
    while (p < pattern.len && pattern.p[p] == '*')
        p++;
    return p == pattern.len;
}

bool matcher_matches(const struct matcher *m, const struct exchange *ex)
{
    struct str path = ex->path, pattern = m->pattern;

    switch (m->path) {
    case PATH_ANY:
        return true;
    case PATH_EXACT:
        return str_eq_nocase(path, pattern);
    case PATH_PREFIX:
        return path.len >= pattern.len && str_eq_nocase(head(path, pattern.len), pattern);
    case PATH_SUFFIX:
        return path.len >= pattern.len &&
               str_eq_nocase(str_from(path, path.len - pattern.len), pattern);
    case PATH_GLOB:
        return glob(pattern, path);
    }
    return false;
}
