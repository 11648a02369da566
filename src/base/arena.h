/* An arena: many small objects with one life. One thread at a time. Allocation cannot fail (it
 * aborts); whatever a peer can size without bound belongs in a struct buf instead.
 * With --enable-arena-malloc each allocation is its own malloc, so that a sanitizer sees overruns.
 */
#ifndef LINTEL_BASE_ARENA_H
#define LINTEL_BASE_ARENA_H

#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

struct arena;

struct arena *arena_new(void);
/* For what lives long and holds little: takes less memory at first. */
struct arena *arena_new_small(void);
void arena_free(struct arena *a); /* NULL is fine */

/* Forgets everything allocated but keeps one chunk for the next use. */
void arena_reset(struct arena *a);

/* Calls fn(arg) when the arena is freed or reset, the last one first: for what an object in it
 * holds outside of it. */
void arena_on_free(struct arena *a, void (*fn)(void *), void *arg);

/* Nanoseconds that were spent for whoever the arena belongs to, by those who keep count: what may
 * take long by itself must not take long many times over. Zero at first, and after a reset. */
uint64_t *arena_spent_ns(struct arena *a);

/* Zeroed and aligned for any object; never NULL. */
void *arena_alloc(struct arena *a, size_t size) __attribute__((returns_nonnull));

/* Not zeroed, not aligned: for text. */
char *arena_bytes(struct arena *a, size_t len) __attribute__((returns_nonnull));

/* Copies, terminated by a NUL that len does not count. */
char *arena_strdup(struct arena *a, const char *s) __attribute__((returns_nonnull));
struct str arena_str(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A copy of an array grown by room for one element: amortised when *cap is kept by the caller.
 * Use: list = arena_grow(a, list, n, &cap, sizeof *list); list[n++] = x; */
void *arena_grow(struct arena *a, void *array, size_t n, size_t *cap, size_t size)
    __attribute__((returns_nonnull));

#endif
