/* Media types by the names of files. */
#include "handlers/mime.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static const struct {
    const char *name;
    const char *type;
} rows[] = {
    {"index.html", "text/html; charset=utf-8"},
    {"/a.b/INDEX.HTM", "text/html; charset=utf-8"},
    {"a.css", "text/css; charset=utf-8"},
    {"a.min.js", "text/javascript; charset=utf-8"},
    {"a.mjs", "text/javascript; charset=utf-8"},
    {"a.json", "application/json"},
    {"a.txt", "text/plain; charset=utf-8"},
    {"a.svg", "image/svg+xml"},
    {"a.png", "image/png"},
    {"a.JPEG", "image/jpeg"},
    {"a.webp", "image/webp"},
    {"a.woff2", "font/woff2"},
    {"a.wasm", "application/wasm"},
    {"a.pdf", "application/pdf"},
    {"a.mp4", "video/mp4"},
    {"a.tar.gz", "application/gzip"},
    {"a.webmanifest", "application/manifest+json"},
    {".html", "text/html; charset=utf-8"},
    {"README", "application/octet-stream"},
    {"a.", "application/octet-stream"},
    {"", "application/octet-stream"},
    {"a.html/b", "application/octet-stream"},
    {"a.nosuchtype", "application/octet-stream"},
    {"a.htmlhtmlhtmlhtmlhtml", "application/octet-stream"},
    {"a.htm\xc3\xa4", "application/octet-stream"},
};

static void knows_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct str type = mime_type(str_of(rows[i].name));

        if (!str_is(type, rows[i].type))
            fail_msg("%s: " STR_FMT, rows[i].name, STR_ARG(type));
    }
}

/* For the binary search; and each row is found. */
static void table_is_sorted(void **state)
{
    (void)state;
    for (size_t i = 0; i < mime_count(); i++) {
        char name[64];

        if (i > 0)
            assert_true(strcmp(mime_extension(i - 1), mime_extension(i)) < 0);
        snprintf(name, sizeof name, "x.%s", mime_extension(i));
        assert_true(mime_type(str_of(name)).len > 0);
        for (const char *c = mime_extension(i); *c != '\0'; c++)
            assert_true(*c == ascii_lower(*c));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_types),
        cmocka_unit_test(table_is_sorted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
