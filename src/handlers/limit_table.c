#include "handlers/limit_table.h"

#include "base/alloc.h"
#include "base/siphash.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

/* One key. Nothing else depends on these words, so that relaxed order is enough. */
struct place {
    _Atomic uint64_t key;  /* its hash; 0: never used */
    _Atomic uint64_t full; /* when its bucket is full again */
};

struct limit_table {
    struct limit_rule rule;
    struct siphash_key hash_key;    /* so that no client can choose its place */
    size_t n_sets;                  /* a power of two */
    _Atomic(struct place *) places; /* NULL before the first event: most limits see none */
};

struct limit_table *limit_table_new(const struct limit_rule *rule)
{
    struct limit_table *t = xalloc(sizeof *t);

    t->rule = *rule;
    siphash_key_init(&t->hash_key);
    for (t->n_sets = 1; t->n_sets * LIMIT_SET < rule->max_keys; t->n_sets *= 2)
        continue;
    return t;
}

void limit_table_free(struct limit_table *t)
{
    free(atomic_load(&t->places));
    free(t);
}

static void *make(const void *rule)
{
    return limit_table_new(rule);
}

static void unmake(void *table)
{
    limit_table_free(table);
}

const struct shared_type limit_table_type = {make, unmake};

static struct place *places_of(struct limit_table *t)
{
    struct place *places = atomic_load_explicit(&t->places, memory_order_acquire), *made;

    if (places != NULL)
        return places;
    made = xalloc(t->n_sets * LIMIT_SET * sizeof *made);
    if (atomic_compare_exchange_strong(&t->places, &places, made))
        return made;
    free(made); /* another worker was faster */
    return places;
}

static uint64_t load(const _Atomic uint64_t *word)
{
    return atomic_load_explicit(word, memory_order_relaxed);
}

static bool swap(_Atomic uint64_t *word, uint64_t *old, uint64_t new)
{
    return atomic_compare_exchange_strong_explicit(word, old, new, memory_order_relaxed,
                                                   memory_order_relaxed);
}

/* The place of a key in its set: its own, or that of the key that has taken least. */
static struct place *place_of(struct place *set, uint64_t key, uint64_t now)
{
    for (;;) {
        struct place *least = &set[0];
        uint64_t least_key = 0, least_full = UINT64_MAX;

        for (size_t i = 0; i < LIMIT_SET; i++) {
            uint64_t there = load(&set[i].key), full = load(&set[i].full);

            if (there == key)
                return &set[i];
            if (full < least_full) {
                least = &set[i];
                least_key = there;
                least_full = full;
            }
        }
        if (!swap(&least->key, &least_key, key))
            continue; /* another worker took it, perhaps for the same key */
        if (least_full > now)
            (void)swap(&least->full, &least_full, now); /* that was another's */
        return least;
    }
}

uint64_t limit_table_take(struct limit_table *t, struct str key, uint64_t now_ns)
{
    uint64_t hash = siphash(&t->hash_key, key);
    struct place *set = places_of(t) + ((hash >> 32) & (t->n_sets - 1)) * LIMIT_SET;
    struct place *p = place_of(set, hash == 0 ? 1 : hash, now_ns);
    uint64_t full = load(&p->full), next;

    do {
        next = (full > now_ns ? full : now_ns) + t->rule.interval_ns;
        if (next - now_ns > t->rule.full_ns)
            return next - now_ns - t->rule.full_ns;
    } while (!swap(&p->full, &full, next));
    return 0;
}
