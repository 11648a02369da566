/* The coders of one worker: a few are kept for the next response, since to make one costs more than
 * to use it on a small page, and all together may hold no more than a certain memory. */
#ifndef LINTEL_HANDLERS_ENCODE_POOL_H
#define LINTEL_HANDLERS_ENCODE_POOL_H

#include "handlers/encode_coder.h"
#include "io/loop.h"

enum {
    CODERS_MEMORY_MAX = 64 * 1024 * 1024, /* bytes of coders at work in one worker */
    CODERS_KEPT_MAX = 3,                  /* of those at rest */
    CODERS_REST_MS = 10 * 1000            /* how long one is kept without use */
};

struct coder_pool;

struct coder_pool *coder_pool_new(struct loop *l);
void coder_pool_free(struct coder_pool *p); /* all coders are back; NULL is fine */

/* Sets aside the memory of a coder for a response that may take long. False: too much is at work
 * already; that response is sent as it is. */
MUST_CHECK bool coder_pool_reserve(struct coder_pool *p, const struct coder_type *type);
void coder_pool_cancel(struct coder_pool *p, const struct coder_type *type);

/* A coder that has begun a stream (coder_type.begin), NULL if memory is short. */
struct coder *coder_pool_get(struct coder_pool *p, const struct coder_type *type,
                             const struct coder_settings *s, int64_t len);
void coder_pool_put(struct coder_pool *p, struct coder *c); /* NULL is fine */

#endif
