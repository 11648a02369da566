/* Small allocations that cannot fail: they abort the process instead, with one line.
 * Whatever a peer can size belongs in a struct buf (base/buf.h), which has a ceiling. */
#ifndef LINTEL_BASE_ALLOC_H
#define LINTEL_BASE_ALLOC_H

#include <stddef.h>

/* The object that contains the member that ptr points to. */
#define container_of(ptr, type, member) ((type *)(void *)((char *)(ptr)-offsetof(type, member)))
#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

void *xalloc(size_t size) __attribute__((malloc, returns_nonnull)); /* zeroed */
void *xrealloc_array(void *p, size_t n, size_t size) __attribute__((returns_nonnull));
char *xstrdup(const char *s) __attribute__((malloc, returns_nonnull));
char *xstrndup(const char *s, size_t len) __attribute__((malloc, returns_nonnull));
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2), returns_nonnull));

/* Gives free memory back to the system, where the C library keeps it for itself: after much was
 * freed that will not be needed again. Takes milliseconds. */
void alloc_trim(void);

/* Lets the C library keep some freed memory for itself where it would give it back, and take it
 * again page by page for the next buffer: for a program that goes on working. Before any thread. */
void alloc_keep(void);

#endif
