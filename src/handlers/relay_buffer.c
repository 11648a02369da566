#include "handlers/relay_buffer.h"

#include "base/alloc.h"

#include <stdbool.h>
#include <stdlib.h>

enum {
    BUFFER_SIZE = 64 * 1024,
    SMALL_BODY = 16 * 1024, /* a body up to this gets a buffer of its own size */
    FREE_BUFFERS_MAX = 32
};

static size_t cap_for(int64_t content_length, size_t least)
{
    if (content_length >= 0 && content_length <= SMALL_BODY)
        return (size_t)content_length;
    if (content_length >= 0 && (uint64_t)content_length < least)
        least = (size_t)content_length;
    return least > BUFFER_SIZE ? least : BUFFER_SIZE;
}

struct relay_buffer *relay_buffer_get(struct relay_pool *pool, int64_t content_length, size_t least)
{
    size_t cap = cap_for(content_length, least);
    struct relay_buffer *b = cap == BUFFER_SIZE ? pool->free : NULL;

    if (b != NULL) {
        pool->free = b->next_free;
        pool->n--;
    } else {
        b = xrealloc_array(NULL, 1, sizeof *b + cap); /* not zeroed: that would cost */
    }
    b->start = b->end = 0;
    b->cap = cap;
    return b;
}

void relay_buffer_put(struct relay_pool *pool, struct relay_buffer *b)
{
    if (b == NULL)
        return;
    if (b->cap != BUFFER_SIZE || pool->n == FREE_BUFFERS_MAX) {
        free(b);
        return;
    }
    b->next_free = pool->free;
    pool->free = b;
    pool->n++;
}

void relay_pool_fini(struct relay_pool *pool)
{
    while (pool->free != NULL) {
        struct relay_buffer *b = pool->free;

        pool->free = b->next_free;
        free(b);
    }
    pool->n = 0;
}
