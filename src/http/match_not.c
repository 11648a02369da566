#include "http/exchange.h"
#include "http/match.h"
#include "http/matchers.h"

/* None of them may match. */
struct not_condition {
    struct matcher *list;
    size_t n, cap;
};

static bool not_matches(const void *conf, struct exchange *ex)
{
    const struct not_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (matcher_matches(&c->list[i], ex) || ex->match_error != 0)
            return false;
    return true;
}

static int not_set(const struct directive_args *d)
{
    struct not_condition *c = d->target;

    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    return directive_matcher(d, 1, &c->list[c->n++]);
}

const struct matcher_type not_matcher = {.row = {.name = "not",
                                                 .max_args = -1,
                                                 .block = true,
                                                 .conf_size = sizeof(struct not_condition),
                                                 .set = not_set,
                                                 .help = "not <matcher>"},
                                         .match = not_matches};
