#include "http/match_path.h"

#include "http/exchange.h"

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

bool path_pattern_matches(const struct path_pattern *p, struct str path)
{
    switch (p->kind) {
    case PATH_ANY:
        return true;
    case PATH_EXACT:
        return str_eq_nocase(path, p->text);
    case PATH_PREFIX:
        return path.len >= p->text.len && str_eq_nocase(head(path, p->text.len), p->text);
    case PATH_SUFFIX:
        return path.len >= p->text.len &&
               str_eq_nocase(str_from(path, path.len - p->text.len), p->text);
    case PATH_GLOB:
        return glob(p->text, path);
    }
    return false;
}

static bool path_matches(const void *conf, struct exchange *ex)
{
    const struct path_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (path_pattern_matches(&c->list[i], ex->path))
            return true;
    return false;
}

static struct path_pattern compile(struct str text)
{
    size_t star = str_chr(text, '*');
    bool plain = str_chr(text, '?') == text.len;

    if (plain && star == text.len)
        return (struct path_pattern){PATH_EXACT, text};
    if (plain && star == text.len - 1)
        return (struct path_pattern){PATH_PREFIX, {text.p, text.len - 1}};
    return (struct path_pattern){PATH_GLOB, text};
}

static int path_set(const struct directive_args *d)
{
    struct path_condition *c = d->target;

    for (size_t i = 0; i < d->n_args; i++) {
        c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
        c->list[c->n++] = compile(directive_str(d, &d->args[i]));
    }
    return 0;
}

const struct matcher_type path_matcher = {.row = {.name = "path",
                                                  .min_args = 1,
                                                  .max_args = -1,
                                                  .conf_size = sizeof(struct path_condition),
                                                  .set = path_set,
                                                  .help = "path <pattern>..."},
                                          .match = path_matches};
