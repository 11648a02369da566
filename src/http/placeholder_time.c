/* Placeholders of times and durations, written as Go writes them. */
#include "http/placeholder_values.h"

#include "base/date.h"

#include <stdio.h>
#include <time.h>

static struct timespec clock_now(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return t;
}

/* ".25" for the fraction of a unit that has the given number of digits; "" for none. */
static const char *fraction(char out[16], unsigned value, int digits)
{
    int len = snprintf(out, 16, ".%0*u", digits, value);

    while (len > 0 && (out[len - 1] == '0' || out[len - 1] == '.'))
        if (out[--len] == '.')
            break;
    out[len] = '\0';
    return out;
}

static uint64_t took_us(const struct exchange *ex)
{
    struct timespec t = clock_now(CLOCK_MONOTONIC);
    uint64_t now = (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;

    return now > ex->started_us ? now - ex->started_us : 0;
}

/* "1.5ms", "1m2.5s" */
static struct str duration_text(struct arena *a, uint64_t us)
{
    char frac[16];
    uint64_t s = us / 1000000;

    if (us == 0)
        return STR_LIT("0s");
    if (us < 1000)
        return arena_printf(a, "%u\302\265s", (unsigned)us);
    if (s == 0)
        return arena_printf(a, "%u%sms", (unsigned)(us / 1000),
                            fraction(frac, (unsigned)(us % 1000), 3));
    fraction(frac, (unsigned)(us % 1000000), 6);
    if (s < 60)
        return arena_printf(a, "%u%ss", (unsigned)s, frac);
    if (s < 3600)
        return arena_printf(a, "%um%u%ss", (unsigned)(s / 60), (unsigned)(s % 60), frac);
    return arena_printf(a, "%lluh%um%u%ss", (unsigned long long)(s / 3600), (unsigned)(s / 60 % 60),
                        (unsigned)(s % 60), frac);
}

struct str placeholder_duration(struct exchange *ex)
{
    return duration_text(ex->arena, took_us(ex));
}

struct str placeholder_duration_ms(struct exchange *ex)
{
    uint64_t us = took_us(ex);
    char frac[16];

    return arena_printf(ex->arena, "%llu%s", (unsigned long long)(us / 1000),
                        fraction(frac, (unsigned)(us % 1000), 3));
}

/* "2009-11-10 23:00:00.5 +0000 UTC" */
struct str placeholder_time(struct exchange *ex)
{
    struct timespec t = clock_now(CLOCK_REALTIME);
    char date[DATE_RFC3339_LEN + 1], frac[16];

    date_format_rfc3339(t.tv_sec, date);
    return arena_printf(ex->arena, "%.10s %.8s%s +0000 UTC", date, date + 11,
                        fraction(frac, (unsigned)t.tv_nsec, 9));
}

struct str placeholder_time_http(struct exchange *ex)
{
    char *out = arena_bytes(ex->arena, DATE_HTTP_LEN + 1);

    date_format_http(clock_now(CLOCK_REALTIME).tv_sec, out);
    return (struct str){out, DATE_HTTP_LEN};
}

struct str placeholder_time_common_log(struct exchange *ex)
{
    char *out = arena_bytes(ex->arena, DATE_CLF_LEN + 1);

    date_format_clf(clock_now(CLOCK_REALTIME).tv_sec, out);
    return (struct str){out, DATE_CLF_LEN};
}

struct str placeholder_time_year(struct exchange *ex)
{
    char *out = arena_bytes(ex->arena, DATE_RFC3339_LEN + 1);

    date_format_rfc3339(clock_now(CLOCK_REALTIME).tv_sec, out);
    return (struct str){out, 4};
}

struct str placeholder_time_unix(struct exchange *ex)
{
    return arena_printf(ex->arena, "%lld", (long long)clock_now(CLOCK_REALTIME).tv_sec);
}

struct str placeholder_time_unix_ms(struct exchange *ex)
{
    struct timespec t = clock_now(CLOCK_REALTIME);

    return arena_printf(ex->arena, "%lld", (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000);
}
