#include "base/log.h"

#include "base/date.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_LEN = 2048 };

static atomic_int threshold = LOG_INFO;

void log_set_level(enum log_level level)
{
    atomic_store_explicit(&threshold, (int)level, memory_order_relaxed);
}

enum log_level log_level(void)
{
    return (enum log_level)atomic_load_explicit(&threshold, memory_order_relaxed);
}

/* Copies text with control bytes as \xNN, so that a peer cannot forge a line or an escape code. */
static size_t escape(char *out, size_t cap, const char *text)
{
    size_t n = 0;

    for (; *text != '\0' && n + 5 < cap; text++) {
        unsigned char c = (unsigned char)*text;

        if (c >= 0x20 && c != 0x7f)
            out[n++] = (char)c;
        else
            n += (size_t)snprintf(out + n, cap - n, "\\x%02x", c);
    }
    return n;
}

static void write_line(enum log_level level, const char *area, const char *fmt, va_list ap)
{
    static const char *const names[] = {"debug", "info", "warn", "error"};
    char text[LINE_MAX_LEN / 2], line[LINE_MAX_LEN], when[DATE_RFC3339_LEN + 1];
    int saved = errno;
    struct timespec now;
    size_t n;

    clock_gettime(CLOCK_REALTIME, &now);
    date_format_rfc3339(now.tv_sec, when);
    vsnprintf(text, sizeof text, fmt, ap);
    n = (size_t)snprintf(line, sizeof line, "%.19s.%03ldZ %-5s %s: ", when, now.tv_nsec / 1000000,
                         names[level], area);
    n += escape(line + n, sizeof line - n - 1, text);
    line[n++] = '\n';
    /* One write a line, so that lines of several threads do not mix. Nothing is to be done if
     * standard error is gone. */
    if (write(STDERR_FILENO, line, n) == -1)
        errno = saved;
    errno = saved;
}

#define LOG_FUNCTION(name, level)                                                                  \
    void name(const char *area, const char *fmt, ...)                                              \
    {                                                                                              \
        va_list ap;                                                                                \
                                                                                                   \
        if ((level) < log_level())                                                                 \
            return;                                                                                \
        va_start(ap, fmt);                                                                         \
        write_line((level), area, fmt, ap);                                                        \
        va_end(ap);                                                                                \
    }

LOG_FUNCTION(log_debug, LOG_DEBUG)
LOG_FUNCTION(log_info, LOG_INFO)
LOG_FUNCTION(log_warn, LOG_WARN)
LOG_FUNCTION(log_error, LOG_ERROR)
