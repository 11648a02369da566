/* Differences of texts, in the form that patch(1) takes. */
#include "base/diff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *from, *to;
    const char *diff; /* without the two lines of names; NULL: nothing at all */
} cases[] = {
    {"", "", NULL},
    {"a\nb\n", "a\nb\n", NULL},
    {"a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n"},
    {"", "a\n", "@@ -0,0 +1,1 @@\n+a\n"},
    {"a\nb\n", "", "@@ -1,2 +0,0 @@\n-a\n-b\n"},
    {"a\nb", "a\nb\n", "@@ -1,2 +1,2 @@\n a\n-b\n\\ No newline at end of file\n+b\n"},
    {"a\nb\nc\n", "a\nc\n", "@@ -1,3 +1,2 @@\n a\n-b\n c\n"},
    {"a\nc\n", "a\nb\nc\n", "@@ -1,2 +1,3 @@\n a\n+b\n c\n"},
    {"1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nx\n6\n7\n8\n9\n",
     "@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n"},
    /* changes whose surroundings meet: the second begins where the first ended */
    {"a\n1\n2\n3\nb\n", "A\n1\n2\n3\nB\n",
     "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n 3\n@@ -5,1 +5,1 @@\n-b\n+B\n"},
    {"a\n1\n2\nb\n", "A\n1\n2\nB\n", "@@ -1,4 +1,4 @@\n-a\n+A\n 1\n 2\n-b\n+B\n"},
};

static void finds_differences(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct buf out = BUF_INIT(4096), expected = BUF_INIT(4096);

        assert_int_equal(buf_puts(&expected, ""), 0);
        assert_int_equal(buf_puts(&out, ""), 0);
        if (cases[i].diff != NULL)
            assert_int_equal(buf_printf(&expected, "--- x\n+++ y\n%s", cases[i].diff), 0);
        assert_int_equal(diff_unified(str_of(cases[i].from), str_of(cases[i].to), "x", "y", &out),
                         0);
        assert_string_equal(out.p, expected.p);
        buf_fini(&out);
        buf_fini(&expected);
    }
}

/* Applied to from, the diff gives to: checked here for texts whose lines are too far apart to be
 * found again, so that the path of last resort is taken. */
static void is_bounded(void **state)
{
    struct buf from = BUF_INIT(8 << 20), to = BUF_INIT(8 << 20), out = BUF_INIT(64 << 20);
    size_t minus = 0, plus = 0;

    (void)state;
    for (unsigned i = 0; i < 100000; i++) {
        assert_int_equal(buf_printf(&from, "%u\n", i), 0);
        assert_int_equal(buf_printf(&to, "%u\n", 100000 - i), 0);
    }
    assert_int_equal(diff_unified(buf_str(&from), buf_str(&to), "x", "y", &out), 0);
    for (struct str rest = buf_str(&out); rest.p != NULL;) {
        struct str line = str_cut(&rest, '\n');

        minus += str_starts(line, STR_LIT("-"));
        plus += str_starts(line, STR_LIT("+"));
    }
    assert_int_equal(minus, plus);
    assert_true(minus > 99000);
    buf_fini(&from);
    buf_fini(&to);
    buf_fini(&out);
}

static void has_a_ceiling(void **state)
{
    struct buf out = BUF_INIT(20);

    (void)state;
    assert_int_equal(diff_unified(STR_LIT("a\n"), STR_LIT("b\n"), "x", "y", &out), -1);
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_differences),
        cmocka_unit_test(is_bounded),
        cmocka_unit_test(has_a_ceiling),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
