/* HTTP, RFC 3339 and log dates; Retry-After. */
#include "base/date.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { EXAMPLE_S = 784111777, NOW_2026_S = 1795000000 };

static void formats_known_dates(void **state)
{
    char http[DATE_HTTP_LEN + 1], rfc3339[DATE_RFC3339_LEN + 1], clf[DATE_CLF_LEN + 1];

    (void)state;
    date_format_http(EXAMPLE_S, http);
    date_format_rfc3339(EXAMPLE_S, rfc3339);
    date_format_clf(EXAMPLE_S, clf);
    assert_string_equal(http, "Sun, 06 Nov 1994 08:49:37 GMT");
    assert_string_equal(rfc3339, "1994-11-06T08:49:37Z");
    assert_string_equal(clf, "06/Nov/1994:08:49:37 +0000");
    date_format_rfc3339(INT64_MAX, rfc3339);
    assert_string_equal(rfc3339, "9999-12-31T23:59:59Z");
    date_format_rfc3339(INT64_MIN, rfc3339);
    assert_string_equal(rfc3339, "0000-01-01T00:00:00Z");
}

/* Every day of four centuries agrees with the C library. */
static void agrees_with_timegm(void **state)
{
    (void)state;
    for (int64_t t = -2208988800; t < 10413792000; t += 86400 * 3 + 3607) {
        time_t libc_time = (time_t)t;
        struct tm tm;
        char want[64], got[DATE_HTTP_LEN + 1];
        int64_t parsed;

        gmtime_r(&libc_time, &tm);
        strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &tm);
        date_format_http(t, got);
        assert_string_equal(got, want);
        assert_true(date_parse_http(str_of(got), NOW_2026_S, &parsed));
        assert_int_equal(parsed, t);
    }
}

static const struct {
    const char *text;
    int64_t time_s; /* -1: no date */
} http_dates[] = {
    {"Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE_S},
    {"Sunday, 06-Nov-94 08:49:37 GMT", EXAMPLE_S},
    {"Sun Nov  6 08:49:37 1994", EXAMPLE_S},
    {"Sun Nov 16 08:49:37 1994", EXAMPLE_S + 864000},
    {"Tuesday, 01-Jan-80 00:00:00 GMT", 315532800},
    {"Thu, 31 Dec 1998 23:59:60 GMT", 915148800},
    {"Sun, 06 Nov 1994 08:49:37", -1},
    {"Sun, 06 Nov 1994 08:49:37 GMT ", -1},
    {"Sun, 06 Nov 1994 24:00:00 GMT", -1},
    {"Sun, 31 Feb 1994 08:49:37 GMT", -1},
    {"Sun, 6 Nov 1994 08:49:37 GMT", -1},
    {"Sun, 06 nov 1994 08:49:37 GMT", -1},
    {"0", -1},
    {"", -1},
};

static void parses_the_three_http_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof http_dates / sizeof http_dates[0]; i++) {
        int64_t got = -1;
        bool ok = date_parse_http(str_of(http_dates[i].text), NOW_2026_S, &got);

        assert_int_equal(ok, http_dates[i].time_s != -1);
        if (ok)
            assert_int_equal(got, http_dates[i].time_s);
    }
}

static void parses_rfc3339(void **state)
{
    int64_t t;

    (void)state;
    assert_true(date_parse_rfc3339(STR_LIT("1994-11-06T08:49:37Z"), &t));
    assert_int_equal(t, EXAMPLE_S);
    assert_true(date_parse_rfc3339(STR_LIT("1994-11-06T09:49:37.123456+01:00"), &t));
    assert_int_equal(t, EXAMPLE_S);
    assert_false(date_parse_rfc3339(STR_LIT("1994-11-06T08:49:37"), &t));
    assert_false(date_parse_rfc3339(STR_LIT("1994-11-06T08:49:37.Z"), &t));
    assert_false(date_parse_rfc3339(STR_LIT("1994-13-06T08:49:37Z"), &t));
}

static void reads_retry_after(void **state)
{
    uint32_t s;

    (void)state;
    assert_true(date_parse_retry_after(STR_LIT("120"), NOW_2026_S, &s));
    assert_int_equal(s, 120);
    assert_true(
        date_parse_retry_after(STR_LIT(" Sun, 06 Nov 1994 08:49:37 GMT"), EXAMPLE_S - 60, &s));
    assert_int_equal(s, 60);
    assert_true(date_parse_retry_after(STR_LIT("Sun, 06 Nov 1994 08:49:37 GMT"), NOW_2026_S, &s));
    assert_int_equal(s, 0);
    assert_false(date_parse_retry_after(STR_LIT("-1"), NOW_2026_S, &s));
    assert_false(date_parse_retry_after(STR_LIT("soon"), NOW_2026_S, &s));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats_known_dates),         cmocka_unit_test(agrees_with_timegm),
        cmocka_unit_test(parses_the_three_http_forms), cmocka_unit_test(parses_rfc3339),
        cmocka_unit_test(reads_retry_after),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
