#include "server/limits.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void shares_descriptors(void **state)
{
    static const struct {
        unsigned descriptors, workers, wanted, connections;
    } cases[] = {
        {1096, 2, 0, 666}, /* 1000 to spare: a third of them is for files and upstreams */
        {20000, 2, 0, 13268},  {1096, 2, 10, 10},
        {1096, 2, 900, 900},                    /* each takes one, if nothing is proxied */
        {1096, 2, 5000, 1000}, {100, 2, 0, 16}, /* somebody has to get in */
        {100, 2, 10, 10},      {1048576, 64, 0, 698324},
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_int_equal(
            limits_connections(cases[i].descriptors, cases[i].workers, cases[i].wanted),
            cases[i].connections);
}

static void bounds_who_is_on_the_way_in(void **state)
{
    (void)state;
    assert_int_equal(limits_pending(1000, 2), 125);
    assert_int_equal(limits_pending(10, 2), 16);
    assert_int_equal(limits_pending(1000000, 2), 2048);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_descriptors),
        cmocka_unit_test(bounds_who_is_on_the_way_in),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
