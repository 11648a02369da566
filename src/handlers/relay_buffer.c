#include "handlers/relay_buffer.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>

/* The common ones, which are kept. */
static const size_t sizes[2] = {4 * 1024, 64 * 1024};

enum { FREE_BUFFERS_MAX = 32 };

static size_t cap_for(int64_t content_length, size_t least)
{
    if (content_length >= 0 && (uint64_t)content_length <= sizes[0])
        return sizes[0];
    if (content_length >= 0 && content_length <= RELAY_SMALL)
        return (size_t)content_length;
    if (content_length >= 0 && (uint64_t)content_length < least)
        least = (size_t)content_length;
    return least > sizes[1] ? least : sizes[1];
}

/* The index of the common size, or -1. */
static int kind_of(size_t cap)
{
    return cap == sizes[0] ? 0 : cap == sizes[1] ? 1 : -1;
}

struct relay_buffer *relay_buffer_get(struct relay_pool *pool, int64_t content_length, size_t least)
{
    const size_t cap = cap_for(content_length, least);
    const int kind = kind_of(cap);
    struct relay_buffer *b = kind >= 0 ? pool->free[kind] : NULL;

    if (b != NULL) {
        pool->free[kind] = b->next_free;
        pool->n[kind]--;
    } else {
        b = xrealloc_array(NULL, 1, sizeof *b + cap); /* not zeroed: that would cost */
    }
    b->start = b->end = 0;
    b->cap = cap;
    return b;
}

void relay_buffer_put(struct relay_pool *pool, struct relay_buffer *b)
{
    const int kind = b == NULL ? -1 : kind_of(b->cap);

    if (kind == -1 || pool->n[kind] == FREE_BUFFERS_MAX) {
        free(b);
        return;
    }
    b->next_free = pool->free[kind];
    pool->free[kind] = b;
    pool->n[kind]++;
}

void relay_pool_fini(struct relay_pool *pool)
{
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        while (pool->free[i] != NULL) {
            struct relay_buffer *b = pool->free[i];

            pool->free[i] = b->next_free;
            free(b);
        }
        pool->n[i] = 0;
    }
}
