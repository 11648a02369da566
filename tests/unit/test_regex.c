/* Regular expressions: what is caught, what is replaced, and that none runs away. */
#include "base/regex.h"

#include "base/alloc.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static struct arena *arena;

static int set_up(void **state)
{
    (void)state;
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    return 0;
}

static const struct regex *compiled(const char *pattern)
{
    struct err e = {.code = ERR_NONE};
    const struct regex *re = regex_new(arena, str_of(pattern), &e);

    if (re == NULL)
        fail_msg("%s: %s", pattern, e.msg);
    return re;
}

/* ---- matching ---- */

static const struct {
    const char *pattern, *subject;
    const char *groups; /* joined by "|"; NULL: no match */
} match_rows[] = {
    {"a", "banana", "a"},
    {"x", "banana", NULL},
    {"^an", "banana", NULL},
    {"(b)(a)n", "banana", "ban|b|a"},
    {"(b)|(c)", "c", "c||c"},
    {"", "", ""},
    {"^$", "", ""},
    {"a$", "a\n", NULL}, /* at the very end only, as in Go */
    {"a.b", "a\nb", NULL},
    {"(?s)a.b", "a\nb", "a\nb"},
    {"(?m)^b$", "a\nb\nc", "b"},
    {"(?m)a$", "a\r\n", NULL}, /* a line ends with "\n" alone */
    {"(?i)ABC", "xabc", "abc"},
    {"(?P<year>\\d{4})-(?<month>\\d\\d)", "on 2026-07-01", "2026-07|2026|07"},
    {"\\.([a-f0-9]{6})\\.(css|js)$", "/a.b0c1d2.css", ".b0c1d2.css|b0c1d2|css"},
    {"^/user/(\\w*)", "/user/ann/x", "/user/ann|ann"},
    {"\\Qa.b\\E", "axb", NULL},
    {"[[:alpha:]]+", "12ab3", "ab"},
    {"\\bfoo\\b", "a foo b", "foo"},
    {"(a+?)(a*)", "aaa", "aaa|a|aa"},
    {"\\pL+", "1\xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb6"},
    {"^.$", "\xc3\xa4", "\xc3\xa4"}, /* characters, not bytes */
    {"(?i)\xc3\x84", "\xc3\xa4", "\xc3\xa4"},
    /* A byte that is no UTF-8 is one character: nothing can hide behind it. */
    {"^/admin/.*$", "/admin/\xff", "/admin/\xff"},
    {"^/(.)(.)b$",
     "/\xff\xc3\xa4"
     "b",
     "/\xff\xc3\xa4"
     "b|\xff|\xc3\xa4"},
    {"(b)",
     "\xff\xfe\xc3"
     "b",
     "b|b"},
    {"^.{4}$",
     "\xed\xa0\x80"
     "a",
     "\xed\xa0\x80"
     "a"},
};

static struct str joined(const struct regex_match *m)
{
    struct str s = STR_LIT("");

    for (size_t i = 0; i < m->n; i++)
        s = arena_printf(arena, STR_FMT "%s" STR_FMT, STR_ARG(s), i == 0 ? "" : "|",
                         STR_ARG(m->groups[i]));
    return s;
}

static void matches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(match_rows); i++) {
        const struct regex *re = compiled(match_rows[i].pattern);
        struct regex_match m;
        bool found = regex_matches(re, arena, str_of(match_rows[i].subject), &m);

        if (found != (match_rows[i].groups != NULL))
            fail_msg("%s in '%s': %d", match_rows[i].pattern, match_rows[i].subject, found);
        if (found && !str_is(joined(&m), match_rows[i].groups))
            fail_msg("%s in '%s': " STR_FMT, match_rows[i].pattern, match_rows[i].subject,
                     STR_ARG(joined(&m)));
        assert_int_equal(found, regex_matches(re, arena, str_of(match_rows[i].subject), NULL));
    }
}

static void names_groups(void **state)
{
    const struct regex *re = compiled("(?P<a>x)(y)(?P<bee>z)");

    (void)state;
    assert_int_equal(regex_groups(re), 4);
    assert_int_equal(regex_group_name(re, 0).len, 0);
    assert_true(str_is(regex_group_name(re, 1), "a"));
    assert_int_equal(regex_group_name(re, 2).len, 0);
    assert_true(str_is(regex_group_name(re, 3), "bee"));
}

static void refuses_bad_expressions(void **state)
{
    static const char *const bad[] = {"(", "a{2,1}", "[", "*)", "\\", "(?P<x>a)(?P<x>b)", "\\C"};
    char *many = malloc(3 * (REGEX_GROUPS_MAX + 1) + 1);
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        e.code = ERR_NONE;
        if (regex_new(arena, str_of(bad[i]), &e) != NULL)
            fail_msg("%s is accepted", bad[i]);
        assert_int_equal(e.code, ERR_SYNTAX);
    }
    for (size_t i = 0; i < REGEX_GROUPS_MAX + 1; i++)
        memcpy(many + 3 * i, "(a)", 3);
    assert_null(regex_new(arena, (struct str){many, 3 * (REGEX_GROUPS_MAX + 1)}, &e));
    assert_int_equal(e.code, ERR_LIMIT);
    assert_non_null(regex_new(arena, (struct str){many, 3 * REGEX_GROUPS_MAX}, &e));
    free(many);
}

static void begin_another_request(void)
{
    *arena_spent_ns(arena) = 0;
}

/* What takes too long counts as no match, soon. */
static void gives_up(void **state)
{
    static const char *const slow[] = {"(a+)+$",   "^(a+)+$",   "(a|aa)+$", "(.*)(.*)(.*)(.*)(.*)b",
                                       "(x+x+)+y", "^((a*)*)*$"};
    static char text[16 * 1024];
    struct timespec before, after;

    (void)state;
    memset(text, 'a', sizeof text);
    text[sizeof text - 1] = '!';
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++) {
        begin_another_request();
        assert_false(
            regex_matches(compiled(slow[i]), arena, (struct str){text, sizeof text}, NULL));
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    assert_true(after.tv_sec - before.tv_sec < 20);
}

/* Milliseconds that the thread has worked. */
static int64_t worked_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* What is no more than quadratic, or cubic, is hardly counted by PCRE2: unbounded, the first of
 * these takes seconds, and the second minutes. */
static void looks_at_the_clock(void **state)
{
    static const char *const slow[] = {"(?=.*[YZ])a", "a(.*)\1[YZ]", "(?:a|b)*[YZ]"};
    static const char *const replaced[] = {"a(?=.*Z)?", "a[^/]*/x|a"};
    static char text[60 * 1000];
    struct str s = {text, sizeof text}, out;
    int64_t before = worked_ms();

    (void)state;
    memset(text, 'a', sizeof text);
    for (size_t i = 0; i < ARRAY_LEN(slow); i++)
        for (s.len = sizeof text; s.len > 10000; s.len /= 4) {
            begin_another_request();
            assert_false(regex_matches(compiled(slow[i]), arena, s, NULL));
        }
    assert_true(regex_gave_up());
    s.len = sizeof text;
    for (size_t i = 0; i < ARRAY_LEN(replaced); i++) {
        begin_another_request();
        out = regex_replace(compiled(replaced[i]), arena, s, STR_LIT("b"));
        assert_int_equal(out.len, s.len); /* the rest stays as it is */
        assert_int_equal(out.p[0], 'b');
        assert_int_equal(out.p[out.len - 1], 'a');
        assert_true(regex_gave_up());
    }
    begin_another_request();
    assert_false(regex_matches(compiled("x"), arena, s, NULL));
    assert_false(regex_gave_up());
    assert_true(worked_ms() - before < 1000);
}

/* A request may have a thousand texts matched, each of which stays within its bounds. */
static void many_share_their_time(void **state)
{
    const struct regex *slow = compiled("^(a+)+$"), *quick = compiled("a");
    const struct str s = STR_LIT("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa!");
    int64_t before = worked_ms();
    struct str out;

    (void)state;
    begin_another_request();
    for (int i = 0; i < 1000; i++)
        assert_false(regex_matches(slow, arena, s, NULL));
    assert_true(worked_ms() - before < 1000);
    assert_false(regex_matches(quick, arena, s, NULL));
    assert_true(regex_gave_up());
    out = regex_replace(quick, arena, s, STR_LIT("b"));
    assert_true(str_eq(out, s));
    assert_true(regex_gave_up());
    arena_reset(arena); /* with what was compiled */
    assert_true(regex_matches(compiled("a"), arena, s, NULL));
    assert_false(regex_gave_up());
}

/* Whoever waits for others, rather than to use the time, does not lose it. */
static void a_busy_machine_takes_no_time(void **state)
{
    const struct regex *quick = compiled("a");

    (void)state;
    begin_another_request();
    *arena_spent_ns(arena) = 30 * 1000 * 1000; /* by the clock on the wall */
    for (int i = 0; i < 1000; i++)
        assert_true(regex_matches(quick, arena, STR_LIT("a"), NULL));
}

/* A long text is no reason to give up where the expression is a plain one. */
static void walks_along_a_long_text(void **state)
{
    static char text[16 * 1024];
    struct str s = {text, sizeof text};

    (void)state;
    memset(text, 'a', sizeof text);
    memcpy(text, "/", 1);
    memcpy(text + sizeof text - 4, ".php", 4);
    assert_true(regex_matches(compiled("^/(.*)\\.php$"), arena, s, NULL));
    assert_true(regex_matches(compiled("a\\.php$"), arena, s, NULL));
    assert_true(regex_matches(compiled("^(/|[a-z]|\\.)*$"), arena, s, NULL));
    assert_false(regex_matches(compiled("^/(.*)\\.html$"), arena, s, NULL));
}

static void *match_in_thread(void *re)
{
    struct arena *a = arena_new();
    uintptr_t n = 0;

    for (int i = 0; i < 1000; i++) {
        struct regex_match m;

        n += regex_matches(re, a, STR_LIT("on 2026-07-01"), &m) && str_is(m.groups[1], "2026");
    }
    arena_free(a);
    return (void *)n;
}

static void is_shared_by_threads(void **state)
{
    struct regex *re = (struct regex *)compiled("(\\d+)-(\\d+)");
    pthread_t threads[4];
    void *n;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, match_in_thread, re), 0);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
        pthread_join(threads[i], &n);
        assert_int_equal((uintptr_t)n, 1000);
    }
}

/* ---- replacing ---- */

static const struct {
    const char *find, *with, *value, *result;
} replace_rows[] = {
    {"http:", "https:", "http://a/", "https://a/"},
    {"a", "bb", "banana", "bbbnbbnbb"},
    {"x", "y", "banana", "banana"},
    {"^a", "-", "aaa", "-aa"},
    {"a$", "-", "aaa", "aa-"},
    {"a*", "-", "baac", "-b-c-"},
    {"", "-", "ab", "-a-b-"},
    {"", "-", "", "-"},
    {"", "-", "\xc3\xa4", "-\xc3\xa4-"},
    {".*", "all", "anything", "all"},
    {"(b)(a)", "$2$1", "bab", "abb"},
    {"(b)|(c)", "[$1$2]", "abc", "a[b][c]"},
    {"b", "$0$0", "abc", "abbc"},
    {"b", "${0}x", "abc", "abxc"},
    {"b", "$0x", "abc", "ac"}, /* the group "0x" */
    {"b", "$$1", "abc", "a$1c"},
    {"b", "$9", "abc", "ac"},
    {"b", "$", "abc", "a$c"},
    {"b", "${", "abc", "a${c"},
    {"b", "${0", "abc", "a${0c"},
    {"b", "$-", "abc", "a$-c"},
    {"b", "", "b", ""},
    {"[0-9]+", "#", "a12b345", "a#b#"},
    {"(?P<first>\\w+) (?P<last>\\w+)", "$last, ${first}", "Ann Lee", "Lee, Ann"},
    {"b", "-",
     "\xff"
     "b\xfe",
     "\xff-\xfe"}, /* other bytes are kept */
};

static void replaces(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(replace_rows); i++) {
        const struct regex *re = compiled(replace_rows[i].find);
        struct str got =
            regex_replace(re, arena, str_of(replace_rows[i].value), str_of(replace_rows[i].with));

        if (!str_is(got, replace_rows[i].result))
            fail_msg("%s -> %s in %s: " STR_FMT, replace_rows[i].find, replace_rows[i].with,
                     replace_rows[i].value, STR_ARG(got));
    }
}

/* A value cannot be blown up without bound. */
static void is_bounded(void **state)
{
    char value[2000], with[2000];
    struct str got;

    (void)state;
    memset(value, 'a', sizeof value);
    memset(with, 'b', sizeof with);
    got = regex_replace(compiled("a"), arena, (struct str){value, sizeof value},
                        (struct str){with, sizeof with});
    assert_int_equal(got.len, REGEX_REPLACED_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches),
        cmocka_unit_test(names_groups),
        cmocka_unit_test(refuses_bad_expressions),
        cmocka_unit_test(gives_up),
        cmocka_unit_test(looks_at_the_clock),
        cmocka_unit_test(many_share_their_time),
        cmocka_unit_test(a_busy_machine_takes_no_time),
        cmocka_unit_test(walks_along_a_long_text),
        cmocka_unit_test(is_shared_by_threads),
        cmocka_unit_test(replaces),
        cmocka_unit_test(is_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
