#include "base/alloc.h"

#ifdef HAVE_MALLOC_TRIM
#include <malloc.h>
#endif
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *checked(void *p)
{
    if (p == NULL) {
        fputs("lintel: out of memory\n", stderr);
        abort();
    }
    return p;
}

void *xalloc(size_t size)
{
    return checked(calloc(1, size == 0 ? 1 : size));
}

void *xrealloc_array(void *p, size_t n, size_t size)
{
    if (n == 0)
        n = 1;
    return checked(reallocarray(p, n, size));
}

char *xstrdup(const char *s)
{
    return checked(strdup(s));
}

char *xstrndup(const char *s, size_t len)
{
    char *p = checked(malloc(len + 1));

    memcpy(p, s, len);
    p[len] = '\0';
    return p;
}

char *xasprintf(const char *fmt, ...)
{
    va_list ap;
    char *p = NULL;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&p, fmt, ap);
    va_end(ap);
    return checked(n < 0 ? NULL : p);
}

#ifdef HAVE_MALLOC_TRIM
enum { KEPT = 2 * 1024 * 1024 }; /* bytes, for each thread's part of the heap */

void alloc_trim(void)
{
    malloc_trim(0);
}

void alloc_keep(void)
{
    mallopt(M_TRIM_THRESHOLD, KEPT);
}
#else
void alloc_trim(void)
{
}

void alloc_keep(void)
{
}
#endif
