#include "handlers/rate_limit.h"

#include "base/alloc.h"
#include "base/shared.h"
#include "handlers/limit_table.h"
#include "handlers/network.h"
#include "http/placeholder.h"
#include "http/route.h"

#include <stdlib.h>
#include <time.h>

enum {
    EVENTS_MAX = 1000 * 1000,
    KEYS_DEFAULT = 16 * 1024,
    KEYS_MAX = 16 * 1024 * 1024,
    PREFIX_MIN = 32
};

static const uint64_t ns_per_ms = 1000 * 1000, ns_per_s = 1000 * 1000 * 1000;
static const uint64_t window_max_ms = UINT64_C(365) * 24 * 3600 * 1000;
static const uint64_t full_max_ns = UINT64_C(1) << 62; /* what the clock can still be added to */

/* One limit: the directive's own, or a zone of it. */
struct limit {
    struct str name; /* of the zone */
    struct text key;
    uint64_t number; /* base/shared.h */
    uint64_t events, window_ms, burst, max_keys, ipv6_prefix;
    struct limit_rule rule; /* made of these */
};

struct rate_limit_conf {
    struct limit *limits; /* at least one */
    size_t n, cap;
};

/* ---- configuration ---- */

static int set_key(const struct directive_args *d)
{
    return directive_text(d, &d->args[0], &((struct limit *)d->target)->key);
}

static int take_number(const struct directive_args *d, const struct token *t, uint64_t min,
                       uint64_t max, uint64_t *out)
{
    if (str_to_uint(t->text, max, out) && *out >= min)
        return 0;
    return directive_error(d, t, "'" STR_FMT "' is no number from %llu to %llu", STR_ARG(t->text),
                           (unsigned long long)min, (unsigned long long)max);
}

static int take_window(const struct directive_args *d, const struct token *t, struct limit *l)
{
    if (directive_duration(d, t, &l->window_ms) != 0)
        return -1;
    if (l->window_ms > 0 && l->window_ms <= window_max_ms)
        return 0;
    return directive_error(d, t, "a window is longer than nothing and not longer than 365d");
}

static int set_events(const struct directive_args *d)
{
    return take_number(d, &d->args[0], 1, EVENTS_MAX, &((struct limit *)d->target)->events);
}

static int set_window(const struct directive_args *d)
{
    return take_window(d, &d->args[0], d->target);
}

static int set_burst(const struct directive_args *d)
{
    return take_number(d, &d->args[0], 1, EVENTS_MAX, &((struct limit *)d->target)->burst);
}

static int set_max_keys(const struct directive_args *d)
{
    return take_number(d, &d->args[0], LIMIT_SET, KEYS_MAX, &((struct limit *)d->target)->max_keys);
}

static int set_ipv6_prefix(const struct directive_args *d)
{
    return take_number(d, &d->args[0], PREFIX_MIN, 128, &((struct limit *)d->target)->ipv6_prefix);
}

#define ONE .min_args = 1, .max_args = 1

static const struct directive options[] = {
    {.name = "key", ONE, .set = set_key, .help = "key <text>"},
    {.name = "events", ONE, .set = set_events, .help = "events <number>"},
    {.name = "window", ONE, .set = set_window, .help = "window <duration>"},
    {.name = "burst", ONE, .set = set_burst, .help = "burst <number>"},
    {.name = "max_keys", ONE, .set = set_max_keys, .help = "max_keys <number>"},
    {.name = "ipv6_prefix", ONE, .set = set_ipv6_prefix, .help = "ipv6_prefix <bits>"},
    {0},
};

/* Of the module for Caddy. */
static const struct refused refused[] = {
    {"distributed", "each machine counts by itself"},
    {"ipv4_prefix", "write a 'key' that stands for more than one address"},
    {"jitter", "leave it out: Retry-After says when the next token comes"},
    {"log_key", "keys are not logged"},
    {"match", "write a matcher after 'rate_limit'"},
    {"storage", "counts are kept in memory, also over a reload"},
    {"sweep_interval", "leave it out: the table has a fixed size, 'max_keys'"},
    {NULL, NULL},
};

/* When all has been read. */
static int finish(const struct directive_args *d, const struct token *at, struct limit *l)
{
    if (l->events == 0 || l->window_ms == 0)
        return directive_error(d, at,
                               "how many events in which time? 'rate_limit 100 1m', or "
                               "'events' and 'window' in the block");
    if (l->burst == 0)
        l->burst = l->events;
    l->rule.interval_ns = l->window_ms * ns_per_ms / l->events;
    if (l->rule.interval_ns == 0 || l->burst > full_max_ns / l->rule.interval_ns)
        return directive_error(d, at, "so many events in that time cannot be counted");
    l->rule.full_ns = l->burst * l->rule.interval_ns;
    l->rule.max_keys = (size_t)l->max_keys;
    return 0;
}

/* NULL after an error. */
static struct limit *add_limit(const struct directive_args *d, struct rate_limit_conf *conf)
{
    static const struct token client = {.text = STR_LIT("{remote_host}")};
    struct limit *l;

    conf->limits = arena_grow(d->arena, conf->limits, conf->n, &conf->cap, sizeof *conf->limits);
    l = &conf->limits[conf->n++];
    *l = (struct limit){.number = directive_identity(d),
                        .max_keys = KEYS_DEFAULT,
                        .ipv6_prefix = NETWORK_IPV6_PREFIX};
    return directive_text(d, &client, &l->key) == 0 ? l : NULL;
}

static int set_zone(const struct directive_args *d)
{
    struct rate_limit_conf *conf = d->target;
    struct limit *l;

    for (size_t i = 0; i < conf->n; i++)
        if (str_eq(conf->limits[i].name, d->args[0].text))
            return directive_error(d, &d->args[0], "zone '" STR_FMT "' is there twice",
                                   STR_ARG(d->args[0].text));
    l = add_limit(d, conf);
    if (l == NULL)
        return -1;
    l->name = directive_str(d, &d->args[0]);
    if (directive_block(d, options, refused, l) != 0)
        return -1;
    return finish(d, &d->node->words[0], l);
}

static const struct directive zones[] = {
    {.name = "zone", ONE, .block = true, .repeats = true, .set = set_zone, .help = "zone <name>"},
    {0},
};

static bool has_zones(const struct directive_args *d)
{
    for (size_t i = 0; i < d->node->n_children; i++)
        if (str_is(d->node->children[i].words[0].text, "zone"))
            return true;
    return false;
}

static int rate_limit_set(const struct directive_args *d)
{
    struct limit *l;

    if (d->n_args == 0 && has_zones(d))
        return directive_block(d, zones, refused, d->target);
    l = add_limit(d, d->target);
    if (l == NULL)
        return -1;
    if (d->n_args == 1)
        return directive_error(d, &d->args[0],
                               "how many events in which time? 'rate_limit 100 1m'");
    if (d->n_args == 3 && directive_text(d, &d->args[0], &l->key) != 0)
        return -1;
    if (d->n_args >= 2 &&
        (take_number(d, &d->args[d->n_args - 2], 1, EVENTS_MAX, &l->events) != 0 ||
         take_window(d, &d->args[d->n_args - 1], l) != 0))
        return -1;
    if (directive_block(d, options, refused, l) != 0)
        return -1;
    return finish(d, &d->node->words[0], l);
}

/* ---- limiting ---- */

/* What one worker keeps: the tables, which it shares with the others. */
struct limit_state {
    const struct rate_limit_conf *conf;
    struct shared *shared;
    struct limit_table *tables[];
};

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * ns_per_s + (uint64_t)t.tv_nsec;
}

static void refuse(struct exchange *ex, uint64_t wait_ns)
{
    uint64_t wait_s = (wait_ns + ns_per_s - 1) / ns_per_s;

    fields_set(&ex->response, ex->arena, STR_LIT("Retry-After"),
               arena_printf(ex->arena, "%llu", (unsigned long long)wait_s));
    route_fail(ex, 429, STR_LIT("too many requests"));
}

static enum verdict rate_limit_handle(const void *conf_, struct exchange *ex)
{
    const struct rate_limit_conf *conf = conf_;
    const struct limit_state *st = ex->handler_state;
    uint64_t now = now_ns();

    for (size_t i = 0; i < conf->n; i++) {
        const struct limit *l = &conf->limits[i];
        struct in6_addr network;
        struct str key = network_of(text_expand(&l->key, ex), l->ipv6_prefix, &network);
        uint64_t wait_ns = limit_table_take(st->tables[i], key, now);

        if (wait_ns == 0)
            continue;
        refuse(ex, wait_ns);
        return TAKEN;
    }
    return NEXT;
}

static int rate_limit_start(const void *conf_, const struct worker_env *env, void **state,
                            struct err *e)
{
    const struct rate_limit_conf *conf = conf_;
    struct limit_state *st = xalloc(sizeof *st + conf->n * sizeof st->tables[0]);

    (void)e;
    st->conf = conf;
    st->shared = env->shared;
    for (size_t i = 0; i < conf->n; i++)
        st->tables[i] = shared_get(st->shared, conf->limits[i].number, &limit_table_type,
                                   &conf->limits[i].rule);
    *state = st;
    return 0;
}

static void rate_limit_stop(void *state)
{
    struct limit_state *st = state;

    for (size_t i = 0; i < st->conf->n; i++)
        shared_put(st->shared, st->conf->limits[i].number, &limit_table_type);
    free(st);
}

static const struct handler_type rate_limit_handler = {.name = "rate_limit",
                                                       .start = rate_limit_start,
                                                       .stop = rate_limit_stop,
                                                       .handle = rate_limit_handle};

const struct directive rate_limit_directives[] = {
    {.name = "rate_limit",
     .places = IN_HANDLERS,
     .max_args = 3,
     .block = true,
     .own = true,
     .type = &rate_limit_handler,
     .conf_size = sizeof(struct rate_limit_conf),
     .set = rate_limit_set,
     .help =
         "rate_limit [matcher] [<key>] <events> <window> [{ ... }]: 429 for who comes too often"},
    {0},
};
