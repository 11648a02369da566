#include "handlers/upstream_state.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

enum { ADDRESSES_KEPT = 1024 }; /* of those that nobody uses at the moment */

struct known_address {
    struct known_address *next;
    unsigned users;
    struct upstream_state state;
    size_t len;
    char address[];
};

static void state_init(struct upstream_state *s, const struct passive_health *health)
{
    if (health->fail_ms > 0)
        s->failed_ms = xalloc(health->max_fails * sizeof s->failed_ms[0]);
}

static void *make(const void *arg_)
{
    const struct upstream_states_arg *arg = arg_;
    struct upstream_states *all = xalloc(sizeof *all + arg->n * sizeof all->list[0]);

    memcpy((void *)&all->health, arg->health, sizeof all->health);
    pthread_mutex_init(&all->lock, NULL);
    all->n = arg->n;
    for (size_t i = 0; i < arg->n; i++)
        state_init(&all->list[i], arg->health);
    return all;
}

static void known_free(struct known_address *k)
{
    free((void *)k->state.failed_ms);
    free(k);
}

static void destroy(void *object)
{
    struct upstream_states *all = object;

    for (size_t i = 0; i < all->n; i++)
        free((void *)all->list[i].failed_ms);
    while (all->known != NULL) {
        struct known_address *k = all->known;

        all->known = k->next;
        known_free(k);
    }
    pthread_mutex_destroy(&all->lock);
    free(all);
}

const struct shared_type upstream_states_type = {make, destroy};

/* ---- addresses of DNS ---- */

/* The one asked for; on the way those that nobody uses are freed, if there are many. */
static struct known_address *find(struct upstream_states *all, struct str address)
{
    struct known_address **at = &all->known;
    size_t unused = 0;

    while (*at != NULL) {
        struct known_address *k = *at;

        if (str_eq((struct str){k->address, k->len}, address))
            return k;
        if (k->users == 0 && ++unused > ADDRESSES_KEPT) {
            *at = k->next;
            known_free(k);
        } else {
            at = &k->next;
        }
    }
    return NULL;
}

struct upstream_state *upstream_states_find(struct upstream_states *all, struct str address)
{
    struct known_address *k;

    pthread_mutex_lock(&all->lock);
    k = find(all, address);
    if (k == NULL) {
        k = xalloc(sizeof *k + address.len + 1);
        k->len = address.len;
        memcpy(k->address, address.p, address.len);
        state_init(&k->state, &all->health);
        k->next = all->known;
        all->known = k;
    }
    k->users++;
    pthread_mutex_unlock(&all->lock);
    return &k->state;
}

void upstream_states_drop(struct upstream_states *all, struct upstream_state *s)
{
    pthread_mutex_lock(&all->lock);
    container_of(s, struct known_address, state)->users--;
    pthread_mutex_unlock(&all->lock);
}

/* ---- failures ---- */

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
