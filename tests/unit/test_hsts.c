/* The HSTS ramp: the longer a name has worked with a public certificate, the longer the promise. */
#include "http/hsts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { HOUR = 3600, DAY = 24 * HOUR };

static const int64_t since = 1790000000;

static const struct {
    int64_t served_s;
    const char *value;
} ramp[] = {
    {-DAY, "max-age=300"},
    {0, "max-age=300"},
    {DAY - 1, "max-age=300"},
    {DAY, "max-age=86400"},
    {7 * DAY - 1, "max-age=86400"},
    {7 * DAY, "max-age=604800"},
    {30 * DAY - 1, "max-age=604800"},
    {30 * DAY, "max-age=31536000"},
    {3650 * (int64_t)DAY, "max-age=31536000"},
};

static void climbs(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof ramp / sizeof ramp[0]; i++) {
        struct str got = hsts_ramp(since, since + ramp[i].served_s);

        assert_int_equal(got.len, strlen(ramp[i].value));
        assert_memory_equal(got.p, ramp[i].value, got.len);
    }
}

static void never_without_a_public_certificate(void **state)
{
    (void)state;
    assert_int_equal(hsts_ramp(0, since).len, 0);
    assert_int_equal(hsts_ramp(-1, since).len, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(climbs),
        cmocka_unit_test(never_without_a_public_certificate),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
