#include "http/match_path.h"

#include "base/glob.h"
#include "http/exchange.h"
#include "http/path_escapes.h"
#include "http/placeholder.h"
#include "http/unescape.h"

enum { WALKS_MAX = 4 * 1024 * 1024 }; /* bytes of a path times those of a pattern at run time */

static struct str head(struct str s, size_t len)
{
    return (struct str){s.p, len};
}

static bool contains(struct str s, struct str part)
{
    for (size_t i = 0; i + part.len <= s.len; i++)
        if (str_eq_nocase(head(str_from(s, i), part.len), part))
            return true;
    return false;
}

/* The path for a pattern with "//": decoded, dot segments resolved, slashes as they were sent. */
static struct str path_with_slashes(struct exchange *ex)
{
    struct str path = ex->path;

    if (!unescape(ex->arena, ex->raw_path, false, &path))
        return ex->path;
    return path_without_dots(ex->arena, path, true);
}

/* A client can have written both: what would take long is no match. */
static bool text_matches(const struct path_pattern *p, struct exchange *ex)
{
    const struct path_pattern now = path_pattern_of(text_expand(p->parts, ex));
    bool walks = now.kind == PATH_SUBSTRING || now.kind == PATH_GLOB || now.kind == PATH_ESCAPED;

    if (walks && now.text.len > WALKS_MAX / (ex->raw_path.len + 1))
        return false;
    return path_pattern_matches(&now, ex);
}

bool path_pattern_matches(const struct path_pattern *p, struct exchange *ex)
{
    struct str path = p->keep_slashes ? path_with_slashes(ex) : ex->path;

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
    case PATH_SUBSTRING:
        return contains(path, p->text);
    case PATH_GLOB:
        return glob_matches(p->text, path, true);
    case PATH_ESCAPED:
        return path_escapes_match(ex->arena, p->text, ex->raw_path);
    case PATH_TEXT:
        return text_matches(p, ex);
    }
    return false;
}

static bool path_matches(const void *conf, struct exchange *ex)
{
    const struct path_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (path_pattern_matches(&c->list[i], ex))
            return true;
    return false;
}

/* ---- configuration ---- */

static bool is_plain(struct str s)
{
    return !glob_has_meta(s);
}

struct path_pattern path_pattern_of(struct str text)
{
    struct path_pattern p = {PATH_GLOB, false, text, NULL};
    bool front = str_starts(text, STR_LIT("*")), end = str_ends(text, STR_LIT("*"));

    if (str_is(text, "*"))
        return (struct path_pattern){PATH_ANY, false, text, NULL};
    if (str_chr(text, '%') < text.len) {
        p.kind = PATH_ESCAPED;
        return p;
    }
    p.keep_slashes = text.len > 1 && memmem(text.p, text.len, "//", 2) != NULL;
    if (front && end)
        p.text = (struct str){text.p + 1, text.len - 2};
    else if (front || end)
        p.text = (struct str){text.p + (front ? 1 : 0), text.len - 1};
    /* As a part of a path, "?", "[" and "\" would stand for themselves in Caddy. */
    if ((front || end) ? str_chr(p.text, '*') < p.text.len : !is_plain(text))
        p.text = text;
    else
        p.kind = front && end ? PATH_SUBSTRING
                 : front      ? PATH_SUFFIX
                 : end        ? PATH_PREFIX
                              : PATH_EXACT;
    return p;
}

static int add(const struct directive_args *d, const struct token *t)
{
    struct path_condition *c = d->target;
    struct text text;
    struct path_pattern p = {.kind = PATH_TEXT};

    if (directive_text(d, t, &text) != 0)
        return -1;
    if (text.constant)
        p = path_pattern_of(text_constant(&text));
    else
        p.parts = memcpy(arena_alloc(d->arena, sizeof text), &text, sizeof text);
    if (p.kind == PATH_GLOB && !glob_is_valid(p.text))
        return directive_error(d, t,
                               "'" STR_FMT "' matches nothing: a '[' is not closed, or a "
                               "'\\' stands at the end",
                               STR_ARG(t->text));
    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    c->list[c->n++] = p;
    return 0;
}

static int path_set(const struct directive_args *d)
{
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (add(d, &d->args[i]) != 0)
            rc = -1;
    return rc;
}

const struct matcher_type path_matcher = {.row = {.name = "path",
                                                  .min_args = 1,
                                                  .max_args = -1,
                                                  .conf_size = sizeof(struct path_condition),
                                                  .set = path_set,
                                                  .help = "path <pattern>..."},
                                          .match = path_matches};
