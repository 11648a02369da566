#include "handlers/encode_pool.h"

#include "base/alloc.h"

#include <assert.h>
#include <stdlib.h>

const struct coder_type *const coder_types[CODER_TYPES + 1] = {&coder_zstd, &coder_br, &coder_gzip,
                                                               NULL};

struct coder_pool {
    struct loop *loop;
    size_t reserved;    /* bytes */
    struct coder *kept; /* the one used last comes first */
    size_t n_kept;
    bool used;         /* since the last sweep */
    struct timer rest; /* set while some are kept */
};

/* Frees those beyond the first n. */
static void trim(struct coder_pool *p, size_t n)
{
    struct coder **at = &p->kept;

    for (size_t i = 0; i < n && *at != NULL; i++)
        at = &(*at)->next;
    while (*at != NULL) {
        struct coder *c = *at;

        *at = c->next;
        c->type->free(c);
        p->n_kept--;
    }
}

static void on_rest(struct timer *t)
{
    struct coder_pool *p = container_of(t, struct coder_pool, rest);

    if (!p->used)
        trim(p, 0);
    else
        timer_set(p->loop, t, CODERS_REST_MS);
    p->used = false;
}

struct coder_pool *coder_pool_new(struct loop *l)
{
    struct coder_pool *p = xalloc(sizeof *p);

    p->loop = l;
    p->rest.on_timer = on_rest;
    return p;
}

void coder_pool_free(struct coder_pool *p)
{
    if (p == NULL)
        return;
    assert(p->reserved == 0);
    timer_cancel(p->loop, &p->rest);
    trim(p, 0);
    free(p);
}

bool coder_pool_reserve(struct coder_pool *p, const struct coder_type *type)
{
    if (type->memory > CODERS_MEMORY_MAX - p->reserved)
        return false;
    p->reserved += type->memory;
    return true;
}

void coder_pool_cancel(struct coder_pool *p, const struct coder_type *type)
{
    assert(p->reserved >= type->memory);
    p->reserved -= type->memory;
}

static struct coder *take(struct coder_pool *p, const struct coder_type *type)
{
    struct coder **at = &p->kept, *c;

    while (*at != NULL && (*at)->type != type)
        at = &(*at)->next;
    c = *at;
    if (c == NULL)
        return NULL;
    *at = c->next;
    p->n_kept--;
    return c;
}

struct coder *coder_pool_get(struct coder_pool *p, const struct coder_type *type,
                             const struct coder_settings *s, int64_t len)
{
    struct coder *c = take(p, type);

    if (c == NULL) {
        c = type->make();
        c->type = type;
    }
    if (type->begin(c, s, len))
        return c;
    type->free(c);
    return NULL;
}

void coder_pool_put(struct coder_pool *p, struct coder *c)
{
    if (c == NULL)
        return;
    if (c->type->end != NULL)
        c->type->end(c);
    c->next = p->kept;
    p->kept = c;
    p->n_kept++;
    trim(p, CODERS_KEPT_MAX);
    p->used = true;
    if (p->rest.slot == 0)
        timer_set(p->loop, &p->rest, CODERS_REST_MS);
}
