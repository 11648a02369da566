#include "http/cel.h"
#include "http/match.h"
#include "http/matchers.h"

struct expression_condition {
    const struct cel_node *expression;
};

static bool expression_matches(const void *conf, struct exchange *ex)
{
    const struct expression_condition *c = conf;

    return cel_holds(c->expression, ex);
}

static int expression_set(const struct directive_args *d)
{
    struct expression_condition *c = d->target;

    c->expression = cel_compile(d);
    return c->expression == NULL ? -1 : 0;
}

/* Each line is a condition of its own. */
const struct matcher_type expression_matcher = {
    .row = {.name = "expression",
            .min_args = 1,
            .max_args = -1,
            .conf_size = sizeof(struct expression_condition),
            .set = expression_set,
            .help = "expression <cel>",
            .repeats = true},
    .match = expression_matches};

bool matcher_reads_answer(const struct matcher *m)
{
    for (size_t i = 0; i < m->n; i++) {
        const struct expression_condition *c = m->all[i].conf;

        if (m->all[i].type == &expression_matcher && cel_reads_answer(c->expression))
            return true;
    }
    return false;
}
