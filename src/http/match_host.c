#include "base/alloc.h"
#include "base/idna.h"
#include "base/merge.h"
#include "http/exchange.h"
#include "http/matchers.h"
#include "http/placeholder.h"

#include <stdlib.h>

/* The exact names are sorted, since there can be many. */
struct host_condition {
    struct str *exact; /* lower-cased */
    size_t n_exact, cap_exact;
    struct text *others; /* with a star for a whole label, or placeholders */
    size_t n_others, cap_others;
};

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

/* "*" stands for exactly one label. */
static bool pattern_matches(struct str pattern, struct str host)
{
    while (pattern.p != NULL && host.p != NULL) {
        struct str p = str_cut(&pattern, '.'), label = str_cut(&host, '.');

        if (!str_is(p, "*") && !str_eq_nocase(p, label))
            return false;
    }
    return pattern.p == NULL && host.p == NULL;
}

static bool host_matches(const void *conf, struct exchange *ex)
{
    const struct host_condition *c = conf;

    if (c->n_exact > 0 &&
        bsearch(&ex->host, c->exact, c->n_exact, sizeof *c->exact, compare) != NULL)
        return true;
    for (size_t i = 0; i < c->n_others; i++)
        if (pattern_matches(text_expand(&c->others[i], ex), ex->host))
            return true;
    return false;
}

static struct str lower(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = ascii_lower(s.p[i]);
    p[s.len] = '\0';
    return (struct str){p, s.len};
}

/* As ex->host is: in ASCII, lower-cased, without brackets and without the root dot. */
static int normal(const struct directive_args *d, const struct token *t, struct str host,
                  struct str *out)
{
    char ascii[IDNA_NAME_MAX + 1];
    struct err e;

    if (str_starts(host, STR_LIT("[")) && str_ends(host, STR_LIT("]")))
        host = (struct str){host.p + 1, host.len - 2};
    if (host.len > 1 && str_ends(host, STR_LIT(".")))
        host.len--;
    *out = lower(d->arena, host);
    if (!idna_is_international(host))
        return 0;
    if (idna_to_ascii(host, ascii, &e) != 0)
        return directive_error(d, t, "%s", e.msg);
    *out = arena_str(d->arena, str_of(ascii));
    return 0;
}

static int add(const struct directive_args *d, const struct token *t)
{
    struct host_condition *c = d->target;
    struct text text;

    if (t->text.len == 0)
        return directive_error(d, t, "a host is missing");
    if (directive_text(d, t, &text) != 0)
        return -1;
    if (!text.constant || memchr(t->text.p, '*', t->text.len) != NULL) {
        c->others = arena_grow(d->arena, c->others, c->n_others, &c->cap_others, sizeof text);
        c->others[c->n_others++] = text;
        return 0;
    }
    c->exact = arena_grow(d->arena, c->exact, c->n_exact, &c->cap_exact, sizeof *c->exact);
    return normal(d, t, text_constant(&text), &c->exact[c->n_exact++]);
}

/* The one of the new names that is there twice; len 0: none is. */
static struct str repeated(const struct host_condition *c, const struct str *new, size_t n_new)
{
    for (size_t i = 0; i < n_new; i++) {
        const struct str *at = bsearch(&new[i], c->exact, c->n_exact, sizeof *at, compare);

        if ((at > c->exact && str_eq(at[-1], *at)) ||
            (at + 1 < c->exact + c->n_exact && str_eq(at[1], *at)))
            return *at;
    }
    return (struct str){NULL, 0};
}

static int report_repeated(const struct directive_args *d, struct str twice)
{
    for (size_t i = d->n_args; i > 0; i--) {
        const struct token *t = &d->args[i - 1];
        struct str host;

        if (normal(d, t, t->text, &host) == 0 && str_eq(host, twice))
            return directive_error(d, t, "'" STR_FMT "' is there twice", STR_ARG(t->text));
    }
    return -1;
}

/* Sorts in the names from n_before on. There may be a line for each name. */
static int sort(const struct directive_args *d, size_t n_before)
{
    struct host_condition *c = d->target;
    const size_t n_new = c->n_exact - n_before;
    struct str *new, twice;

    if (n_new == 0)
        return 0;
    new = xalloc(n_new * sizeof *new);
    memcpy(new, c->exact + n_before, n_new * sizeof *new);
    merge_tail(c->exact, n_before, c->n_exact, sizeof *c->exact, compare);
    twice = repeated(c, new, n_new);
    free(new);
    return twice.len > 0 ? report_repeated(d, twice) : 0;
}

static int host_set(const struct directive_args *d)
{
    const size_t n_before = ((const struct host_condition *)d->target)->n_exact;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (add(d, &d->args[i]) != 0)
            rc = -1;
    return sort(d, n_before) == 0 ? rc : -1;
}

const struct matcher_type host_matcher = {.row = {.name = "host",
                                                  .min_args = 1,
                                                  .max_args = -1,
                                                  .conf_size = sizeof(struct host_condition),
                                                  .set = host_set,
                                                  .help = "host <name>..."},
                                          .match = host_matches};
