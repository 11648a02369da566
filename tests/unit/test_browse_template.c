/* Templates: what they become, in pieces of all sizes, and what is said of wrong ones. */
#include "handlers/browse_template.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

static struct browse_entry entries[] = {
    {.name = "sub", .name_len = 3, .mode = S_IFDIR | 0755, .kind = "folder", .is_folder = true},
    {.name = "a<b>.txt",
     .name_len = 8,
     .mode = S_IFREG | 04640,
     .size = 2048,
     .mtime_s = 1764105237,
     .mtime_ns = 5000000,
     .kind = "text"},
    {.name = "link",
     .name_len = 4,
     .mode = S_IFLNK | 0777,
     .size = 7,
     .kind = "file",
     .target = "x\"y",
     .is_link = true},
};

/* As a request would have it. */
struct given {
    const char *path, *filter;
    enum browse_sort sort;
    bool descending;
    uint64_t offset, limit;
};

static const struct given plain_given = {"/p/q & r/", "", BROWSE_FOLDERS_FIRST, false, 0, 0};

static struct str render(struct arena *a, const struct browse_form *form, const struct given *g,
                         const struct browse_template *t, size_t cap)
{
    struct browse_list list = {.refs = 1,
                               .entries = entries,
                               .n = ARRAY_LEN(entries),
                               .n_folders = 1,
                               .total_size = 2055,
                               .is_cut = true};
    struct browse_show show = {.list = &list,
                               .path = str_of(g->path),
                               .sort = g->sort,
                               .descending = g->descending,
                               .filter = str_of(g->filter),
                               .offset = g->offset,
                               .limit = g->limit,
                               .page = t};
    struct browse_out *o;
    char *text = arena_bytes(a, 64 * 1024);
    size_t len = 0, n;

    browse_show_select(&show, a);
    o = browse_out_new(a, form, &show);
    while (o->source.pull(&o->source, text + len, cap, &n) == PULL_BYTES) {
        assert_in_range(n, 1, cap);
        len += n;
    }
    for (int i = 0; i < BROWSE_SORTS; i++)
        free(list.orders[i]);
    return (struct str){text, len};
}

static void check_form(const struct browse_form *form, const struct given *g, const char *template,
                       const char *want)
{
    struct arena *a = arena_new();
    struct err e;
    const struct browse_template *t = browse_template_new(a, str_of(template), &e);

    if (t == NULL)
        fail_msg("'%s': %s", template, e.msg);
    for (size_t cap = 1; cap < 50; cap += cap < 5 ? 1 : 41) {
        struct str got = render(a, form, g, t, cap);

        if (!str_is(got, want))
            fail_msg("'%s': '" STR_FMT "', not '%s'", template, STR_ARG(got), want);
    }
    arena_free(a);
}

static void fills_in(void **state)
{
    static const struct {
        const char *template, *want;
    } cases[] = {
        {"", ""},
        {"text { } { {x} }", "text { } { {x} }"},
        {"{{path}}", "/p/q &amp; r/"},
        {"{{ path }}|{{up}}", "/p/q &amp; r/|../"},
        {"{{folders}} {{files}} {{total}} {{total_bytes}}", "1 2 2.0 KiB 2055"},
        {"{{#one_folder}}one{{/one_folder}}{{#one_file}}one{{/one_file}}", "one"},
        {"{{#entries}}{{name}},{{/entries}}", "sub,a&lt;b&gt;.txt,link,"},
        {"{{#entries}}{{url}} {{/entries}}", "./sub/ ./a%3Cb%3E.txt ./link "},
        {"{{#entries}}{{#folder}}D{{/folder}}{{^folder}}{{size}}={{bytes}}{{/folder}};{{/entries}}",
         "D;2.0 KiB=2048;7 B=7;"},
        {"{{#entries}}{{kind}}{{#target}}>{{target}}{{/target}}{{#symlink}}!{{/symlink}} "
         "{{/entries}}",
         "folder text file>x&#34;y! "},
        {"{{#entries}}{{time}} {{datetime}};{{/entries}}",
         "1970-01-01 00:00 1970-01-01T00:00:00Z;2025-11-25 21:13 2025-11-25T21:13:57Z;"
         "1970-01-01 00:00 1970-01-01T00:00:00Z;"},
        {"{{#crumbs}}[{{name}} {{link}}{{#last}}!{{/last}}]{{/crumbs}}",
         "[/ ../../][p ../][q &amp; r ./!]"},
        {"{{#entries}}{{path}}{{/entries}}", "/p/q &amp; r//p/q &amp; r//p/q &amp; r/"},
        {"{{sort}} {{order}} {{by_name}} {{by_size}}", "namedirfirst asc ascending none"},
        {"{{sort_name}} {{sort_size}}",
         "?sort=namedirfirst&amp;order=desc ?sort=size&amp;order=asc"},
        {"{{sort_folders}}", "?sort=name&amp;order=asc"},
        {"{{#limit}}only {{limit}}{{/limit}}{{#filter}}f{{/filter}}{{^found}}all{{/found}}",
         "only 3all"},
        {"a{{! a comment }}b", "ab"},
        {"{{^entries}}none{{/entries}}{{^empty}}some{{/empty}}", "some"},
        /* a line of a tag's own leaves none */
        {"a\n  {{#up}}  \nb\n{{/up}}\nc", "a\n    \nb\nc"},
        {"a\n  {{#up}}\nb\n{{/up}}\nc", "a\nb\nc"},
        {"{{#entries}}\n{{name}}\n{{/entries}}\n", "sub\na&lt;b&gt;.txt\nlink\n"},
        {"x {{#up}}\nb{{/up}}\n", "x \nb\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_form(&browse_html, &plain_given, cases[i].template, cases[i].want);
}

static void shows_what_was_asked_for(void **state)
{
    static const struct {
        struct given given;
        const char *want;
    } cases[] = {
        {{"/", "", BROWSE_NAME, false, 0, 0}, "a&lt;b&gt;.txt link sub /"},
        {{"/", "", BROWSE_NAME, true, 0, 0}, "sub link a&lt;b&gt;.txt /"},
        {{"/", "", BROWSE_SIZE, true, 0, 0}, "a&lt;b&gt;.txt link sub /"},
        {{"/", "", BROWSE_NAME, false, 1, 0}, "link sub /"},
        {{"/", "", BROWSE_NAME, false, 0, 2}, "a&lt;b&gt;.txt link /"},
        {{"/", "", BROWSE_NAME, true, 1, 1}, "link /"},
        {{"/", "", BROWSE_NAME, false, 3, 0}, "/"},
        {{"/", "", BROWSE_NAME, false, UINT64_MAX, UINT64_MAX}, "/"},
        {{"/", "B", BROWSE_NAME, false, 0, 0}, "a&lt;b&gt;.txt sub /"},
        {{"/", "li", BROWSE_NAME, false, 0, 0}, "link /"},
        {{"/", "<b>", BROWSE_NAME, false, 0, 5}, "a&lt;b&gt;.txt /"},
        {{"/", "linkk", BROWSE_NAME, false, 0, 0}, "/"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_form(&browse_html, &cases[i].given, "{{#entries}}{{name}} {{/entries}}{{path}}",
                   cases[i].want);
    check_form(&browse_html, &(struct given){"/", "&\"", BROWSE_TIME, true, 0, 0},
               "{{filter}} {{sort_time}} {{by_time}} {{found}}{{up}}",
               "&amp;&#34; ?sort=time&amp;order=asc&amp;filter=%26%22 descending 0");
    check_form(&browse_html, &(struct given){"/", "", BROWSE_SIZE, true, 0, 0},
               "{{sort_name}} {{sort_folders}}",
               "?sort=namedirfirst&amp;order=asc ?sort=namedirfirst&amp;order=asc");
}

static void writes_other_forms(void **state)
{
    (void)state;
    check_form(&browse_json, &plain_given, "",
               "[{\"name\":\"sub/\",\"size\":0,\"url\":\"./sub/\",\"mod_time\":"
               "\"1970-01-01T00:00:00Z\",\"mode\":2147484141,\"is_dir\":true,\"is_symlink\":false},"
               "{\"name\":\"a\\u003cb\\u003e.txt\",\"size\":2048,\"url\":\"./a%3Cb%3E.txt\","
               "\"mod_time\":\"2025-11-25T21:13:57.005Z\",\"mode\":8389024,\"is_dir\":false,"
               "\"is_symlink\":false},"
               "{\"name\":\"link\",\"size\":7,\"url\":\"./link\",\"mod_time\":"
               "\"1970-01-01T00:00:00Z\",\"mode\":134218239,\"is_dir\":false,\"is_symlink\":true,"
               "\"symlink_path\":\"x\\\"y\"}]\n");
    check_form(&browse_json, &(struct given){"/", "none", BROWSE_NAME, false, 0, 0}, "", "[]\n");
    check_form(&browse_plain, &plain_given, "",
               "Name\t\tSize\tModified\n----\t\t----\t--------\n"
               "sub/\t\t0 B\tJanuary 1, 1970 at 00:00:00\n"
               "a<b>.txt\t2.0 KiB\tNovember 25, 2025 at 21:13:57\n"
               "link\t\t7 B\tJanuary 1, 1970 at 00:00:00\n");
    check_form(&browse_plain, &(struct given){"/", "none", BROWSE_NAME, false, 0, 0}, "",
               "Name\tSize\tModified\n----\t----\t--------\n");
}

static void says_what_is_wrong(void **state)
{
    static const struct {
        const char *template, *want;
    } cases[] = {
        {"a\n{{pth}}", "line 2: '{{pth}}' is no value of a list; did you mean 'path'?"},
        {"{{#entries}}{{nmae}}{{/entries}}",
         "line 1: '{{nmae}}' is no value of a list; did you mean 'name'?"},
        {"{{.Name}}", "line 1: '{{.Name}}' is no value of a list; lintel.conf(5) has them all"},
        {"{{}}", "line 1: '{{}}' is no value of a list; lintel.conf(5) has them all"},
        {"{{{path}}}", "line 1: '{{{path}}' is no value of a list; did you mean 'path'?"},
        {"{{url}}", "line 1: '{{url}}' stands in {{#entries}}...{{/entries}} only"},
        {"{{#entries}}{{link}}{{/entries}}",
         "line 1: '{{link}}' stands in {{#crumbs}}...{{/crumbs}} only"},
        {"{{path", "line 1: '{{...}}' has no end"},
        {"\n\n{{#up}}x", "line 3: '{{/up}}' is missing at the end"},
        {"{{/up}}", "line 1: '{{/up}}' closes nothing"},
        {"{{#up}}{{#entries}}{{/up}}", "line 1: '{{/up}}' stands where {{/entries}} should"},
        {"{{#entries}}{{#crumbs}}{{/crumbs}}{{/entries}}",
         "line 1: '{{#crumbs}}' cannot stand in another list"},
        {"{{entries}}", "line 1: '{{entries}}' is yes or no: {{#entries}}...{{/entries}}"},
        {"{{one_file}}", "line 1: '{{one_file}}' is yes or no: {{#one_file}}...{{/one_file}}"},
    };
    struct arena *a = arena_new();
    char deep[17 * 7 + 1] = "";
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_null(browse_template_new(a, str_of(cases[i].template), &e));
        assert_string_equal(e.msg, cases[i].want);
    }
    for (size_t i = 0; i < 17; i++)
        memcpy(deep + i * 7, "{{#up}}", 8);
    assert_null(browse_template_new(a, str_of(deep), &e));
    assert_string_equal(e.msg, "line 1: '{{#up}}' is nested too deeply");
    arena_free(a);
}

static void shortens_the_way(void **state)
{
    char path[2 * 100 + 2] = "/";
    struct arena *a = arena_new();
    struct err e;
    const struct browse_template *t =
        browse_template_new(a, STR_LIT("{{#crumbs}}{{name}}{{link}}|{{/crumbs}}"), &e);
    struct given g = plain_given;
    struct str got;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        memcpy(path + 1 + 2 * i, i < 37 ? "a/" : "b/", 3);
    g.path = path;
    got = render(a, &browse_html, &g, t, 4096);
    assert_true(str_starts(got, STR_LIT("a../../")));
    assert_true(str_ends(got, STR_LIT("|b../|b./|")));
    for (size_t i = 0, n = 0; i < got.len; i++) {
        n += got.p[i] == '|';
        if (i + 1 == got.len)
            assert_int_equal(n, BROWSE_CRUMBS_MAX);
    }
    arena_free(a);
}

static void has_a_page_of_its_own(void **state)
{
    struct arena *a = arena_new();
    struct str got = render(a, &browse_html, &plain_given, browse_template_default(), 999);

    (void)state;
    assert_true(str_starts(got, STR_LIT("<!DOCTYPE html>\n")));
    assert_true(str_ends(got, STR_LIT("</html>\n")));
    assert_null(memmem(got.p, got.len, "{{", 2));
    assert_non_null(memmem(got.p, got.len, "<bdi>a&lt;b&gt;.txt</bdi>", 25));
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_in),           cmocka_unit_test(shows_what_was_asked_for),
        cmocka_unit_test(writes_other_forms), cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(shortens_the_way),   cmocka_unit_test(has_a_page_of_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
