/* Media types by the names of files, by what lists of systems say, and by content. */
#include "handlers/mime.h"

#include "base/alloc.h"
#include "handlers/mime_table.h"
#include "handlers/sniff.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

struct row {
    const char *name;
    const char *type; /* NULL: the name tells nothing */
};

static void check(const struct mime_list *list, const struct row *r)
{
    struct str type = mime_type(list, str_of(r->name));

    if (r->type == NULL ? type.p != NULL : !str_is(type, r->type))
        fail_msg("%s: " STR_FMT, r->name, STR_ARG(type));
}

static void knows_types(void **state)
{
    static const struct row rows[] = {
        {"index.html", "text/html; charset=utf-8"},
        {"/a.b/INDEX.HTM", "text/html; charset=utf-8"},
        {"a.css", "text/css; charset=utf-8"},
        {"a.min.js", "text/javascript; charset=utf-8"},
        {"a.mjs", "text/javascript; charset=utf-8"},
        {"a.cjs", "text/javascript; charset=utf-8"},
        {"a.json", "application/json"},
        {"a.js.map", "application/json"},
        {"a.jsonld", "application/ld+json"},
        {"a.webmanifest", "application/manifest+json"},
        {"a.yaml", "application/yaml"},
        {"a.yml", "application/yaml"},
        {"a.md", "text/markdown; charset=utf-8"},
        {"a.txt", "text/plain; charset=utf-8"},
        {"a.csv", "text/csv; charset=utf-8"},
        {"a.xml", "text/xml; charset=utf-8"},
        {"a.xsl", "text/xml; charset=utf-8"},
        {"a.xhtml", "application/xhtml+xml"},
        {"a.rss", "application/rss+xml"},
        {"a.atom", "application/atom+xml"},
        {"a.svg", "image/svg+xml"},
        {"a.svgz", "image/svg+xml"},
        {"a.png", "image/png"},
        {"a.JPEG", "image/jpeg"},
        {"a.webp", "image/webp"},
        {"a.avif", "image/avif"},
        {"favicon.ico", "image/vnd.microsoft.icon"},
        {"a.woff", "font/woff"},
        {"a.woff2", "font/woff2"},
        {"a.ttf", "font/ttf"},
        {"a.wasm", "application/wasm"},
        {"a.pdf", "application/pdf"},
        {"a.mp3", "audio/mpeg"},
        {"a.m4a", "audio/mp4"},
        {"a.wav", "audio/wav"},
        {"a.mp4", "video/mp4"},
        {"a.webm", "video/webm"},
        {"a.m3u8", "application/vnd.apple.mpegurl"},
        {"a.mpd", "application/dash+xml"},
        {"a.ts", "video/mp2t"},
        {"a.vtt", "text/vtt; charset=utf-8"},
        {"a.tar.gz", "application/gzip"},
        {"a.zst", "application/zstd"},
        {"a.deb", "application/vnd.debian.binary-package"},
        {"a.exe", "application/octet-stream"},
        {"a.c", "text/plain; charset=utf-8"},
        {"a.c++", "text/plain; charset=utf-8"},
        {"a.rs", "text/plain; charset=utf-8"},
        {"a.sh", "text/plain; charset=utf-8"},
        {"a.eml", "message/rfc822"},
        {".html", NULL},
        {"a/.html", NULL},
        {".a.html", "text/html; charset=utf-8"},
        {"README", NULL},
        {"a.", NULL},
        {"", NULL},
        {".", NULL},
        {"/", NULL},
        {"html", NULL},
        {"a.html/b", NULL},
        {"a.nosuchtype", NULL},
        {"a.htmlhtmlhtmlhtmlhtml", NULL},
        {"a.htm\xc3\xa4", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(NULL, &rows[i]);
}

/* For the binary search; and each row is found, and well formed. */
static void table_is_sorted(void **state)
{
    (void)state;
    assert_true(mime_n_rows >= 1000);
    for (size_t i = 0; i < mime_n_rows; i++) {
        const char *extension = mime_extensions + mime_rows[i].extension;
        const char *type = mime_types + mime_rows[i].type;
        char name[64];

        if (i > 0)
            assert_true(strcmp(mime_extensions + mime_rows[i - 1].extension, extension) < 0);
        snprintf(name, sizeof name, "x.%s", extension);
        check(NULL, &(struct row){name, type});
        assert_true(strlen(extension) <= MIME_EXTENSION_MAX && strchr(extension, '.') == NULL);
        for (const char *c = name; *c != '\0'; c++)
            assert_true(*c == ascii_lower(*c));
        assert_true((strncmp(type, "text/", 5) == 0) == (strstr(type, "; charset=utf-8") != NULL));
    }
    for (size_t i = 0; i < mime_n_old_rows; i++) {
        assert_true(i == 0 || mime_old_rows[i - 1].row <= mime_old_rows[i].row);
        assert_true(mime_old_rows[i].row < mime_n_rows);
        assert_non_null(strchr(mime_old_types + mime_old_rows[i].type, '/'));
    }
}

/* ---- lists ---- */

static const char list_text[] =
    "# a comment\n"
    "application/x-one\tone  ONE2\r\n"
    "  text/X-Two two # three\n"
    "\n"
    "application/none\n"
    "text/html html htm shtml\n"             /* nothing new */
    "application/javascript js mjs\n"        /* out of date */
    "text/vnd.trolltech.linguist ts other\n" /* of the build's list; news for one */
    "application/x-typescript mts\n"
    "font/x-mine woff2\n"
    "text/x-first twice\n"
    "text/x-second twice\n"
    "application/x-away png\n"
    "image/png png\n" /* the table's again */
    "notype none\n"
    "/x none\n"
    "x/ none\n"
    "a/b/c none\n"
    "a b/c none\n"
    "b\xc3\xa4/c none\n"
    "application/x-odd a.b a/b \xc3\xa4 verylongextension fine\n"
    "application/x-end end";

static void list_goes_first(void **state)
{
    static const struct row rows[] = {
        {"a.one", "application/x-one"},
        {"a.One2", "application/x-one"},
        {"a.two", "text/x-two; charset=utf-8"},
        {"a.three", NULL},
        {"a.html", "text/html; charset=utf-8"},
        {"a.js", "text/javascript; charset=utf-8"},
        {"a.mjs", "text/javascript; charset=utf-8"},
        {"a.ts", "video/mp2t"},
        {"a.other", "text/vnd.trolltech.linguist; charset=utf-8"},
        {"a.mts", "application/x-typescript"},
        {"a.woff2", "font/x-mine"},
        {"a.twice", "text/x-second; charset=utf-8"},
        {"a.png", "image/png"},
        {"a.none", NULL},
        {"a.verylongextension", NULL},
        {"a.fine", "application/x-odd"},
        {"a.end", "application/x-end"},
        {"a.css", "text/css; charset=utf-8"},
    };
    struct mime_list *list = mime_list_parse(str_of(list_text));

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(list, &rows[i]);
    assert_int_equal(mime_list_count(list), 9);
    mime_list_free(list);
}

static void list_is_bounded(void **state)
{
    enum { EXTENSIONS = MIME_SYSTEM_EXTENSIONS + 100 };
    static char text[EXTENSIONS * 8 + 64];
    char *at = text;
    struct mime_list *list;

    (void)state;
    at = mempcpy(at, "application/x-many", 18);
    for (size_t i = 0; i < EXTENSIONS; i++)
        at += snprintf(at, 8, " x%05zu", i);
    list = mime_list_parse((struct str){text, (size_t)(at - text)});
    assert_int_equal(mime_list_count(list), MIME_SYSTEM_EXTENSIONS);
    check(list, &(struct row){"a.x00000", "application/x-many"});
    check(list, &(struct row){"a.x16383", "application/x-many"});
    check(list, &(struct row){"a.x16384", NULL});
    mime_list_free(list);
}

static size_t count_of(const char *path)
{
    struct mime_list *list = mime_list_load(path);
    size_t n = mime_list_count(list);

    check(list, &(struct row){"a.html", "text/html; charset=utf-8"});
    mime_list_free(list);
    return n;
}

static void list_is_loaded(void **state)
{
    static char much[MIME_SYSTEM_MAX + 1];
    char path[] = "/tmp/lintel-types.XXXXXX";
    int fd = mkostemp(path, O_CLOEXEC);

    (void)state;
    assert_true(fd != -1);
    assert_int_equal(count_of(path), 0);
    assert_int_equal(write(fd, list_text, sizeof list_text - 1), sizeof list_text - 1);
    assert_int_equal(count_of(path), 9);
    memset(much, '#', sizeof much);
    assert_int_equal(write(fd, much, sizeof much), sizeof much);
    assert_int_equal(count_of(path), 0);
    close(fd);
    unlink(path);
    assert_int_equal(count_of(path), 0);
    assert_int_equal(count_of("/tmp"), 0);
}

/* ---- content ---- */

static bool is_text(const char *head, size_t len)
{
    char *copy = xalloc(len + 1);
    bool text;

    memcpy(copy, head, len);
    text = sniff_is_text((struct str){copy, len});
    assert_true(str_is(sniff_type((struct str){copy, len}),
                       text ? "text/plain; charset=utf-8" : "application/octet-stream"));
    free(copy);
    return text;
}

static void text_is_told(void **state)
{
    char c;

    (void)state;
    assert_true(is_text("", 0));
    assert_true(is_text("<html>\n\t<script>\r\n\f\033[1m", 23));
    assert_true(is_text("\xef\xbb\xbfgr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x98\x80", 18));
    assert_false(is_text("ab\xff", 3));
    assert_false(is_text("\xc3(", 2));
    assert_false(is_text("\xc0\xaf", 2));
    assert_false(is_text("\xed\xa0\x80", 3));
    assert_false(is_text("abc\xc3", 4)); /* the whole file: cut short */
    assert_false(is_text("\xff\xfe"
                         "a\0",
                         4));
    for (unsigned i = 0; i < 256; i++) {
        c = (char)i;
        assert_true(is_text(&c, 1) == ((i >= 0x20 && i < 0x80) || i == 9 || i == 10 || i == 12 ||
                                       i == 13 || i == 27));
    }
}

/* The end of what is looked at may fall within a character, and nothing behind it matters. */
static void text_is_cut(void **state)
{
    static const struct str characters[] = {STR_LIT("x"), STR_LIT("\xc3\xa4"),
                                            STR_LIT("\xe2\x82\xac"), STR_LIT("\xf0\x9f\x98\x80")};
    char head[SNIFF_MAX + 8];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(characters); i++) {
        for (size_t before = 0; before <= characters[i].len; before++) {
            size_t at = SNIFF_MAX - before;

            memset(head, 'a', sizeof head);
            memcpy(head + at, characters[i].p, characters[i].len);
            memset(head + at + characters[i].len, 0, sizeof head - at - characters[i].len);
            assert_true(is_text(head, sizeof head));
            assert_true(is_text(head, SNIFF_MAX));
            head[100] = '\0';
            assert_false(is_text(head, SNIFF_MAX));
        }
    }
    memset(head, 'a', sizeof head);
    memset(head + SNIFF_MAX - 4, '\x80', 4);
    assert_false(is_text(head, SNIFF_MAX));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_types),     cmocka_unit_test(table_is_sorted),
        cmocka_unit_test(list_goes_first), cmocka_unit_test(list_is_bounded),
        cmocka_unit_test(list_is_loaded),  cmocka_unit_test(text_is_told),
        cmocka_unit_test(text_is_cut),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
