/* Remembers how passwords were judged, so that a client that sends the same one with each request
 * costs one hash and not one a request. What is kept is a MAC of the credentials under a key that
 * nobody else knows, never a password. Bounded: in its set of eight, the entry that was not used
 * for longest makes room. One thread. */
#ifndef LINTEL_HANDLERS_AUTH_CACHE_H
#define LINTEL_HANDLERS_AUTH_CACHE_H

#include "base/siphash.h"

#include <stdbool.h>
#include <stddef.h>

enum { AUTH_CACHE_SET = 8 };

struct auth_entry {
    struct siphash128 tag;
    uint64_t used; /* 0: empty */
};

struct auth_cache {
    struct auth_entry *entries; /* NULL before the first one is added */
    size_t n_sets;              /* a power of two */
    uint64_t clock;             /* counts uses */
};

void auth_cache_init(struct auth_cache *c, size_t n_sets);
void auth_cache_fini(struct auth_cache *c);

bool auth_cache_has(struct auth_cache *c, struct siphash128 tag);
void auth_cache_add(struct auth_cache *c, struct siphash128 tag);

#endif
