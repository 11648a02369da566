#include "base/merge.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

/* How many of the n sorted elements of a list are not greater than key. */
static size_t not_greater(const char *list, size_t n, size_t size, const void *key,
                          int (*compare)(const void *a, const void *b))
{
    size_t low = 0;

    while (low < n) {
        const size_t middle = low + (n - low) / 2;

        if (compare(list + middle * size, key) > 0)
            n = middle;
        else
            low = middle + 1;
    }
    return low;
}

size_t merge_tail(void *list, size_t n_sorted, size_t n, size_t size,
                  int (*compare)(const void *a, const void *b))
{
    const size_t n_new = n - n_sorted;
    char *head = list, *tail;

    if (n_new == 0)
        return n;
    qsort(head + n_sorted * size, n_new, size, compare);
    tail = xalloc(n_new * size);
    memcpy(tail, head + n_sorted * size, n_new * size);
    /* From the end: each new one goes to its place, and those before it that are greater make room
     * for what is still to come. */
    for (size_t left = n_new; left > 0; left--) {
        const char *key = tail + (left - 1) * size;
        const size_t at = not_greater(head, n_sorted, size, key, compare);

        memmove(head + (at + left) * size, head + at * size, (n_sorted - at) * size);
        memcpy(head + (at + left - 1) * size, key, size);
        n_sorted = at;
    }
    free(tail);
    return n_sorted;
}
