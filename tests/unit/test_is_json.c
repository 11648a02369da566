/* What is JSON and what only looks so. */
#include "base/alloc.h"
#include "base/is_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const char *const json[] = {
    "{}",
    "[]",
    " \t\r\n[ ] \n",
    "{\"a\":1}",
    "{ \"a\" : 1 , \"b\" : [ ] }",
    "[1, -1, 0, -0, 10.5, 1e9, 1E+9, 1.25e-3, 0.0]",
    "[true, false, null, \"\", {}]",
    "[\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e4\\uFFFF\", \"\xc3\xa4\"]",
    "{\"a\":{\"b\":{\"c\":[[[]]]}}}",
};

static const char *const other[] = {
    "",
    " ",
    "1",
    "\"a\"",
    "null",
    "{",
    "[",
    "}",
    "{]",
    "[}",
    "{} {}",
    "[] x",
    "{a}",
    "{ text }",
    "[text]",
    "[1,]",
    "[,1]",
    "[1 2]",
    "{\"a\"}",
    "{\"a\":}",
    "{1:2}",
    "{\"a\":1,}",
    "[01]",
    "[1.]",
    "[.5]",
    "[+1]",
    "[1e]",
    "[-]",
    "[\"a]",
    "[\"\\x\"]",
    "[\"\\u12\"]",
    "[\"\n\"]",
    "[trueish]",
    "[nul]",
    "[\"\\u12g4\"]",
    "{\"a\":1 \"b\":2}",
};

static void tells_json(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(json); i++)
        if (!is_json(str_of(json[i])))
            fail_msg("is JSON: %s", json[i]);
    for (size_t i = 0; i < ARRAY_LEN(other); i++)
        if (is_json(str_of(other[i])))
            fail_msg("is no JSON: %s", other[i]);
    assert_false(is_json((struct str){"[\"\0\"]", 5}));
    assert_false(is_json((struct str){"[\0]", 3}));
    assert_false(is_json((struct str){"[\"\\u1234\"]", 7})); /* cut off */
}

static void stops_at_a_depth(void **state)
{
    char text[200];

    (void)state;
    for (size_t depth = 1; depth <= 100; depth++) {
        memset(text, '[', depth);
        memset(text + depth, ']', depth);
        assert_int_equal(depth <= 32, is_json((struct str){text, 2 * depth}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_json),
        cmocka_unit_test(stops_at_a_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
