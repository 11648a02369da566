#include "base/map.h"

#include <assert.h>

/* The slot of a key: its own, or the free one where it belongs. At most half of the slots are
 * taken, so the search ends. */
static struct map_slot *slot_of(const struct map *m, struct str key)
{
    size_t at = str_hash_nocase(key) & (m->cap - 1);

    while (m->slots[at].value != NULL && !str_eq(m->slots[at].key, key))
        at = (at + 1) & (m->cap - 1);
    return &m->slots[at];
}

static void grow(struct map *m, struct arena *a)
{
    const struct map old = *m;

    m->cap = old.cap == 0 ? 8 : 2 * old.cap;
    m->slots = arena_alloc(a, m->cap * sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (old.slots[i].value != NULL)
            *slot_of(m, old.slots[i].key) = old.slots[i];
}

void *map_find(const struct map *m, struct str key)
{
    return m->n == 0 ? NULL : slot_of(m, key)->value;
}

void map_add(struct map *m, struct arena *a, struct str key, void *value)
{
    struct map_slot *slot;

    if (2 * (m->n + 1) > m->cap)
        grow(m, a);
    slot = slot_of(m, key);
    assert(slot->value == NULL && value != NULL);
    *slot = (struct map_slot){key, value};
    m->n++;
}
