#include "http/exchange.h"
#include "http/matchers.h"
#include "http/placeholder.h"
#include "http/unescape.h"

struct wanted_pair {
    struct text key;
    struct str source; /* the key as written: pairs with equal ones are alternatives */
    struct text *values;
    size_t n, cap;
};

struct query_condition {
    struct wanted_pair *list; /* each key must have one of its values; none: no query at all */
    size_t n, cap;
};

struct pair {
    struct str key, value;
};

struct pairs {
    struct pair *list;
    size_t n, cap;
    bool broken; /* there was one that can be read in more than one way */
};

/* ---- matching ---- */

static void take_pair(struct arena *a, struct str text, struct pairs *out)
{
    struct pair p;
    struct str rest = text, key = str_cut(&rest, '=');

    if (text.len == 0)
        return;
    if (str_chr(text, ';') < text.len || !unescape(a, key, true, &p.key) ||
        !unescape(a, rest, true, &p.value)) {
        out->broken = true;
        return;
    }
    out->list = arena_grow(a, out->list, out->n, &out->cap, sizeof p);
    out->list[out->n++] = p;
}

static struct pairs pairs_of(struct arena *a, struct str query)
{
    struct pairs pairs = {NULL, 0, 0, false};

    while (query.p != NULL)
        take_pair(a, str_cut(&query, '&'), &pairs);
    return pairs;
}

static bool pair_matches(const struct wanted_pair *w, const struct pairs *pairs,
                         struct exchange *ex)
{
    struct str key = text_expand(&w->key, ex);

    for (size_t i = 0; i < w->n; i++) {
        struct str value = text_expand(&w->values[i], ex);

        for (size_t j = 0; j < pairs->n; j++)
            if (str_eq(pairs->list[j].key, key) &&
                (str_is(value, "*") || str_eq(pairs->list[j].value, value)))
                return true;
    }
    return false;
}

static bool query_matches(const void *conf, struct exchange *ex)
{
    const struct query_condition *c = conf;
    const struct pairs pairs = pairs_of(ex->arena, ex->query);

    if (c->n == 0)
        return pairs.n == 0;
    if (pairs.broken)
        return false;
    for (size_t i = 0; i < c->n; i++)
        if (!pair_matches(&c->list[i], &pairs, ex))
            return false;
    return true;
}

/* ---- configuration ---- */

static struct wanted_pair *wanted(const struct directive_args *d, struct str key)
{
    struct query_condition *c = d->target;

    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->list[i].source, key))
            return &c->list[i];
    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    c->list[c->n].source = arena_str(d->arena, key);
    return &c->list[c->n++];
}

static int add(const struct directive_args *d, const struct token *t)
{
    struct str rest = t->text, key = str_cut(&rest, '=');
    struct token key_token = *t, value_token = *t;
    struct wanted_pair *w;

    if (t->text.len == 0)
        return 0;
    if (rest.p == NULL)
        return directive_error(d, t, "'" STR_FMT "' is no 'key=value'; '*' stands for any value",
                               STR_ARG(t->text));
    w = wanted(d, key);
    w->values = arena_grow(d->arena, w->values, w->n, &w->cap, sizeof *w->values);
    key_token.text = key;
    value_token.text = rest;
    if (directive_text(d, &key_token, &w->key) != 0)
        return -1;
    return directive_text(d, &value_token, &w->values[w->n++]);
}

static int query_set(const struct directive_args *d)
{
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (add(d, &d->args[i]) != 0)
            rc = -1;
    return rc;
}

const struct matcher_type query_matcher = {.row = {.name = "query",
                                                   .min_args = 1,
                                                   .max_args = -1,
                                                   .conf_size = sizeof(struct query_condition),
                                                   .set = query_set,
                                                   .help = "query <key>=<value>... or query \"\""},
                                           .match = query_matches};
