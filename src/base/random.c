#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

void random_bytes(void *p, size_t len)
{
    ssize_t n;

    do
        n = getrandom(p, len, 0);
    while (n == -1 && errno == EINTR);
    if (n == (ssize_t)len) /* at most 256 bytes come whole: getrandom(2) */
        return;
    fputs("lintel: the kernel gives no random bytes\n", stderr);
    abort();
}
