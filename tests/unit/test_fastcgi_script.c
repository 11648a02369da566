/* Which script a path names, what is left of the path, and what is not run. */
#include "handlers/fastcgi_script.h"
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

static char root[] = "/tmp/fastcgi_script_XXXXXX";
static const char *const files[] = {"index.php", "a.phpx",  "a.php", "UP.PHP",
                                    "x.cgi",     "s/b.php", "p.jpg", "p\xc4\xb0.php"};

static const char *in_root(const char *name)
{
    static char path[256];

    snprintf(path, sizeof path, "%s/%s", root, name);
    return path;
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(root));
    assert_int_equal(mkdir(in_root("s"), 0700), 0);
    assert_int_equal(mkdir(in_root("d.php"), 0700), 0);
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(close(open(in_root(files[i]), O_CREAT | O_WRONLY, 0600)), 0);
    assert_int_equal(symlink("/etc/passwd", in_root("out.php")), 0);
    assert_int_equal(symlink("a.php", in_root("in.php")), 0);
    assert_int_equal(mkfifo(in_root("pipe.php"), 0600), 0);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const others[] = {"out.php", "in.php", "pipe.php", "s", "d.php", ""};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++)
        assert_int_equal(remove(in_root(files[i])), 0);
    for (size_t i = 0; i < ARRAY_LEN(others); i++)
        assert_int_equal(remove(in_root(others[i])), 0);
    return 0;
}

static const struct {
    const char *request;
    const char *name; /* NULL: of no interest */
    const char *path_info;
    int status;
} rows[] = {
    {"GET /index.php", "/index.php", "", 0},
    {"GET /index.php?x=/y.php", "/index.php", "", 0},
    {"GET /index.php/", "/index.php", "/", 0},
    {"GET /index.php/a/b", "/index.php", "/a/b", 0},
    {"GET /index.php/a.php/b", "/index.php", "/a.php/b", 0},
    {"GET /s/b.php/x", "/s/b.php", "/x", 0},
    {"GET /in.php", "/in.php", "", 0},
    {"GET /x.cgi/y", "/x.cgi", "/y", 0},
    {"GET /x.cgi/y.php", NULL, NULL, 404}, /* ends are looked for in their order */
    {"GET /UP.PHP/y", "/UP.PHP", "/y", 0},
    {"GET /a.PHP", NULL, NULL, 404},
    {"GET /a.phpx", NULL, NULL, 404},
    {"GET /a.phpx/a.php", NULL, NULL, 404},
    {"GET /none.php", NULL, NULL, 404},
    {"GET /p.jpg", NULL, NULL, 404},
    {"GET /p.jpg/x.php", NULL, NULL, 404},
    {"GET /p.jpg/x.php/y", NULL, NULL, 404},
    {"GET /p.jpg/.php", NULL, NULL, 404},
    {"GET /p.jpg%2Fx.php", NULL, NULL, 404},
    {"GET /p%C4%B0.php/y", "/p\xc4\xb0.php", "/y", 0}, /* one byte longer in lower case */
    {"GET /p%C4%B0%C4%B0%C4%B0.jpg.php", NULL, NULL, 404},
    {"GET /index.\xef\xbd\x90hp", NULL, NULL, 404}, /* a wide "p" */
    {"GET /d.php", NULL, NULL, 404},
    {"GET /d.php/x.php", NULL, NULL, 404},
    {"GET /out.php", NULL, NULL, 404},
    {"GET /pipe.php", NULL, NULL, 404},
    {"GET /s", NULL, NULL, 404},
    {"GET /", NULL, NULL, 404},
};

static void finds_scripts(void **state)
{
    struct str splits[] = {STR_LIT(".php"), STR_LIT(".cgi")};
    const struct fastcgi_conf conf = {
        .here = {root, sizeof root - 1}, .splits = splits, .n_splits = ARRAY_LEN(splits)};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct arena *a = arena_new();
        struct fastcgi_script s;
        struct exchange ex;
        int status;

        matcher_rig_exchange(&ex, a, rows[i].request);
        status = fastcgi_script_find(&conf, &ex, NULL, &s);
        if (status != rows[i].status)
            print_error("%s\n", rows[i].request);
        assert_int_equal(status, rows[i].status);
        if (rows[i].name != NULL) {
            if (!str_is(s.name, rows[i].name) || !str_is(s.path_info, rows[i].path_info))
                print_error("%s: " STR_FMT ", " STR_FMT "\n", rows[i].request, STR_ARG(s.name),
                            STR_ARG(s.path_info));
            assert_true(str_is(s.name, rows[i].name));
            assert_true(str_is(s.path_info, rows[i].path_info));
        }
        arena_free(a);
    }
}

static struct fastcgi_script find(const struct fastcgi_conf *c, struct arena *a,
                                  const char *request, const char *target)
{
    struct fastcgi_script s;
    struct exchange ex;

    matcher_rig_exchange(&ex, a, request);
    assert_int_equal(fastcgi_script_find(c, &ex, target, &s), 0);
    return s;
}

static void heeds_the_rest(void **state)
{
    struct str split = STR_LIT(".php");
    struct fastcgi_conf conf = {.here = {root, sizeof root - 1}};
    struct arena *a = arena_new();
    struct fastcgi_script s;

    (void)state;
    /* No scripts at all. */
    s = find(&conf, a, "GET /a/b?c", NULL);
    assert_true(s.name.len == 0 && str_is(s.path_info, "/a/b") && str_is(s.query, "c"));
    conf.splits = &split;
    conf.n_splits = 1;
    /* A target of its own. */
    s = find(&conf, a, "GET /a/b?c", "/index.php/%61?d=e?f");
    assert_true(str_is(s.name, "/index.php") && str_is(s.path_info, "/a"));
    assert_true(str_is(s.query, "d=e?f"));
    /* What a matcher has cut off. */
    s = find(&conf, a, "GET /index.php|@var: file_match.remainder=/x/y", NULL);
    assert_true(str_is(s.path_info, "/x/y"));
    /* A root that is not on this machine. */
    conf.has_root = true;
    conf.root.constant = STR_LIT("/nonexistent/www");
    s = find(&conf, a, "GET /none.php/y", NULL);
    assert_true(str_is(s.root, "/nonexistent/www") && str_is(s.name, "/none.php"));
    conf.has_root = false;
    conf.here = STR_LIT("/nonexistent/www");
    (void)find(&conf, a, "GET /none.php/y", NULL);
    conf.has_root = true;
    /* One that is, but of which the server may see more. */
    conf.root.constant = (struct str){root, sizeof root - 1};
    (void)find(&conf, a, "GET /none.php/y", NULL);
    (void)find(&conf, a, "GET /none/none.php", NULL);
    /* Links may lead out, where that was said. */
    conf.root = (struct root_path){.constant = {root, sizeof root - 1}, .follow_links = true};
    s = find(&conf, a, "GET /out.php", NULL);
    assert_true(str_is(s.name, "/out.php"));
    arena_free(a);
}

/* Whatever the server sees, what we see is not run. */
static void refuses_what_it_sees(void **state)
{
    static const char *const requests[] = {"/p.jpg/x.php", "/p.jpg/y/x.php", "/d.php",
                                           "/out.php",     "/pipe.php",      "/p.jpg/.php/x"};
    struct str split = STR_LIT(".php");

    (void)state;
    for (size_t i = 0; i < 2 * ARRAY_LEN(requests); i++) {
        struct fastcgi_conf conf = {.splits = &split, .n_splits = 1, .has_root = true};
        struct arena *a = arena_new();
        struct fastcgi_script s;
        struct exchange ex;

        matcher_rig_exchange(&ex, a,
                             arena_printf(a, "GET %s", requests[i % ARRAY_LEN(requests)]).p);
        conf.root.constant = STR_LIT("/nonexistent");
        if (i < ARRAY_LEN(requests))
            ex.root.path = (struct str){root, sizeof root - 1};
        else
            conf.root.constant = (struct str){root, sizeof root - 1};
        assert_int_equal(fastcgi_script_find(&conf, &ex, NULL, &s), 404);
        arena_free(a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_scripts),
        cmocka_unit_test(heeds_the_rest),
        cmocka_unit_test(refuses_what_it_sees),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
