/* Real folders read: what is in a list, and in which order. */
#include "handlers/browse_list.h"

#include "base/alloc.h"

#include <errno.h>
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

static char top[] = "/tmp/lintel-test-browse-XXXXXX";
static int dir = -1;

static void put_file(const char *name, size_t size, time_t mtime)
{
    const struct timespec times[2] = {{mtime, 0}, {mtime, 0}};
    int fd = openat(dir, name, O_WRONLY | O_CREAT | O_TRUNC, 0644);

    assert_true(fd != -1);
    assert_int_equal(ftruncate(fd, (off_t)size), 0);
    assert_int_equal(futimens(fd, times), 0);
    close(fd);
}

static void put_folder(const char *name, time_t mtime)
{
    const struct timespec times[2] = {{mtime, 0}, {mtime, 0}};

    assert_int_equal(mkdirat(dir, name, 0755), 0);
    assert_int_equal(utimensat(dir, name, times, 0), 0);
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(top));
    dir = open(top, O_RDONLY | O_DIRECTORY);
    assert_true(dir != -1);
    put_folder("other", 1);
    put_folder("in", 1);
    put_folder("in/Zoo", 500);
    put_folder("in/arch", 900);
    put_file("in/b.txt", 30, 700);
    put_file("in/B.txt", 20, 800);
    put_file("in/arch-2", 10, 600);
    put_file("in/arch.txt", 10, 650);
    put_file("in/secret.key", 1, 1000);
    put_file("in/lintel.conf", 5, 100);
    put_file("other/file", 7, 100);
    assert_int_equal(mkfifoat(dir, "in/fifo", 0600), 0);
    assert_int_equal(symlinkat("b.txt", dir, "in/link"), 0);
    assert_int_equal(symlinkat("arch", dir, "in/folder-link"), 0);
    assert_int_equal(symlinkat("../other/file", dir, "in/out"), 0);
    assert_int_equal(symlinkat("nothing", dir, "in/broken"), 0);
    assert_int_equal(symlinkat("lintel.conf", dir, "in/conf-link"), 0);
    assert_int_equal(symlinkat("fifo", dir, "in/fifo-link"), 0);
    return 0;
}

static int tear_down(void **state)
{
    static const char *const names[] = {
        "in/b.txt",       "in/B.txt",   "in/arch-2",    "in/arch.txt", "in/secret.key",
        "in/lintel.conf", "other/file", "in/fifo",      "in/link",     "in/folder-link",
        "in/out",         "in/broken",  "in/conf-link", "in/fifo-link"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        unlinkat(dir, names[i], 0);
    unlinkat(dir, "in/Zoo", AT_REMOVEDIR);
    unlinkat(dir, "in/arch", AT_REMOVEDIR);
    unlinkat(dir, "in", AT_REMOVEDIR);
    unlinkat(dir, "other", AT_REMOVEDIR);
    close(dir);
    return rmdir(top);
}

/* ---- reading ---- */

struct given {
    const char *root, *path;
    size_t limit, at_once;
    bool reveal, follow_links;
};

static struct browse_list *read_list(const struct given *g)
{
    static const char *hide[] = {"*.key"};
    char root[64], conf[64];
    const struct file_rules rules = {.hide = hide, .n_hide = 1, .conf_path = conf, .browse = true};
    struct browse_scope scope = {
        .rules = &rules, .path = str_of(g->path), .limit = g->limit, .reveal = g->reveal};
    struct browse_reader *r;
    struct browse_list *l;
    int rc;

    snprintf(root, sizeof root, "%s%s", top, g->root);
    snprintf(conf, sizeof conf, "%s/in/lintel.conf", top);
    scope.root = (struct folder){str_of(root), g->follow_links};
    r = browse_reader_new(&scope);
    if (r == NULL)
        return NULL;
    while ((rc = browse_reader_run(r, g->at_once)) == 1)
        continue;
    assert_int_equal(rc, 0);
    l = browse_reader_take(r);
    browse_reader_free(r);
    return l;
}

static void check_order(struct browse_list *l, enum browse_sort by, const char *want)
{
    const struct browse_entry *const *order = browse_list_order(l, by);
    char text[256] = "";
    size_t len = 0;

    for (size_t i = 0; i < l->n; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s%s", i == 0 ? "" : " ",
                                order[i]->name, order[i]->is_folder ? "/" : "");
    assert_string_equal(text, want);
}

static const struct given all = {"/in", "/", 100, 3, false, false};

static void lists_what_is_served(void **state)
{
    struct browse_list *l = read_list(&all);

    (void)state;
    check_order(l, BROWSE_NAME, "arch-2 arch.txt arch/ B.txt b.txt folder-link/ link Zoo/");
    assert_int_equal(l->n, 8);
    assert_int_equal(l->n_folders, 3);
    assert_int_equal(l->total_size, 10 + 10 + 20 + 30 + 30);
    assert_false(l->is_cut);
    browse_list_unref(l);
}

static void sorts(void **state)
{
    struct browse_list *l = read_list(&all);
    const struct browse_entry *const *by_time;

    (void)state;
    check_order(l, BROWSE_FOLDERS_FIRST,
                "arch/ folder-link/ Zoo/ arch-2 arch.txt B.txt b.txt link");
    check_order(l, BROWSE_SIZE, "arch/ folder-link/ Zoo/ arch-2 arch.txt B.txt b.txt link");
    by_time = browse_list_order(l, BROWSE_TIME);
    for (size_t i = 1; i < l->n; i++)
        assert_true(by_time[i - 1]->mtime_s <= by_time[i]->mtime_s);
    assert_string_equal(by_time[0]->name, "Zoo");
    assert_string_equal(by_time[1]->name, "arch-2");
    browse_list_unref(l);
}

static void knows_links(void **state)
{
    struct given g = all;
    struct browse_list *l;
    const struct browse_entry *link;

    (void)state;
    g.reveal = true;
    l = read_list(&g);
    link = browse_list_order(l, BROWSE_NAME)[6];
    assert_string_equal(link->name, "link");
    assert_string_equal(link->target, "b.txt");
    assert_true(link->is_link);
    assert_true(S_ISLNK(link->mode));
    assert_int_equal(link->size, 30);
    browse_list_unref(l);
    g.follow_links = true;
    l = read_list(&g);
    check_order(l, BROWSE_NAME, "arch-2 arch.txt arch/ B.txt b.txt folder-link/ link out Zoo/");
    browse_list_unref(l);
}

static void stops_at_the_limit(void **state)
{
    struct given g = all;
    struct browse_list *l;

    (void)state;
    g.limit = 3;
    l = read_list(&g);
    assert_int_equal(l->n, 3);
    assert_true(l->is_cut);
    browse_list_unref(l);
    g = (struct given){"", "/other/", 1, 100, false, false};
    l = read_list(&g);
    check_order(l, BROWSE_NAME, "file");
    assert_false(l->is_cut);
    browse_list_unref(l);
}

static void tells_changes(void **state)
{
    struct browse_list *before = read_list(&all), *after = read_list(&all);

    (void)state;
    assert_true(before->hash == after->hash);
    browse_list_unref(after);
    put_file("in/b.txt", 31, 700);
    after = read_list(&all);
    assert_true(before->hash != after->hash);
    browse_list_unref(after);
    put_file("in/b.txt", 30, 701);
    after = read_list(&all);
    assert_true(before->hash != after->hash);
    browse_list_unref(after);
    put_file("in/b.txt", 30, 700);
    after = read_list(&all);
    assert_true(before->hash == after->hash);
    browse_list_unref(after);
    browse_list_unref(before);
}

static void fails_with_a_reason(void **state)
{
    struct given g = all;

    (void)state;
    g.path = "/missing/";
    assert_null(read_list(&g));
    assert_int_equal(errno, ENOENT);
    g = (struct given){"/in", "/b.txt/", 1, 1, false, false};
    assert_null(read_list(&g));
    g = (struct given){"/in", "/../other/", 1, 1, false, false};
    assert_null(read_list(&g));
    assert_int_equal(errno, EXDEV);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lists_what_is_served), cmocka_unit_test(sorts),
        cmocka_unit_test(knows_links),          cmocka_unit_test(stops_at_the_limit),
        cmocka_unit_test(tells_changes),        cmocka_unit_test(fails_with_a_reason),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
