/* A table from strings to pointers that only grows; it lives in an arena. For keys that our own
 * user chose: its hash has no seed, a peer could make it slow. One thread at a time. */
#ifndef LINTEL_BASE_MAP_H
#define LINTEL_BASE_MAP_H

#include "base/arena.h"

struct map_slot {
    struct str key;
    void *value; /* NULL: a free slot */
};

struct map {
    struct map_slot *slots;
    size_t n, cap; /* all zero: an empty table */
};

/* NULL if there is none. */
void *map_find(const struct map *m, struct str key);

/* Adds a key that is not there yet. It is not copied; value is not NULL. */
void map_add(struct map *m, struct arena *a, struct str key, void *value);

#endif
