/* The file matcher: which file it finds, and that it looks for none outside of the root. */
#include "conf_fixture.h"
#include "handlers/file_match.h"
#include "http/vars.h"
#include "matcher_rig.h"

#include "base/alloc.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const struct matcher_type *const *const tables[] = {http_matcher_table, file_match_matchers,
                                                           NULL};
static const struct language language = {.directives = fake_tables, .matchers = tables};

static char root[] = "/tmp/file_match_XXXXXX";

static void put(const char *name, size_t size)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", root, name);
    f = fopen(path, "w");
    assert_non_null(f);
    for (size_t i = 0; i < size; i++)
        assert_int_equal(fputc('x', f), 'x');
    assert_int_equal(fclose(f), 0);
}

static void put_folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

static void set_age(const char *name, time_t s)
{
    const struct timespec times[2] = {{s, 0}, {s, 0}};
    char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static int set_up(void **state)
{
    char path[256];

    (void)state;
    assert_non_null(mkdtemp(root));
    put_folder("folder");
    put_folder("folder/sub");
    put("a.txt", 3);
    put("b.txt", 1);
    put("c.txt", 2);
    put("folder/x.html", 1);
    put("folder/sub/y.html", 1);
    put("index.php", 1);
    put("remote.PHP", 1);
    put("star*.md", 1);
    put("starry.md", 1);
    set_age("a.txt", 1000);
    set_age("b.txt", 2000);
    set_age("c.txt", 3000);
    snprintf(path, sizeof path, "%s/out", root);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    snprintf(path, sizeof path, "%s/pipe", root);
    assert_int_equal(mkfifo(path, 0600), 0);
    return 0;
}

static int tear_down(void **state)
{
    char command[256];
    static const char *const names[] = {
        "folder/sub/y.html", "folder/x.html", "folder/sub", "folder",    "a.txt", "b.txt", "c.txt",
        "index.php",         "remote.PHP",    "star*.md",   "starry.md", "out",   "pipe"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        snprintf(command, sizeof command, "%s/%s", root, names[i]);
        (void)remove(command);
    }
    return rmdir(root);
}

static const struct {
    const char *matcher;
    const char *request;
    const char *relative; /* NULL: no match */
    const char *type;     /* NULL: "file" */
    const char *remainder;
    int error;
} rows[] = {
    {"file", "GET /a.txt", "/a.txt", NULL, "", 0},
    {"file", "GET /nope", NULL, NULL, NULL, 0},
    {"file", "GET /folder", NULL, NULL, NULL, 0},
    {"file", "GET /folder/", NULL, NULL, NULL, 0}, /* only a name that ends with "/" as written */
    {"file", "GET /folder/x.html", "/folder/x.html", NULL, "", 0},
    {"file {path}", "GET /a.txt", "/a.txt", NULL, "", 0},
    {"file {path}/", "GET /folder", "/folder/", "directory", "", 0},
    {"file {path}/", "GET /folder/", "/folder/", "directory", "", 0},
    {"file {path}/", "GET /a.txt", NULL, NULL, NULL, 0},
    {"file /", "GET /x", "/", "directory", "", 0},
    {"file {path}.html {path}", "GET /folder/x", "/folder/x.html", NULL, "", 0},
    {"file {path}.html {path} /index.php", "GET /no", "/index.php", NULL, "", 0},
    {"file a.txt", "GET /x", "/a.txt", NULL, "", 0},
    {"file folder/../a.txt", "GET /x", "/a.txt", NULL, "", 0},
    {"file /../../a.txt", "GET /x", "/a.txt", NULL, "", 0},
    {"file {header.X}", "GET /x|X: ../../../../etc/passwd", NULL, NULL, NULL, 0},
    {"file out", "GET /x", NULL, NULL, NULL, 0},
    {"file pipe", "GET /x", NULL, NULL, NULL, 0},
    {"file {path} =404", "GET /nope", NULL, NULL, NULL, 404},
    {"file {path} =404", "GET /a.txt", "/a.txt", NULL, "", 0},
    {"not file {path} =410", "GET /nope", NULL, NULL, NULL, 410},
    {"{\nfile {\ntry_files {path} =404\n}\n}", "GET /nope", NULL, NULL, NULL, 404},
    {"file {\ntry_files /no {path}\n}", "GET /b.txt", "/b.txt", NULL, "", 0},
    {"file {\ntry_files /no\ntry_files {path}\n}", "GET /b.txt", "/b.txt", NULL, "", 0},
    {"{\nfile /no\nfile /a.txt\n}", "GET /x", "/a.txt", NULL, "", 0},
    {"file /a.txt /b.txt /c.txt {\ntry_policy smallest_size\n}", "GET /x", "/b.txt", NULL, "", 0},
    {"file /b.txt /a.txt /c.txt {\ntry_policy largest_size\n}", "GET /x", "/a.txt", NULL, "", 0},
    {"file /a.txt /c.txt /b.txt {\ntry_policy most_recently_modified\n}", "GET /x", "/c.txt", NULL,
     "", 0},
    {"file /no /nor {\ntry_policy largest_size\n}", "GET /x", NULL, NULL, NULL, 0},
    {"file /no /nor {\ntry_policy first_exist_fallback\n}", "GET /x", "/nor", NULL, "", 0},
    {"file /a.txt /nor {\ntry_policy first_exist_fallback\n}", "GET /x", "/a.txt", NULL, "", 0},
    {"file {path} {\nsplit_path .php\n}", "GET /index.php/dav/x", "/index.php", NULL, "/dav/x", 0},
    {"file {path} {\nsplit_path .php\n}", "GET /remote.PHP/dav", "/remote.PHP", NULL, "/dav", 0},
    {"file {path} {\nsplit_path .php\n}", "GET /index.php", "/index.php", NULL, "", 0},
    {"file {path} {\nsplit_path .php\n}", "GET /index.phpx/y", NULL, NULL, NULL, 0},
    {"file {path} {\nsplit_path .cgi .php\n}", "GET /index.php/y", "/index.php", NULL, "/y", 0},
    {"file *.txt", "GET /x", "/a.txt", NULL, "", 0},
    {"file *.txt {\ntry_policy smallest_size\n}", "GET /x", "/b.txt", NULL, "", 0},
    {"file /folder/*/y.*", "GET /x", "/folder/sub/y.html", NULL, "", 0},
    {"file /f*/", "GET /x", "/folder/", "directory", "", 0},
    {"file /star[*].md", "GET /x", "/star*.md", NULL, "", 0},
    {"file `/star\\*.md`", "GET /x", "/star*.md", NULL, "", 0},
    {"file /[x-z]*.{header.X}", "GET /x|X: txt", NULL, NULL, NULL, 0},
    {"file /[a-b].{header.X}", "GET /x|X: txt", "/a.txt", NULL, "", 0},
    {"file /[a-b].{header.X}", "GET /x|X: t*t", NULL, NULL, NULL, 0}, /* no pattern of a client */
    {"file {path}", "GET /star*.md", "/star*.md", NULL, "", 0},
    {"file {path}", "GET /star*", NULL, NULL, NULL, 0},
    {"file {\nroot /nonexistent/folder\n}", "GET /a.txt", NULL, NULL, NULL, 0},
    {"file /a.txt =403 {\nroot /nonexistent/folder\n}", "GET /a.txt", NULL, NULL, NULL, 403},
};

static void check(size_t i)
{
    struct matcher_rig rig = matcher_rig_new(rows[i].matcher, &language);
    struct arena *a = arena_new();
    struct exchange ex;
    struct str absolute;
    bool verdict;

    matcher_rig_exchange(&ex, a, rows[i].request);
    ex.root.path = str_of(root);
    verdict = matcher_matches(rig.matcher, &ex);
    if (verdict != (rows[i].relative != NULL) || ex.match_error != rows[i].error)
        fail_msg("%s: %s: %d", rows[i].matcher, rows[i].request, verdict);
    if (verdict) {
        struct str relative = vars_get(&ex, STR_LIT("file_match.relative"));

        if (!str_is(relative, rows[i].relative))
            fail_msg("%s: %s: " STR_FMT, rows[i].matcher, rows[i].request, STR_ARG(relative));
        absolute = arena_printf(a, "%s%s", root, rows[i].relative);
        assert_true(str_eq(vars_get(&ex, STR_LIT("file_match.absolute")), absolute));
        assert_true(str_is(vars_get(&ex, STR_LIT("file_match.type")),
                           rows[i].type == NULL ? "file" : rows[i].type));
        assert_true(str_is(vars_get(&ex, STR_LIT("file_match.remainder")), rows[i].remainder));
    }
    arena_free(a);
    matcher_rig_free(&rig);
}

static void finds_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        check(i);
}

static const struct {
    const char *lines;
    const char *message;
} errors[] = {
    {"file x =200", "f:2:11: '=200' is no error status: =400 to =599\n"},
    {"file =404 x", "f:2:14: nothing is tried behind '=404'\n"},
    {"file {\ntry_policy first\n}", "f:3:12: unknown policy 'first'"},
    {"file {\ntry_file x\n}", "f:3:1: unknown"},
    {"file {nope}", "f:2:9: '{nope}' is no placeholder"},
};

static void refuses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct buf text = BUF_INIT(4096), messages = BUF_INIT(4096);

        assert_int_equal(
            buf_printf(&text, "http://a.test {\n@m %s\nrespond @m\n}\n", errors[i].lines), 0);
        assert_null(conf_parse("f", buf_str(&text), &language, &messages, NULL));
        if (strstr(messages.p, errors[i].message) == NULL)
            fail_msg("%s: %s", errors[i].lines, messages.p);
        buf_fini(&text);
        buf_fini(&messages);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_files),
        cmocka_unit_test(refuses),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
