#include "base/arena.h"

#include "base/alloc.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#ifdef ARENA_MALLOC
enum {
    CHUNK = 0,
    CHUNK_SMALL = 0,
    CHUNK_KEPT = 0,
    CHUNK_MOST = 0,
    LARGE = 1
}; /* all but empty ones are large */
#else
/* The first chunk is small, since most arenas need no more; those of an arena that goes on growing
 * double, up to what malloc gives back to the system at once. */
enum {
    CHUNK = 4096 - 32,
    CHUNK_SMALL = 512 - 32,
    CHUNK_KEPT = 16 * 1024, /* by a reset: what filled it once will do so again */
    CHUNK_MOST = 256 * 1024,
    LARGE = 2048
};
#endif

struct chunk {
    struct chunk *next;
    size_t used;
    size_t cap;
    alignas(max_align_t) char bytes[];
};

struct cleanup {
    struct cleanup *next;
    void (*fn)(void *arg);
    void *arg;
};

struct arena {
    struct chunk *current; /* the chunk being filled, or NULL */
    struct chunk *others;  /* full chunks and those of large objects */
    struct cleanup *cleanups;
    size_t first_cap; /* of the first chunk */
    uint64_t spent_ns;
};

struct arena *arena_new(void)
{
    struct arena *a = xalloc(sizeof *a);

    a->first_cap = CHUNK;
    return a;
}

struct arena *arena_new_small(void)
{
    struct arena *a = arena_new();

    a->first_cap = CHUNK_SMALL;
    return a;
}

static void chunks_free(struct chunk *c)
{
    while (c != NULL) {
        struct chunk *next = c->next;

        free(c);
        c = next;
    }
}

void arena_on_free(struct arena *a, void (*fn)(void *), void *arg)
{
    struct cleanup *c = arena_alloc(a, sizeof *c);

    *c = (struct cleanup){a->cleanups, fn, arg};
    a->cleanups = c;
}

static void run_cleanups(struct arena *a)
{
    for (const struct cleanup *c = a->cleanups; c != NULL; c = c->next)
        c->fn(c->arg);
    a->cleanups = NULL;
}

void arena_free(struct arena *a)
{
    if (a == NULL)
        return;
    run_cleanups(a);
    chunks_free(a->current);
    chunks_free(a->others);
    free(a);
}

void arena_reset(struct arena *a)
{
    run_cleanups(a);
    a->spent_ns = 0;
    chunks_free(a->others);
    a->others = NULL;
    if (a->current != NULL && a->current->cap > CHUNK_KEPT) {
        free(a->current);
        a->current = NULL;
    }
    if (a->current != NULL)
        a->current->used = 0;
}

uint64_t *arena_spent_ns(struct arena *a)
{
    return &a->spent_ns;
}

static struct chunk *chunk_new(size_t cap)
{
    struct chunk *c = malloc(sizeof *c + cap);

    if (c == NULL) {
        fputs("lintel: out of memory\n", stderr);
        abort();
    }
    c->next = NULL;
    c->used = 0;
    c->cap = cap;
    return c;
}

/* An object of its own chunk. */
static char *large(struct arena *a, size_t size)
{
    struct chunk *c = chunk_new(size);

    c->used = size;
    c->next = a->others;
    a->others = c;
    return c->bytes;
}

/* How large the next chunk is to be, in which size bytes have to fit. */
static size_t next_cap(const struct arena *a, size_t size)
{
    size_t cap = a->current == NULL ? a->first_cap : a->current->cap * 2;

    if (cap > CHUNK_MOST)
        cap = CHUNK_MOST;
    return cap < size ? size : cap;
}

static char *take(struct arena *a, size_t size, size_t align)
{
    struct chunk *c = a->current;
    size_t at;

    if (size >= LARGE)
        return large(a, size);
    at = c == NULL ? 0 : (c->used + align - 1) & ~(align - 1);
    if (c == NULL || at + size > c->cap) {
        const size_t cap = next_cap(a, size);

        if (c != NULL) {
            c->next = a->others;
            a->others = c;
        }
        c = a->current = chunk_new(cap);
        at = 0;
    }
    c->used = at + size;
    return c->bytes + at;
}

void *arena_alloc(struct arena *a, size_t size)
{
    return memset(take(a, size, alignof(max_align_t)), 0, size);
}

char *arena_bytes(struct arena *a, size_t len)
{
    return take(a, len, 1);
}

struct str arena_str(struct arena *a, struct str s)
{
    char *p = arena_bytes(a, s.len + 1);

    if (s.len > 0)
        memcpy(p, s.p, s.len);
    p[s.len] = '\0';
    return (struct str){p, s.len};
}

char *arena_strdup(struct arena *a, const char *s)
{
    size_t size = strlen(s) + 1;

    return memcpy(arena_bytes(a, size), s, size);
}

struct str arena_printf(struct arena *a, const char *fmt, ...)
{
    va_list ap;
    char *p;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(NULL, 0, fmt, ap);
    va_end(ap);
    if (n < 0)
        abort();
    p = arena_bytes(a, (size_t)n + 1);
    va_start(ap, fmt);
    vsnprintf(p, (size_t)n + 1, fmt, ap);
    va_end(ap);
    return (struct str){p, (size_t)n};
}

void *arena_grow(struct arena *a, void *array, size_t n, size_t *cap, size_t size)
{
    void *grown;

    if (n < *cap)
        return array;
    *cap = *cap == 0 ? 4 : *cap * 2;
    grown = arena_alloc(a, *cap * size);
    if (n > 0)
        memcpy(grown, array, n * size);
    return grown;
}
