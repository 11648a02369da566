/* Merging what is new into what is sorted. */
#include "base/merge.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static int compare(const void *a, const void *b)
{
    const int x = *(const int *)a, y = *(const int *)b;

    return (x > y) - (x < y);
}

static void keeps_sorted(void **state)
{
    enum { N = 500 };
    int list[N], n = 0;

    (void)state;
    srand(1);
    for (int step = 0; n < N; step++) {
        const int before = n;

        while (n < N && n - before < step % 7)
            list[n++] = rand() % 100;
        assert_in_range(merge_tail(list, (size_t)before, (size_t)n, sizeof list[0], compare), 0, n);
        for (int i = 1; i < n; i++)
            assert_true(list[i - 1] <= list[i]);
    }
}

static void says_what_is_unchanged(void **state)
{
    int list[] = {1, 3, 5, 7, 4, 6};

    (void)state;
    assert_int_equal(merge_tail(list, 4, 4, sizeof list[0], compare), 4);
    assert_int_equal(merge_tail(list, 4, 6, sizeof list[0], compare), 2);
    for (int i = 0; i < 4; i++)
        assert_int_equal(list[i + 2], i + 4);
    assert_int_equal(merge_tail(NULL, 0, 0, sizeof list[0], compare), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keeps_sorted),
        cmocka_unit_test(says_what_is_unchanged),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
