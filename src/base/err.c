#include "base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *e, enum err_code code, const char *fmt, ...)
{
    va_list ap;

    if (e == NULL)
        return -1;
    e->code = code;
    e->retry_ms = 0;
    e->at = 0;
    va_start(ap, fmt);
    vsnprintf(e->msg, sizeof e->msg, fmt, ap);
    va_end(ap);
    return -1;
}

int err_at(struct err *e, size_t at)
{
    if (e != NULL)
        e->at = (unsigned)at;
    return -1;
}

int err_sys(struct err *e, const char *fmt, ...)
{
    int saved = errno;
    char what[192], why[64];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(what, sizeof what, fmt, ap);
    va_end(ap);
    err_set(e, ERR_IO, "%s: %s", what, strerror_r(saved, why, sizeof why));
    errno = saved;
    return -1;
}

int err_wrap(struct err *e, const char *fmt, ...)
{
    char text[sizeof e->msg * 2];
    va_list ap;
    int n;

    if (e == NULL)
        return -1;
    va_start(ap, fmt);
    n = vsnprintf(text, sizeof e->msg, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof e->msg)
        n = (int)sizeof e->msg - 1;
    snprintf(text + n, sizeof text - (size_t)n, ": %s", e->msg);
    text[sizeof e->msg - 1] = '\0';
    memcpy(e->msg, text, sizeof e->msg);
    return -1;
}
