/* Range fields (RFC 9110 14.1, 14.2). */
#include "http/ranges.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

/* verdict: "whole", "416", or the ranges as first+len. */
static const struct {
    const char *value;
    int64_t size;
    const char *verdict;
} rows[] = {
    {"bytes=0-0", 1000, "0+1"},
    {"bytes=0-499", 1000, "0+500"},
    {"bytes=500-999", 1000, "500+500"},
    {"bytes=500-", 1000, "500+500"},
    {"bytes=0-", 1000, "0+1000"},
    {"bytes=-1", 1000, "999+1"},
    {"bytes=-1000", 1000, "0+1000"},
    {"bytes=-1001", 1000, "0+1000"}, /* shorter than the suffix: all of it */
    {"bytes=990-2000", 1000, "990+10"},
    {"bytes=999-999", 1000, "999+1"},
    {"BYTES=0-1", 1000, "0+2"}, /* units are compared without regard to case */
    {"bytes=00-001", 1000, "0+2"},
    /* several */
    {"bytes=0-0,-1", 1000, "0+1 999+1"},
    {"bytes=0-1,10-11", 1000, "0+2 10+2"},
    {"bytes= 0-1 ,\t10-11 ", 1000, "0+2 10+2"},
    {"bytes=,0-1,,10-11,", 1000, "0+2 10+2"},
    {"bytes=10-11,0-1", 1000, "10+2 0+2"}, /* in the order asked for */
    {"bytes=0-4,5-9", 1000, "0+5 5+5"},    /* side by side is no overlap */
    {"bytes=0-1,1000-", 1000, "0+2"},      /* what lies beyond is left out */
    {"bytes=5000-6000,-5", 1000, "995+5"},
    /* 416 */
    {"bytes=1000-", 1000, "416"},
    {"bytes=1000-1001", 1000, "416"},
    {"bytes=-0", 1000, "416"},
    {"bytes=1000-,2000-", 1000, "416"},
    {"bytes=0-", 0, "416"},
    {"bytes=0-0", 0, "416"},
    {"bytes=99999999999999999999-", 1000, "416"},
    /* huge numbers are numbers */
    {"bytes=0-99999999999999999999", 1000, "0+1000"},
    {"bytes=0-9223372036854775807", 1000, "0+1000"},
    {"bytes=-18446744073709551616", 1000, "0+1000"},
    {"bytes=9223372036854775806-9223372036854775807", INT64_MAX, "9223372036854775806+1"},
    {"bytes=0-", INT64_MAX, "0+9223372036854775807"},
    /* to be ignored: another unit, or no grammar */
    {"", 1000, "whole"},
    {"bytes", 1000, "whole"},
    {"bytes=", 1000, "whole"},
    {"bytes=,", 1000, "whole"},
    {"bytes=-", 1000, "whole"},
    {"bytes=a-b", 1000, "whole"},
    {"bytes=0", 1000, "whole"},
    {"bytes=0-1-2", 1000, "whole"},
    {"bytes=--1", 1000, "whole"},
    {"bytes=+0-1", 1000, "whole"},
    {"bytes=0 -1", 1000, "whole"},
    {"bytes=0- 1", 1000, "whole"},
    {"bytes=1-0", 1000, "whole"},
    {"bytes=99999999999999999999-99999999999999999998", 1000, "whole"},
    {"bytes=0099999999999999999999-99999999999999999999", 1000, "416"},
    {"bytes=8-0007", 1000, "whole"},
    {"bytes=0008-10", 1000, "8+3"},
    {"bytes=0-1,x", 1000, "whole"},
    {"bytes=0-1,5-4", 1000, "whole"},
    {"bytes=0x0-0x1", 1000, "whole"},
    {"octets=0-1", 1000, "whole"},
    {"bytes 0-1/1000", 1000, "whole"},
    {"bytes:0-1", 1000, "whole"},
    {"bytes=0-1;5-6", 1000, "whole"},
    {"bytes=0-1, bytes=5-6", 1000, "whole"}, /* two lines of the field */
    {"bytes=-5", 0, "whole"},
    /* abuse */
    {"bytes=0-1,0-1", 1000, "whole"},
    {"bytes=0-,0-,0-", 1000, "whole"},
    {"bytes=0-500,500-999", 1000, "whole"},
    {"bytes=500-999,-501", 1000, "whole"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30",
     1000, "0+1 2+1 4+1 6+1 8+1 10+1 12+1 14+1 16+1 18+1 20+1 22+1 24+1 26+1 28+1 30+1"},
    {"bytes=0-0,2-2,4-4,6-6,8-8,10-10,12-12,14-14,16-16,18-18,20-20,22-22,24-24,26-26,28-28,30-30,"
     "32-32",
     1000, "whole"},
    {"bytes=5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-,5-", 4, "whole"},
};

static void parses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct range ranges[RANGES_MAX];
        char got[512] = "whole";
        size_t n, len = 0;
        enum ranges_verdict v = ranges_parse(str_of(rows[i].value), rows[i].size, ranges, &n);

        if (v == RANGES_UNSATISFIABLE)
            snprintf(got, sizeof got, "416");
        for (size_t r = 0; v == RANGES_SOME && r < n; r++)
            len += (size_t)snprintf(got + len, sizeof got - len, "%s%lld+%lld", r > 0 ? " " : "",
                                    (long long)ranges[r].first, (long long)ranges[r].len);
        if (strcmp(got, rows[i].verdict) != 0)
            fail_msg("%s of %lld: %s, not %s", rows[i].value, (long long)rows[i].size, got,
                     rows[i].verdict);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(parses)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
