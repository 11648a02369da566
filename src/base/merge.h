/* Keeps a list sorted that grows by a few elements at a time. */
#ifndef LINTEL_BASE_MERGE_H
#define LINTEL_BASE_MERGE_H

#include <stddef.h>

/* Sorts list[n_sorted..n) and merges it with what stands before it, which is sorted. What is before
 * the result is as it was; n if nothing is new. Costs the sorting of what is new, and one move of
 * what is behind it. */
size_t merge_tail(void *list, size_t n_sorted, size_t n, size_t size,
                  int (*compare)(const void *a, const void *b));

#endif
