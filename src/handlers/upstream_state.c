#include "handlers/upstream_state.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

static void *make(const void *arg_)
{
    const struct upstream_states_arg *arg = arg_;
    struct upstream_states *all = xalloc(sizeof *all + arg->n * sizeof all->list[0]);

    memcpy((void *)&all->health, arg->health, sizeof all->health);
    all->n = arg->n;
    for (size_t i = 0; i < arg->n && arg->health->fail_ms > 0; i++)
        all->list[i].failed_ms = xalloc(arg->health->max_fails * sizeof all->list[i].failed_ms[0]);
    return all;
}

static void destroy(void *object)
{
    struct upstream_states *all = object;

    for (size_t i = 0; i < all->n; i++)
        free((void *)all->list[i].failed_ms);
    free(all);
}

const struct shared_type upstream_states_type = {make, destroy};

/* The oldest of the last max_fails failures is the one to be overwritten next. */
static bool has_failed(const struct upstream_states *all, const struct upstream_state *s,
                       uint64_t now_ms)
{
    unsigned n = atomic_load_explicit(&s->n_failures, memory_order_relaxed);
    uint64_t oldest;

    if (all->health.fail_ms == 0 || n < all->health.max_fails)
        return false;
    oldest = atomic_load_explicit(&s->failed_ms[n % all->health.max_fails], memory_order_relaxed);
    return now_ms < oldest + all->health.fail_ms;
}

static bool is_busy(const struct upstream_state *s, unsigned max)
{
    return max > 0 && atomic_load_explicit(&s->in_flight, memory_order_relaxed) >= max;
}

bool upstream_state_is_up(const struct upstream_states *all, const struct upstream_state *s,
                          uint64_t now_ms)
{
    if (atomic_load_explicit(&s->sick, memory_order_relaxed))
        return false;
    if (is_busy(s, all->health.max_requests) || is_busy(s, all->health.max_conns))
        return false;
    return !has_failed(all, s, now_ms);
}

bool upstream_state_begin(const struct upstream_states *all, struct upstream_state *s)
{
    unsigned before = atomic_fetch_add_explicit(&s->in_flight, 1, memory_order_relaxed);

    if (all->health.max_conns == 0 || before < all->health.max_conns)
        return true;
    upstream_state_ended(s);
    return false;
}

void upstream_state_ended(struct upstream_state *s)
{
    atomic_fetch_sub_explicit(&s->in_flight, 1, memory_order_relaxed);
}

void upstream_state_failed(const struct upstream_states *all, struct upstream_state *s,
                           uint64_t now_ms)
{
    unsigned n;

    if (all->health.fail_ms == 0)
        return;
    n = atomic_fetch_add_explicit(&s->n_failures, 1, memory_order_relaxed);
    atomic_store_explicit(&s->failed_ms[n % all->health.max_fails], now_ms, memory_order_relaxed);
}
