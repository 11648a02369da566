/* What is an entity tag, and what is read of files that should hold one. */
#include "handlers/file_etag.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static const struct {
    struct str text;
    bool valid;
} tags[] = {
    {STR_LIT("\"\""), true},
    {STR_LIT("\"a\""), true},
    {STR_LIT("W/\"a\""), true},
    {STR_LIT("\"!#\\~\""), true},
    {STR_LIT("\"\xc3\xa4\""), true},
    {STR_LIT("\"W/\""), true},
    {STR_LIT(""), false},
    {STR_LIT("\""), false},
    {STR_LIT("W/"), false},
    {STR_LIT("W/\""), false},
    {STR_LIT("a"), false},
    {STR_LIT("\"a"), false},
    {STR_LIT("a\""), false},
    {STR_LIT("\"a\"b"), false},
    {STR_LIT("\"a\"b\""), false},
    {STR_LIT("\"a b\""), false},
    {STR_LIT("\"a\tb\""), false},
    {STR_LIT("\"a\nb\""), false},
    {STR_LIT("\"a\r\nX: b\""), false},
    {STR_LIT("\"\x7f\""), false},
    {STR_LIT("\"a\0b\""), false},
    {STR_LIT("w/\"a\""), false},
    {STR_LIT("W\"a\""), false},
    {STR_LIT(" \"a\""), false},
    {STR_LIT("W/W/\"a\""), false},
    {STR_LIT("\"a\", \"b\""), false},
};

static void knows_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(tags); i++)
        if (file_etag_is_valid(tags[i].text) != tags[i].valid)
            fail_msg("%s", tags[i].text.p);
}

static char folder[] = "/tmp/lintel-etag.XXXXXX";
static struct beneath root;

static void put(const char *name, const char *content, size_t len)
{
    int fd = openat(root.fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd != -1);
    assert_int_equal(write(fd, content, len), len);
    close(fd);
}

static struct str read_tag(char buf[FILE_ETAG_MAX + 1])
{
    static const char *extensions[] = {".a", ".b"};
    const struct file_etags etags = {extensions, ARRAY_LEN(extensions)};

    return file_etag_read(&etags, &root, "f", false, buf);
}

static void reads_the_first(void **state)
{
    static const struct {
        const char *a, *b; /* NULL: not there */
        const char *want;
    } rows[] = {
        {NULL, NULL, ""},
        {"\"1\"", "\"2\"", "\"1\""},
        {NULL, "W/\"2\" \t\r\n\n", "W/\"2\""},
        {"1", "\"2\"", "\"2\""},
        {"", "", ""},
        {"\n\"1\"", NULL, ""},
        {"\"1\"\n\"2\"", NULL, ""},
    };
    char buf[FILE_ETAG_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        unlinkat(root.fd, "f.a", 0);
        unlinkat(root.fd, "f.b", 0);
        if (rows[i].a != NULL)
            put("f.a", rows[i].a, strlen(rows[i].a));
        if (rows[i].b != NULL)
            put("f.b", rows[i].b, strlen(rows[i].b));
        assert_true(str_is(read_tag(buf), rows[i].want));
    }
    unlinkat(root.fd, "f.a", 0);
    unlinkat(root.fd, "f.b", 0);
}

static void bounds_the_length(void **state)
{
    char content[FILE_ETAG_MAX + 1000], buf[FILE_ETAG_MAX + 1];

    (void)state;
    for (size_t len = FILE_ETAG_MAX - 1; len < sizeof content; len++) {
        memset(content, 'x', len);
        content[0] = content[len - 1] = '"';
        put("f.a", content, len);
        assert_int_equal(read_tag(buf).len, len <= FILE_ETAG_MAX ? len : 0);
    }
    /* One that looks complete where it is cut off. */
    content[FILE_ETAG_MAX - 1] = '"';
    put("f.a", content, sizeof content);
    assert_int_equal(read_tag(buf).len, 0);
    unlinkat(root.fd, "f.a", 0);
}

static void takes_no_other_kind_of_file(void **state)
{
    char buf[FILE_ETAG_MAX + 1];

    (void)state;
    assert_int_equal(mkdirat(root.fd, "f.a", 0700), 0);
    assert_int_equal(mkfifoat(root.fd, "f.b", 0600), 0);
    assert_int_equal(read_tag(buf).len, 0);
    unlinkat(root.fd, "f.a", AT_REMOVEDIR);
    unlinkat(root.fd, "f.b", 0);
    assert_int_equal(symlinkat("/etc/hostname", root.fd, "f.a"), 0);
    assert_int_equal(read_tag(buf).len, 0);
    unlinkat(root.fd, "f.a", 0);
}

static int set_up(void **state)
{
    (void)state;
    return mkdtemp(folder) == NULL ? -1 : beneath_init(&root, folder, false);
}

static int tear_down(void **state)
{
    (void)state;
    beneath_fini(&root);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_tags),
        cmocka_unit_test(reads_the_first),
        cmocka_unit_test(bounds_the_length),
        cmocka_unit_test(takes_no_other_kind_of_file),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
