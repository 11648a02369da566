/* Globs as path.Match of Go. */
#include "base/glob.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *pattern, *s;
    bool verdict;
} rows[] = {
    {"abc", "abc", true},
    {"", "", true},
    {"", "a", false},
    {"*", "abc", true},
    {"*", "", true},
    {"*", "a/b", false},
    {"*c", "abc", true},
    {"a*", "a", true},
    {"a*", "ab/c", false},
    {"a*/b", "abc/b", true},
    {"a*/b", "a/c/b", false},
    {"a*b*c*d*e*/f", "axbxcxdxe/f", true},
    {"a*b*c*d*e*/f", "axbxcxdxexxx/f", true},
    {"a*b*c*d*e*/f", "axbxcxdxe/xxx/f", false},
    {"a*b?c*x", "abxbbxdbxebxczzx", true},
    {"a*b?c*x", "abxbbxdbxebxczzy", false},
    {"ab[c]", "abc", true},
    {"ab[b-d]", "abc", true},
    {"ab[e-g]", "abc", false},
    {"ab[^c]", "abc", false},
    {"ab[^b-d]", "abc", false},
    {"ab[^e-g]", "abc", true},
    {"a\\*b", "a*b", true},
    {"a\\*b", "ab", false},
    {"a?b",
     "a\xe2\x98\xba"
     "b",
     true},
    {"a[^a]b",
     "a\xe2\x98\xba"
     "b",
     true},
    {"a???b",
     "a\xe2\x98\xba"
     "b",
     false},
    {"[a-\xce\xb6]*", "\xce\xb1", true},
    {"*[a-\xce\xb6]", "A", false},
    {"a?b", "a/b", false},
    {"a*b", "a/b", false},
    {"[\\]a]", "]", true},
    {"[\\-]", "-", true},
    {"[x\\-]", "x", true},
    {"[]a]", "]", false},
    {"[-]", "-", false},
    {"[x-]", "x", false},
    {"[-x]", "x", false},
    {"[", "a", false},
    {"[^", "a", false},
    {"[^bc", "a", false},
    {"a[", "a", false},
    {"a\\", "a", false},
    {"*x", "xxx", true},
    {"?", "\xff", true},
};

static void matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (glob_matches(str_of(rows[i].pattern), str_of(rows[i].s), false) != rows[i].verdict)
            fail_msg("%s on %s: not %d", rows[i].pattern, rows[i].s, rows[i].verdict);
    assert_true(glob_matches(STR_LIT("/A[b-d]*"), STR_LIT("/acX"), true));
    assert_false(glob_matches(STR_LIT("/A[b-d]*"), STR_LIT("/acX"), false));
}

static void knows_valid_ones(void **state)
{
    static const char *const bad[] = {"[",  "[^",  "[]a]", "[-x]", "[x-]",
                                      "a[", "a\\", "[a\\", "[a-"};
    static const char *const good[] = {"", "a", "*", "[a]", "[^a-z]", "[\\]]", "\\[", "a]"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        assert_false(glob_is_valid(str_of(bad[i])));
    for (size_t i = 0; i < ARRAY_LEN(good); i++)
        assert_true(glob_is_valid(str_of(good[i])));
    assert_true(glob_has_meta(STR_LIT("a?")));
    assert_false(glob_has_meta(STR_LIT("a]^-")));
}

/* Stars do not multiply. */
static void is_not_exponential(void **state)
{
    static char pattern[2000], s[20000];

    (void)state;
    memset(s, 'a', sizeof s);
    for (size_t i = 0; i < sizeof pattern; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[sizeof pattern - 1] = 'b';
    assert_false(
        glob_matches((struct str){pattern, sizeof pattern}, (struct str){s, sizeof s}, false));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(knows_valid_ones),
        cmocka_unit_test(is_not_exponential),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
