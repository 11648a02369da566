#include "http/exchange.h"
#include "http/matchers.h"

struct method_condition {
    struct str *list; /* in capitals */
    size_t n, cap;
};

static bool method_matches(const void *conf, struct exchange *ex)
{
    const struct method_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->list[i], ex->method))
            return true;
    return false;
}

static struct str upper(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
    p[s.len] = '\0';
    return (struct str){p, s.len};
}

static int method_set(const struct directive_args *d)
{
    struct method_condition *c = d->target;

    for (size_t i = 0; i < d->n_args; i++) {
        c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
        c->list[c->n++] = upper(d->arena, d->args[i].text);
    }
    return 0;
}

const struct matcher_type method_matcher = {.row = {.name = "method",
                                                    .min_args = 1,
                                                    .max_args = -1,
                                                    .conf_size = sizeof(struct method_condition),
                                                    .set = method_set,
                                                    .help = "method <verb>..."},
                                            .match = method_matches};
