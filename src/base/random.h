/* Random bytes that nobody can foresee, from the kernel. Any thread. */
#ifndef LINTEL_BASE_RANDOM_H
#define LINTEL_BASE_RANDOM_H

#include <stddef.h>

/* Fills p; len <= 256. Cannot fail: it waits until the kernel's generator is seeded (at boot), and
 * aborts the process where there is none. */
void random_bytes(void *p, size_t len);

#endif
