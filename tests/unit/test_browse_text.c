/* Names, sizes and times in each of the forms. */
#include "handlers/browse_text.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    struct str name;
    const char *html, *json, *plain, *url, *query;
} names[] = {
    {STR_LIT("a.txt"), "a.txt", "a.txt", "a.txt", "a.txt", "a.txt"},
    {STR_LIT(""), "", "", "", "", ""},
    {STR_LIT("\"><script>"), "&#34;&gt;&lt;script&gt;", "\\\"\\u003e\\u003cscript\\u003e",
     "\"><script>", "%22%3E%3Cscript%3E", "%22%3E%3Cscript%3E"},
    {STR_LIT("it's & co"), "it&#39;s &amp; co", "it's \\u0026 co", "it's & co", "it%27s%20%26%20co",
     "it%27s%20%26%20co"},
    {STR_LIT("javascript:x"), "javascript:x", "javascript:x", "javascript:x", "javascript:x",
     "javascript%3Ax"},
    {STR_LIT("a?b#c%.d"), "a?b#c%.d", "a?b#c%.d", "a?b#c%.d", "a%3Fb%23c%25.d", "a%3Fb%23c%25.d"},
    {STR_LIT("$+,;=@!*()[]"), "$+,;=@!*()[]", "$+,;=@!*()[]", "$+,;=@!*()[]",
     "$+,;=@%21%2A%28%29%5B%5D", "%24%2B%2C%3B%3D%40%21%2A%28%29%5B%5D"},
    {STR_LIT("back\\slash"), "back\\slash", "back\\\\slash", "back\\slash", "back%5Cslash",
     "back%5Cslash"},
    {STR_LIT("new\nline\ttab\r\b\f\x01\x7f"),
     "new\xef\xbf\xbdline\xef\xbf\xbdtab\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
     "\xbd",
     "new\\nline\\ttab\\r\\b\\f\\u0001\x7f",
     "new\xef\xbf\xbdline\xef\xbf\xbdtab\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf"
     "\xbd",
     "new%0Aline%09tab%0D%08%0C%01%7F", "new%0Aline%09tab%0D%08%0C%01%7F"},
    {STR_LIT("gr\xc3\xbc\xc3\x9f"), "gr\xc3\xbc\xc3\x9f", "gr\xc3\xbc\xc3\x9f",
     "gr\xc3\xbc\xc3\x9f", "gr%C3%BC%C3%9F", "gr%C3%BC%C3%9F"},
    {STR_LIT("b\xff"
             "d\xc3"),
     "b\xef\xbf\xbd"
     "d\xef\xbf\xbd",
     "b\\ufffdd\\ufffd",
     "b\xef\xbf\xbd"
     "d\xef\xbf\xbd",
     "b%FFd%C3", "b%FFd%C3"},
    {STR_LIT("\xe2\x80\xa8\xe2\x80\xa9"), "\xe2\x80\xa8\xe2\x80\xa9", "\\u2028\\u2029",
     "\xe2\x80\xa8\xe2\x80\xa9", "%E2%80%A8%E2%80%A9", "%E2%80%A8%E2%80%A9"},
    {STR_LIT("nul\0"), "nul\xef\xbf\xbd", "nul\\u0000", "nul\xef\xbf\xbd", "nul%00", "nul%00"},
};

static void check(void (*put)(struct browse_pen *p, struct str s), struct str name,
                  const char *want)
{
    char text[512];
    struct browse_pen p = {text, text + sizeof text};

    put(&p, name);
    *p.at = '\0';
    assert_string_equal(text, want);
    /* With less room there is less, and nothing beyond it. */
    for (size_t cap = 0; cap < strlen(want); cap++) {
        char *small = malloc(cap + 1);

        p = (struct browse_pen){small, small + cap};
        put(&p, name);
        assert_true(p.at <= p.end);
        free(small);
    }
}

static void escapes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        check(browse_put_html, names[i].name, names[i].html);
        check(browse_put_json, names[i].name, names[i].json);
        check(browse_put_plain, names[i].name, names[i].plain);
        check(browse_put_url, names[i].name, names[i].url);
        if (memchr(names[i].name.p, '&', names[i].name.len) == NULL)
            check(browse_put_json_url, names[i].name, names[i].url);
        check(browse_put_query, names[i].name, names[i].query);
    }
}

static void escapes_twice(void **state)
{
    (void)state;
    check(browse_put_json_url, STR_LIT("&a&&b?&"), "\\u0026a\\u0026\\u0026b%3F\\u0026");
}

static void measures(void **state)
{
    (void)state;
    assert_int_equal(browse_plain_width(STR_LIT("")), 0);
    assert_int_equal(browse_plain_width(STR_LIT("abc")), 3);
    assert_int_equal(browse_plain_width(STR_LIT("gr\xc3\xbc\xc3\x9f\xff")), 5);
}

static void says_sizes(void **state)
{
    static const struct {
        int64_t bytes;
        const char *want;
    } cases[] = {{0, "0 B"},
                 {1, "1 B"},
                 {999, "999 B"},
                 {1023, "1023 B"},
                 {1024, "1.0 KiB"},
                 {1536, "1.5 KiB"},
                 {10188, "9.9 KiB"},
                 {10189, "10 KiB"},
                 {10239, "10 KiB"},
                 {10752, "11 KiB"},
                 {1048575, "1024 KiB"},
                 {1048576, "1.0 MiB"},
                 {3000000, "2.9 MiB"},
                 {INT64_C(5368709120), "5.0 GiB"},
                 {INT64_C(1) << 40, "1.0 TiB"},
                 {INT64_C(1) << 50, "1.0 PiB"},
                 {INT64_MAX, "8.0 EiB"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[64];
        struct browse_pen p = {text, text + sizeof text};

        browse_put_size(&p, cases[i].bytes);
        *p.at = '\0';
        assert_string_equal(text, cases[i].want);
    }
}

static void says_times(void **state)
{
    static const struct {
        int64_t s;
        uint32_t ns;
        const char *want;
    } cases[] = {
        {0, 0, "1970-01-01 00:00|1970-01-01T00:00:00Z|January 1, 1970 at 00:00:00"},
        {1764105237, 120000000,
         "2025-11-25 21:13|2025-11-25T21:13:57.12Z|November 25, 2025 at 21:13:57"},
        {-1, 1, "1969-12-31 23:59|1969-12-31T23:59:59.000000001Z|December 31, 1969 at 23:59:59"},
        {951782400, 999999999,
         "2000-02-29 00:00|2000-02-29T00:00:00.999999999Z|February 29, 2000 at 00:00:00"}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[128];
        struct browse_pen p = {text, text + sizeof text};

        browse_put_time(&p, cases[i].s);
        browse_put_char(&p, '|');
        browse_put_datetime(&p, cases[i].s, cases[i].ns);
        browse_put_char(&p, '|');
        browse_put_long_time(&p, cases[i].s);
        *p.at = '\0';
        assert_string_equal(text, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(escapes),    cmocka_unit_test(escapes_twice), cmocka_unit_test(measures),
        cmocka_unit_test(says_sizes), cmocka_unit_test(says_times),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
