/* Find and replace in field values. */
#include "handlers/header_replace.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *find, *with, *value, *result;
} rows[] = {
    {"http:", "https:", "http://a/", "https://a/"},
    {"a", "bb", "banana", "bbbnbbnbb"},
    {"x", "y", "banana", "banana"},
    {"^a", "-", "aaa", "-aa"},
    {"a$", "-", "aaa", "aa-"},
    {"a*", "-", "baac", "-b-c-"},
    {"", "-", "ab", "-a-b-"},
    {"", "-", "", "-"},
    {".*", "all", "anything", "all"},
    {"(b)(a)", "$2$1", "bab", "abb"},
    {"(b)|(c)", "[$1$2]", "abc", "a[b][c]"},
    {"b", "$0$0", "abc", "abbc"},
    {"b", "$$1", "abc", "a$1c"},
    {"b", "$9", "abc", "ac"},
    {"b", "$", "abc", "a$c"},
    {"b", "", "b", ""},
    {"[0-9]+", "#", "a12b345", "a#b#"},
};

static void replaces(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;
        struct replace *r = replace_new(rows[i].find, &e);
        struct str got;

        assert_non_null(r);
        got = replace_all(r, a, str_of(rows[i].value), str_of(rows[i].with));
        if (!str_is(got, rows[i].result))
            fail_msg("%s -> %s in %s: " STR_FMT, rows[i].find, rows[i].with, rows[i].value,
                     STR_ARG(got));
        replace_free(r);
    }
    arena_free(a);
}

static void refuses_bad_expressions(void **state)
{
    static const char *const bad[] = {"(", "a{2", "[", "*)", "\\"};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        e.code = ERR_NONE;
        assert_int_equal(replace_check(bad[i], &e), -1);
        assert_int_equal(e.code, ERR_SYNTAX);
    }
    assert_int_equal(replace_check("a|b", &e), 0);
}

/* A value cannot be blown up without bound. */
static void is_bounded(void **state)
{
    struct arena *a = arena_new();
    struct err e;
    struct replace *r = replace_new("a", &e);
    char value[2000], with[2000];

    (void)state;
    memset(value, 'a', sizeof value);
    memset(with, 'b', sizeof with);
    assert_true(
        replace_all(r, a, (struct str){value, sizeof value}, (struct str){with, sizeof with}).len <=
        64 * 1024);
    replace_free(r);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(replaces),
        cmocka_unit_test(refuses_bad_expressions),
        cmocka_unit_test(is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
