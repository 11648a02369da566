/* Paths of request targets: decoding, dot segments, and what they may never come out as. */
#include "http/path.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static struct arena *arena;

static const struct {
    const char *raw;
    const char *clean; /* NULL: 400 */
} cleaned[] = {
    {"/", "/"},
    {"/a", "/a"},
    {"/a/", "/a/"},
    {"/a/b.html", "/a/b.html"},
    /* dot segments, RFC 3986 5.2.4 */
    {"/.", "/"},
    {"/./", "/"},
    {"/a/.", "/a/"},
    {"/a/./b", "/a/b"},
    {"/a/..", "/"},
    {"/a/../", "/"},
    {"/a/../b", "/b"},
    {"/a/b/../../c", "/c"},
    {"/a/b/..", "/a/"},
    {"/a/b/../.", "/a/"},
    {"/mid/content=5/../6", "/mid/6"},
    /* above the root */
    {"/..", NULL},
    {"/../", NULL},
    {"/../etc/passwd", NULL},
    {"/a/../..", NULL},
    {"/a/../../a", NULL},
    {"//..", NULL},
    {"/%2e%2e", NULL},
    {"/%2e%2e/etc/passwd", NULL},
    {"/.%2E/etc/passwd", NULL},
    {"/%2e./etc/passwd", NULL},
    {"/a/%2e%2e/%2e%2e/b", NULL},
    {"/..%2fetc%2fpasswd", NULL},
    {"/%2e%2e%2fetc", NULL},
    {"/a%2f..%2f..%2fetc", NULL},
    /* escaped dots and slashes inside */
    {"/a/%2e%2e/b", "/b"},
    {"/a/%2E/b", "/a/b"},
    {"/a%2Fb", "/a/b"},
    {"/a%2f", "/a/"},
    {"/%2F", "/"},
    {"/a%2f..%2fb", "/b"},
    {"/a/%2e%2ehidden", "/a/..hidden"},
    /* empty segments */
    {"//", "/"},
    {"///", "/"},
    {"//a", "/a"},
    {"//evil.example/%2e%2e", "/"},
    {"/a//b", "/a/b"},
    {"/a//", "/a/"},
    {"/a/b//..//c", "/a/c"},
    /* names that only look like dot segments */
    {"/...", "/..."},
    {"/.../x", "/.../x"},
    {"/..a", "/..a"},
    {"/a..", "/a.."},
    {"/.a", "/.a"},
    {"/a.", "/a."},
    {"/. ", "/. "},
    {"/.\\..", "/.\\.."},
    {"/..;/x", "/..;/x"},
    /* decoded once and no more */
    {"/%252e%252e/x", "/%2e%2e/x"},
    {"/%25", "/%"},
    {"/%20a%7e", "/ a~"},
    {"/%c3%a4", "/\xc3\xa4"},
    {"/%C0%AE%C0%AE/x", "/\xc0\xae\xc0\xae/x"},
    {"/%5c..%5cx", "/\\..\\x"},
    {"/a+b", "/a+b"},
    {"/%0a", "/\n"},
    /* what is no path */
    {"", NULL},
    {"a", NULL},
    {"*", NULL},
    {"%2f", NULL},
    {"../x", NULL},
    {"/%", NULL},
    {"/%4", NULL},
    {"/%zz", NULL},
    {"/%4g", NULL},
    {"/%-1", NULL},
    {"/% 1", NULL},
    {"/%00", NULL},
    {"/a%00.html", NULL},
    {"/%u0041", NULL},
};

static void cleans(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cleaned); i++) {
        struct str out = {NULL, 0};
        enum path_verdict v = path_clean(arena, str_of(cleaned[i].raw), &out);

        if (v != (cleaned[i].clean == NULL ? PATH_BAD : PATH_OK) ||
            (v == PATH_OK && !str_is(out, cleaned[i].clean)))
            fail_msg("%s: got \"" STR_FMT "\"", cleaned[i].raw, STR_ARG(out));
    }
}

static void refuses_nul_bytes(void **state)
{
    struct str out;

    (void)state;
    assert_int_equal(path_clean(arena, STR_LIT("/a\0b"), &out), PATH_BAD);
    assert_int_equal(path_clean(arena, STR_LIT("/\0"), &out), PATH_BAD);
    assert_int_equal(path_clean(arena, STR_LIT("/%2e\0"), &out), PATH_BAD);
}

static void does_not_copy_what_is_clean(void **state)
{
    struct str raw = STR_LIT("/a/b-c_d/e.html"), out;

    (void)state;
    assert_int_equal(path_clean(arena, raw, &out), PATH_OK);
    assert_ptr_equal(out.p, raw.p);
}

static void is_idempotent(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cleaned); i++) {
        struct str once, twice;

        if (cleaned[i].clean == NULL || strchr(cleaned[i].clean, '%') != NULL)
            continue; /* what is decoded again may change */
        assert_int_equal(path_clean(arena, str_of(cleaned[i].clean), &once), PATH_OK);
        assert_int_equal(path_clean(arena, once, &twice), PATH_OK);
        assert_true(str_is(once, cleaned[i].clean));
        assert_true(str_eq(once, twice));
    }
}

static const struct {
    const char *path;
    const char *escaped;
} escapes[] = {
    {"/a/b-._~!$&'()*+,;=:@", "/a/b-._~!$&'()*+,;=:@"},
    {"/a b", "/a%20b"},
    {"/100%", "/100%25"},
    {"/a?b#c", "/a%3Fb%23c"},
    {"/\\evil.example", "/%5Cevil.example"},
    {"/\r\nSet-Cookie: x", "/%0D%0ASet-Cookie:%20x"},
    {"/\xc3\xa4", "/%C3%A4"},
    {"/<\">", "/%3C%22%3E"},
    {"/\x7f", "/%7F"},
};

static void escapes_for_location(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(escapes); i++) {
        struct str out = path_escape(arena, str_of(escapes[i].path)), back;

        if (!str_is(out, escapes[i].escaped))
            fail_msg("got " STR_FMT, STR_ARG(out));
        assert_int_equal(path_clean(arena, out, &back), PATH_OK);
        assert_true(str_is(back, escapes[i].path));
    }
}

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cleans),
        cmocka_unit_test(refuses_nul_bytes),
        cmocka_unit_test(is_idempotent),
        cmocka_unit_test(does_not_copy_what_is_clean),
        cmocka_unit_test(escapes_for_location),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
