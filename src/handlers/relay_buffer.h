/* Buffers between an upstream and a client, those of a common size kept for reuse. One worker. */
#ifndef LINTEL_HANDLERS_RELAY_BUFFER_H
#define LINTEL_HANDLERS_RELAY_BUFFER_H

#include <stddef.h>
#include <stdint.h>

enum { RELAY_SMALL = 16 * 1024 }; /* a body up to this gets a buffer of its own size */

struct relay_buffer {
    struct relay_buffer *next_free;
    size_t start; /* of what is not yet taken out */
    size_t end;
    size_t cap; /* 64 KiB, less for a short body of known length, or more if asked for */
    char bytes[];
};

/* Zeroed = empty. */
struct relay_pool {
    struct relay_buffer *free[2]; /* of each common size */
    unsigned n[2];
};

/* An empty one, for a body of content_length bytes; -1: not known. least: of a longer body, at
 * least so many have room. */
struct relay_buffer *relay_buffer_get(struct relay_pool *pool, int64_t content_length,
                                      size_t least);
void relay_buffer_put(struct relay_pool *pool, struct relay_buffer *b); /* NULL is fine */

void relay_pool_fini(struct relay_pool *pool);

#endif
