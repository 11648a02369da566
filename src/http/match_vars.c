#include "http/match_vars.h"

#include "http/matchers.h"
#include "http/placeholder.h"
#include "http/vars.h"

struct wanted_variable {
    struct variable variable;
    struct text *values; /* any of them */
    size_t n, cap;
};

struct vars_condition {
    struct wanted_variable *list; /* any of them, as in Caddy */
    size_t n, cap;
};

int variable_set(const struct directive_args *d, const struct token *t, struct variable *out)
{
    if (t->text.len == 0)
        return directive_error(d, t, "the name of a variable is missing");
    out->source = directive_str(d, t);
    if (!str_starts(t->text, STR_LIT("{"))) {
        out->name = arena_printf(d->arena, "vars." STR_FMT, STR_ARG(t->text));
        return 0;
    }
    if (directive_text(d, t, &out->text) != 0)
        return -1;
    if (out->text.n_parts != 1 || out->text.constant)
        return directive_error(d, t, "this is neither the name of a variable nor one placeholder");
    return 0;
}

struct str variable_get(const struct variable *v, struct exchange *ex)
{
    struct str value = v->name.len > 0 ? vars_get(ex, v->name) : text_expand(&v->text, ex);

    return value.p == NULL ? STR_LIT("") : value;
}

static bool vars_match(const void *conf, struct exchange *ex)
{
    const struct vars_condition *c = conf;

    for (size_t i = 0; i < c->n; i++) {
        struct str value = variable_get(&c->list[i].variable, ex);

        for (size_t j = 0; j < c->list[i].n; j++)
            if (str_eq(text_expand(&c->list[i].values[j], ex), value))
                return true;
    }
    return false;
}

static int vars_set_condition(const struct directive_args *d)
{
    struct vars_condition *c = d->target;
    struct wanted_variable *w;
    int rc = 0;

    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    w = &c->list[c->n++];
    if (variable_set(d, &d->args[0], &w->variable) != 0)
        return -1;
    for (size_t i = 1; i < d->n_args; i++) {
        w->values = arena_grow(d->arena, w->values, w->n, &w->cap, sizeof *w->values);
        if (directive_text(d, &d->args[i], &w->values[w->n++]) != 0)
            rc = -1;
    }
    return rc;
}

const struct matcher_type vars_matcher = {.row = {.name = "vars",
                                                  .min_args = 2,
                                                  .max_args = -1,
                                                  .conf_size = sizeof(struct vars_condition),
                                                  .set = vars_set_condition,
                                                  .help = "vars <variable> <value>..."},
                                          .match = vars_match};
