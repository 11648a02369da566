/* Conditional requests: the order of RFC 9110 13.2.2 and each field's own rules. */
#include "http/conditional.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* The representation: changed at noon; asked for at one. */
#define BEFORE "Sun, 06 Nov 1994 11:59:59 GMT"
#define NOON "Sun, 06 Nov 1994 12:00:00 GMT"
#define AFTER "Sun, 06 Nov 1994 12:00:01 GMT"
static const int64_t noon_s = 784123200, now_s = 784126800;

enum { GO = 200, NO = 304, FAIL = 412 };

static const struct {
    const char *match, *none_match, *modified, *unmodified;
    int get, post; /* the verdicts for GET and for other methods */
} rows[] = {
    {NULL, NULL, NULL, NULL, GO, GO},
    /* If-Match: strong comparison */
    {"\"a\"", NULL, NULL, NULL, GO, GO},
    {"*", NULL, NULL, NULL, GO, GO},
    {" * ", NULL, NULL, NULL, GO, GO},
    {"\"b\"", NULL, NULL, NULL, FAIL, FAIL},
    {"\"b\", \"a\"", NULL, NULL, NULL, GO, GO},
    {"\"b\",,\t\"a\",", NULL, NULL, NULL, GO, GO},
    {"W/\"a\"", NULL, NULL, NULL, FAIL, FAIL},
    {"w/\"a\"", NULL, NULL, NULL, FAIL, FAIL},
    {"a", NULL, NULL, NULL, FAIL, FAIL},
    {"\"a", NULL, NULL, NULL, FAIL, FAIL},
    {"", NULL, NULL, NULL, FAIL, FAIL},
    {"\"A\"", NULL, NULL, NULL, FAIL, FAIL},
    {"\"x\\\", \"a\"", NULL, NULL, NULL, GO, GO}, /* a backslash is no escape */
    {"\"x, \"a\"", NULL, NULL, NULL, FAIL, FAIL}, /* a comma may stand in a tag */
    /* If-None-Match: weak comparison; decides alone */
    {NULL, "\"a\"", NULL, NULL, NO, FAIL},
    {NULL, "W/\"a\"", NULL, NULL, NO, FAIL},
    {NULL, "*", NULL, NULL, NO, FAIL},
    {NULL, "\"b\"", NULL, NULL, GO, GO},
    {NULL, "\"b\", W/\"c\" , W/\"a\"", NULL, NULL, NO, FAIL},
    {NULL, "a", NULL, NULL, GO, GO},
    {NULL, "", NULL, NULL, GO, GO},
    {NULL, "\"b\"", NOON, NULL, GO, GO},
    {NULL, "\"a\"", BEFORE, NULL, NO, FAIL},
    {NULL, "rubbish", AFTER, NULL, GO, GO},
    /* If-Modified-Since: GET and HEAD alone */
    {NULL, NULL, BEFORE, NULL, GO, GO},
    {NULL, NULL, NOON, NULL, NO, GO},
    {NULL, NULL, AFTER, NULL, NO, GO},
    {NULL, NULL, "Sunday, 06-Nov-94 12:00:00 GMT", NULL, NO, GO},
    {NULL, NULL, "Sun Nov  6 12:00:00 1994", NULL, NO, GO},
    {NULL, NULL, "Fri, 31 Dec 9999 23:59:59 GMT", NULL, NO, GO},
    {NULL, NULL, "noon", NULL, GO, GO},
    {NULL, NULL, "", NULL, GO, GO},
    {NULL, NULL, NOON ", " NOON, NULL, GO, GO},
    /* If-Unmodified-Since: only without If-Match */
    {NULL, NULL, NULL, BEFORE, FAIL, FAIL},
    {NULL, NULL, NULL, NOON, GO, GO},
    {NULL, NULL, NULL, AFTER, GO, GO},
    {NULL, NULL, NULL, "noon", GO, GO},
    {"\"a\"", NULL, NULL, BEFORE, GO, GO},
    {"\"b\"", NULL, NULL, AFTER, FAIL, FAIL},
    /* in combination, in the order of the steps */
    {"\"a\"", "\"a\"", NULL, NULL, NO, FAIL},
    {"\"b\"", "\"a\"", NULL, NULL, FAIL, FAIL},
    {NULL, "\"a\"", NULL, BEFORE, FAIL, FAIL},
    {NULL, NULL, NOON, NOON, NO, GO},
    {NULL, NULL, NOON, BEFORE, FAIL, FAIL},
    {"\"a\"", NULL, NOON, NULL, NO, GO},
};

static struct str field(const char *s)
{
    return str_of(s);
}

static int status_of(enum precondition p)
{
    switch (p) {
    case PRECONDITION_HOLDS:
        return GO;
    case PRECONDITION_NOT_MODIFIED:
        return NO;
    case PRECONDITION_FAILED:
        return FAIL;
    }
    return 0;
}

static void checks(void **state)
{
    const struct validators v = {STR_LIT("\"a\""), noon_s};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct conditions c = {.if_match = field(rows[i].match),
                                     .if_none_match = field(rows[i].none_match),
                                     .if_modified_since = field(rows[i].modified),
                                     .if_unmodified_since = field(rows[i].unmodified)};
        int get = status_of(conditions_check(&c, &v, true, now_s));
        int post = status_of(conditions_check(&c, &v, false, now_s));

        if (get != rows[i].get || post != rows[i].post)
            fail_msg("row %zu: %d %d", i, get, post);
    }
}

static void without_validators(void **state)
{
    const struct validators v = {{NULL, 0}, NO_MTIME};
    const struct conditions tag = {.if_match = STR_LIT("\"\"")}, any = {.if_match = STR_LIT("*")};
    const struct conditions none = {.if_none_match = STR_LIT("\"\"")};
    const struct conditions since = {.if_modified_since = STR_LIT(AFTER)};
    const struct conditions until = {.if_unmodified_since =
                                         STR_LIT("Thu, 01 Jan 1970 00:00:00 GMT")};

    (void)state;
    assert_int_equal(conditions_check(&tag, &v, true, now_s), PRECONDITION_FAILED);
    assert_int_equal(conditions_check(&any, &v, true, now_s), PRECONDITION_HOLDS);
    assert_int_equal(conditions_check(&none, &v, true, now_s), PRECONDITION_HOLDS);
    assert_int_equal(conditions_check(&since, &v, true, now_s), PRECONDITION_HOLDS);
    assert_int_equal(conditions_check(&until, &v, true, now_s), PRECONDITION_HOLDS);
}

static void weak_tag_of_our_own(void **state)
{
    const struct validators v = {STR_LIT("W/\"a\""), NO_MTIME};
    const struct conditions match = {.if_match = STR_LIT("W/\"a\"")};
    const struct conditions none = {.if_none_match = STR_LIT("\"a\"")};
    const struct conditions range = {.if_range = STR_LIT("W/\"a\"")};

    (void)state;
    assert_int_equal(conditions_check(&match, &v, true, now_s), PRECONDITION_FAILED);
    assert_int_equal(conditions_check(&none, &v, true, now_s), PRECONDITION_NOT_MODIFIED);
    assert_false(conditions_allow_range(&range, &v, now_s));
}

static const struct {
    const char *if_range;
    bool allowed;
} if_range[] = {
    {NULL, true},      {"\"a\"", true},
    {"\"b\"", false},  {"W/\"a\"", false},
    {NOON, true},      {BEFORE, false},
    {AFTER, false},    {"*", false},
    {"", false},       {"\"a\", \"b\"", false},
    {"a", false},      {"\"a", false},
    {"\"a\" ", false}, {"Sun Nov  6 12:00:00 1994", true},
};

static void if_range_rules(void **state)
{
    const struct validators v = {STR_LIT("\"a\""), noon_s};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(if_range); i++) {
        const struct conditions c = {.if_range = field(if_range[i].if_range)};

        if (conditions_allow_range(&c, &v, now_s) != if_range[i].allowed)
            fail_msg("%s", if_range[i].if_range);
    }
}

/* A file changed in this very second may change once more in it (RFC 9110 8.8.2.2). */
static void if_range_needs_a_strong_date(void **state)
{
    const struct validators v = {STR_LIT("\"a\""), noon_s};
    const struct conditions c = {.if_range = STR_LIT(NOON)};

    (void)state;
    assert_false(conditions_allow_range(&c, &v, noon_s));
    assert_false(conditions_allow_range(&c, &v, noon_s + 1));
    assert_true(conditions_allow_range(&c, &v, noon_s + 2));
}

static void reads_fields(void **state)
{
    struct arena *a = arena_new();
    struct fields f = {0};
    struct conditions c;

    (void)state;
    fields_add(&f, a, STR_LIT("Host"), STR_LIT("h"));
    fields_add(&f, a, STR_LIT("Accept-Encoding"), STR_LIT("gzip"));
    assert_false(conditions_read(&f, a, &c));
    assert_null(c.range.p);
    fields_add(&f, a, STR_LIT("IF-NONE-MATCH"), STR_LIT("\"x\""));
    fields_add(&f, a, STR_LIT("if-none-match"), STR_LIT("\"y\""));
    assert_true(conditions_read(&f, a, &c));
    assert_true(str_is(c.if_none_match, "\"x\", \"y\""));
    assert_null(c.if_match.p);
    arena_free(a);
}

static const struct str *value_of(const struct conditions *c, size_t i)
{
    const struct str *const values[] = {&c->if_match,          &c->if_none_match,
                                        &c->if_modified_since, &c->if_unmodified_since,
                                        &c->if_range,          &c->range};

    return values[i];
}

static void reads_each(void **state)
{
    static const char *const names[] = {"If-Match",          "If-None-Match",
                                        "If-Modified-Since", "If-Unmodified-Since",
                                        "If-Range",          "range"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct arena *a = arena_new();
        struct fields f = {0};
        struct conditions c;

        fields_add(&f, a, str_of(names[i]), STR_LIT("v"));
        assert_true(conditions_read(&f, a, &c));
        assert_true(str_is(*value_of(&c, i), "v"));
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checks),
        cmocka_unit_test(without_validators),
        cmocka_unit_test(weak_tag_of_our_own),
        cmocka_unit_test(if_range_rules),
        cmocka_unit_test(if_range_needs_a_strong_date),
        cmocka_unit_test(reads_fields),
        cmocka_unit_test(reads_each),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
