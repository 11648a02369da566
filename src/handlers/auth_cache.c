#include "handlers/auth_cache.h"

#include "base/alloc.h"

#include <stdlib.h>

void auth_cache_init(struct auth_cache *c, size_t n_sets)
{
    *c = (struct auth_cache){.n_sets = n_sets};
}

void auth_cache_fini(struct auth_cache *c)
{
    free(c->entries);
    c->entries = NULL;
}

/* A MAC is as good as random: its low bits choose the set. */
static struct auth_entry *set_of(const struct auth_cache *c, struct siphash128 tag)
{
    return &c->entries[(tag.half[0] & (c->n_sets - 1)) * AUTH_CACHE_SET];
}

static struct auth_entry *find(const struct auth_cache *c, struct siphash128 tag)
{
    struct auth_entry *e;

    if (c->entries == NULL)
        return NULL;
    e = set_of(c, tag);
    for (size_t i = 0; i < AUTH_CACHE_SET; i++)
        if (e[i].used != 0 && e[i].tag.half[0] == tag.half[0] && e[i].tag.half[1] == tag.half[1])
            return &e[i];
    return NULL;
}

bool auth_cache_has(struct auth_cache *c, struct siphash128 tag)
{
    struct auth_entry *e = find(c, tag);

    if (e != NULL)
        e->used = ++c->clock;
    return e != NULL;
}

void auth_cache_add(struct auth_cache *c, struct siphash128 tag)
{
    struct auth_entry *set, *oldest;

    if (auth_cache_has(c, tag))
        return;
    if (c->entries == NULL)
        c->entries = xalloc(c->n_sets * AUTH_CACHE_SET * sizeof *c->entries);
    oldest = set = set_of(c, tag);
    for (size_t i = 1; i < AUTH_CACHE_SET; i++)
        if (set[i].used < oldest->used)
            oldest = &set[i];
    *oldest = (struct auth_entry){tag, ++c->clock};
}
