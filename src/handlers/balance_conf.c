/* "lb_policy": the words of each policy. */
#include "handlers/balance.h"

#include "base/alloc.h"

enum { CHOOSE_MAX = 1024, WEIGHT_MAX = 1000000 };

struct policy {
    const char *name;
    enum balance_kind kind;
    unsigned min_args, max_args;
    int (*set)(const struct directive_args *d, struct balance *b);
    bool fallback; /* may have one */
};

/* ---- words after the name ---- */

static int set_choose(const struct directive_args *d, struct balance *b)
{
    uint64_t n = 2;

    if (d->n_args > 1 && directive_uint(d, &d->args[1], CHOOSE_MAX, &n) != 0)
        return -1;
    if (n < 2)
        return directive_error(d, &d->args[1], "of fewer than 2 there is nothing to choose");
    b->choose = (unsigned)n;
    return 0;
}

static int set_weights(const struct directive_args *d, struct balance *b)
{
    unsigned *weights = arena_alloc(d->arena, d->n_args * sizeof *weights);
    uint64_t total = 0;
    int rc = 0;

    b->weights = weights;
    for (size_t i = 1; i < d->n_args; i++) {
        uint64_t n;

        if (directive_uint(d, &d->args[i], WEIGHT_MAX, &n) != 0) {
            rc = -1;
            continue;
        }
        weights[b->n_weights++] = (unsigned)n;
        total += n;
    }
    if (rc == 0 && total == 0)
        return directive_error(d, &d->args[0], "one upstream at least needs a weight above 0");
    return rc;
}

static int set_name(const struct directive_args *d, struct balance *b)
{
    b->name = directive_str(d, &d->args[1]);
    if (b->name.len == 0)
        return directive_error(d, &d->args[1], "a name is missing");
    return 0;
}

static int set_cookie(const struct directive_args *d, struct balance *b)
{
    b->name = d->n_args > 1 ? directive_str(d, &d->args[1]) : STR_LIT("lb");
    if (!str_is_token(b->name))
        return directive_error(d, &d->args[1], "'" STR_FMT "' is no name of a cookie",
                               STR_ARG(b->name));
    if (d->n_args > 2) {
        directive_secret(d, &d->args[2]);
        b->secret = directive_str(d, &d->args[2]);
    }
    return 0;
}

/* By name. */
static const struct policy policies[] = {
    {"client_ip_hash", BALANCE_CLIENT_IP_HASH, 0, 0, NULL, false},
    {"cookie", BALANCE_COOKIE, 0, 2, set_cookie, true},
    {"first", BALANCE_FIRST, 0, 0, NULL, false},
    {"header", BALANCE_HEADER, 1, 1, set_name, true},
    {"ip_hash", BALANCE_IP_HASH, 0, 0, NULL, false},
    {"least_conn", BALANCE_LEAST_CONN, 0, 0, NULL, false},
    {"query", BALANCE_QUERY, 1, 1, set_name, true},
    {"random", BALANCE_RANDOM, 0, 0, NULL, false},
    {"random_choose", BALANCE_RANDOM_CHOOSE, 0, 1, set_choose, false},
    {"round_robin", BALANCE_ROUND_ROBIN, 0, 0, NULL, false},
    {"uri_hash", BALANCE_URI_HASH, 0, 0, NULL, false},
    {"weighted_round_robin", BALANCE_WEIGHTED, 1, UINT16_MAX, set_weights, false},
};

/* ---- the block ---- */

static int set_fallback(const struct directive_args *d)
{
    struct balance *b = d->target, *fallback = arena_alloc(d->arena, sizeof *fallback);

    b->fallback = fallback;
    return balance_set(d, fallback);
}

static int set_max_age(const struct directive_args *d)
{
    struct balance *b = d->target;
    uint64_t ms;

    if (b->kind != BALANCE_COOKIE)
        return directive_error(d, &d->node->words[0], "'max_age' is for the policy cookie");
    if (directive_duration(d, &d->args[0], &ms) != 0)
        return -1;
    b->max_age_s = ms / 1000;
    if (b->max_age_s > 0)
        return 0;
    return directive_error(d, &d->args[0], "a cookie lives a second at least");
}

static const struct directive options[] = {
    {.name = "fallback",
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .set = set_fallback,
     .help = "fallback <policy>: where there is no such key"},
    {.name = "max_age",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_age,
     .help = "max_age <duration>: of the cookie"},
    {0},
};

/* ---- all ---- */

const char *balance_name(enum balance_kind kind)
{
    size_t i = 0;

    while (policies[i].kind != kind)
        i++;
    return policies[i].name;
}

static const struct policy *find(const struct directive_args *d)
{
    const char *names[ARRAY_LEN(policies) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
        names[i] = policies[i].name;
        if (str_is(d->args[0].text, names[i]))
            return &policies[i];
    }
    directive_unknown(d, &d->args[0], "policy", names);
    return NULL;
}

int balance_set(const struct directive_args *d, struct balance *out)
{
    const struct policy *p = find(d);
    size_t n = d->n_args - 1;

    if (p == NULL)
        return -1;
    out->kind = p->kind;
    if (n < p->min_args)
        return directive_error(d, &d->args[0], "'%s' needs %s", p->name,
                               p->kind == BALANCE_WEIGHTED ? "a weight for each upstream"
                                                           : "a name after it");
    if (n > p->max_args)
        return directive_error(d, &d->args[p->max_args + 1], "nothing follows '%s%s'", p->name,
                               p->max_args > 0 ? " ..." : "");
    if (p->set != NULL && p->set(d, out) != 0)
        return -1;
    if (!d->node->has_block)
        return 0;
    if (!p->fallback)
        return directive_error(d, &d->args[0], "'%s' has no block", p->name);
    return directive_block(d, options, NULL, out);
}
