/* Imports: snippets, files, arguments, blocks; and what is wrong with them. */
#include "conf/braces.h"
#include "conf/expand.h"
#include "conf_fixture.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* What a test is about, while it runs. */
struct run {
    struct arena *arena;
    struct diag *diag;
    struct import_files *files;
    struct lexemes out;
    int rc;
    struct buf tokens, errors, warnings; /* as text */
};

/* Messages without the lines they show. */
static void keep_messages(struct buf *all, struct buf *out)
{
    struct str rest = buf_str(all);

    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');

        if (line.len > 0 && !str_starts(line, STR_LIT("    ")))
            assert_int_equal(buf_printf(out, STR_FMT "\n", STR_ARG(line)), 0);
    }
    assert_int_equal(buf_puts(out, ""), 0);
    buf_fini(all);
}

static void run_text(struct run *r, const char *path, struct str text)
{
    struct buf errors = BUF_INIT(1 << 20), warnings = BUF_INIT(1 << 20);
    struct lexemes in;

    *r = (struct run){.arena = arena_new(),
                      .tokens = BUF_INIT(1 << 20),
                      .errors = BUF_INIT(1 << 20),
                      .warnings = BUF_INIT(1 << 20)};
    r->diag = diag_new(r->arena);
    r->files = import_files_new(r->arena, r->diag);
    diag_source(r->diag, str_of(path), text);
    r->rc = lexer_run(r->arena, r->diag, str_of(path), text, &in);
    assert_int_equal(r->rc, 0);
    assert_int_equal(braces_match(r->arena, r->diag, &in), 0);
    r->rc = expand_run(r->arena, r->diag, r->files, str_of(path), &in, &r->out);
    for (size_t i = 0; i < r->out.n && i < 1000; i++) {
        const struct lexeme *l = &r->out.list[i];

        assert_int_equal(buf_printf(&r->tokens, "%s%s" STR_FMT "%s",
                                    i == 0           ? ""
                                    : l->starts_line ? "\n"
                                                     : " ",
                                    l->token.quoted ? "'" : "", STR_ARG(l->token.text),
                                    l->token.quoted ? "'" : ""),
                         0);
    }
    assert_int_equal(buf_puts(&r->tokens, ""), 0);
    diag_print(r->diag, &errors, &warnings);
    keep_messages(&errors, &r->errors);
    keep_messages(&warnings, &r->warnings);
}

static void run_fini(struct run *r)
{
    buf_fini(&r->tokens);
    buf_fini(&r->errors);
    buf_fini(&r->warnings);
    arena_free(r->arena);
}

/* tokens: lines as they are after expansion; NULL: not looked at. */
static const struct {
    const char *text;
    const char *tokens;
    const char *errors;
    const char *warnings;
} cases[] = {
    {"a.com {\nx\n}\n", "a.com {\nx\n}", "", ""},
    {"(s) {\nx 1\ny\n}\na.com {\nimport s\nz\n}", "a.com {\nx 1\ny\nz\n}", "", ""},
    {"(s)\n{\nx\n}\na.com\nimport s", "a.com\nx", "", ""},
    {"(s) { x }\na.com\nimport s\ny", "a.com\nx\ny", "", ""},
    {"(s) {\n}\na.com {\nimport s\n}", "a.com {\n}", "", ""},
    /* anywhere: at the top level, in blocks, in other snippets */
    {"(s) {\na.com {\nx\n}\n}\nimport s\nb.com {\n}", "a.com {\nx\n}\nb.com {\n}", "", ""},
    {"(s) {\nx\n}\na.com {\nh {\nimport s\n}\n}", "a.com {\nh {\nx\n}\n}", "", ""},
    {"(s) {\nx\n}\n(t) {\ny\nimport s\nz\n}\na.com\nimport t\nimport s", "a.com\ny\nx\nz\nx", "",
     ""},
    {"(s) {\nemail x\n}\n{\nimport s\n}\na.com", "{\nemail x\n}\na.com", "", ""},
    {"(s) {\n(t) {\nx\n}\n}\nimport s\na.com\nimport t", "a.com\nx", "", ""},
    {"(s) {\nb.com,\n}\nimport s\na.com", "b.com,\na.com", "", ""},
    /* no import: an argument, a quoted word */
    {"a.com\nx import s\n\"import\" s", "a.com\nx import s\n'import' s", "", ""},
    /* arguments */
    {"(s) {\nx {args[0]} {args[1]} {args.1}\n}\na.com\nimport s a \"b c\"", "a.com\nx a b c b c",
     "", ""},
    {"(s) {\nx a{args[0]}b{args[0]}\ny \"<{args[0]}>\" `{args[1]}`\n}\na.com\nimport s 1 2",
     "a.com\nx a1b1\ny '<1>' '2'", "", ""},
    {"(s) {\nx {args[:]} z\n}\na.com\nimport s 1 2 3", "a.com\nx 1 2 3 z", "", ""},
    {"(s) {\nx {args[1:]}\ny {args[:2]}\nz {args[1:2]}\n}\na.com\nimport s 1 2 3",
     "a.com\nx 2 3\ny 1 2\nz 2", "", ""},
    {"(s) {\nx {args[:]}\n{args[:]} y\n{args[1:]}\nz\n}\na.com\nimport s 1", "a.com\nx 1\n1 y\nz",
     "", ""},
    {"(s) {\n{args[:]} y\n}\na.com\nimport s", "a.com\ny", "", ""},
    {"(s) {\nx {args[0]}\n}\n(t) {\nimport s {args[1]}-{args[0]}\nimport s {args[1:]}\n}\n"
     "a.com\nimport t a b",
     "a.com\nx b-a\nx b", "", ""},
    {"(s-a) {\nx\n}\n(t) {\nimport {args[0]}\nimport s-{args[1]}\n}\na.com\nimport t s-a a",
     "a.com\nx\nx", "", ""},
    {"(s) {\nx {header.{args[0]}} \\{args[0]} {args} {argsx[0]} {args[0]x}\n}\na.com\nimport s 1",
     "a.com\nx {header.1} \\{args[0]} {args} {argsx[0]} {args[0]x}", "", ""},
    {"(s) {\nx {args[0]} {args[1]}\n}\na.com\nimport s \"{\" `}`", "a.com\nx '{' '}'", "", ""},
    {"(s) {\nx {args[0]}\n}\na.com\nimport s `{args[0]}`", "a.com\nx {args[0]}", "", ""},
    {"a.com\nx {args[0]}", "a.com\nx {args[0]}", "", ""},
    {"(s) {\nb.com {\nx {args[0]}\n}\n(t) {\nx {args[0]}\n}\n}\nimport s 1\na.com\nimport t 2",
     "b.com {\nx 1\n}\na.com\nx 2", "", ""},
    /* blocks */
    {"(s) {\nx\n{block}\ny\n}\na.com {\nimport s {\nb 1\nc {\nd\n}\n}\nz\n}",
     "a.com {\nx\nb 1\nc {\nd\n}\ny\nz\n}", "", ""},
    {"(s) {\nx\n{block}\ny\n}\na.com\nimport s\nimport s {\n}", "a.com\nx\ny\nx\ny", "", ""},
    {"(s) {\nx {\n{block}\n}\n{block}\n}\na.com\nimport s 1 {\nb {args[0]}\n}",
     "a.com\nx {\nb {args[0]}\n}\nb {args[0]}", "", ""},
    {"(s) {\nh {\n{blocks.one}\n}\n{blocks.two.x} y\n{blocks.none}\nz\n}\n"
     "a.com\nimport s {\none {\nb\nc {\nd\n}\n}\ntwo.x e f {\ng\n}\n}",
     "a.com\nh {\nb\nc {\nd\n}\n}\ne f\ng\ny\nz", "", ""},
    {"(s) {\nx {blocks.v} y\n}\na.com\nimport s {\nv 1 2\n}", "a.com\nx 1 2 y", "", ""},
    {"(s) {\n[\n{block}\n]\n}\n(t) {\n<\nimport s {\n{block}\n{args[0]}\n}\n>\n}\n"
     "a.com\nimport t 1 {\nx\n}",
     "a.com\n<\n[\nx\n1\n]\n>", "", ""},
    {"(s) {\n[\n{block}\n]\n}\na.com\nimport s {\nimport s {\nimport s {\nx\n}\n}\n}",
     "a.com\n[\n[\n[\nx\n]\n]\n]", "", ""},
    {"(s) {\nx\n}\na.com\nimport s {\ny\n}", "a.com\nx", "",
     "f:5:10: warning: this block is not used: 's' has no {block}\n"},
    {"(s) {\nx \"{block}\"\n{block}x\n}\na.com\nimport s {\n}", "a.com\nx '{block}'\n{block}x", "",
     "f:6:10: warning: this block is not used: 's' has no {block}\n"},
    /* errors */
    {"a.com\nimport", NULL, "f:2:1: 'import' needs the name of a snippet or the path of a file\n",
     ""},
    {"a.com\nimport \"\"", NULL,
     "f:2:1: 'import' needs the name of a snippet or the path of a file\n", ""},
    {"(logging) {\n}\na.com\nimport loging\nx", "a.com\nx",
     "f:4:8: there is no snippet 'loging' and no file 'loging'; did you mean 'logging'?\n", ""},
    {"a.com\nimport loging", "a.com", "f:2:8: there is no snippet 'loging' and no file 'loging'\n",
     ""},
    {"a.com {\nimport s\n}\n(s) {\n}", NULL,
     "f:2:8: the snippet 's' is defined only later, at f:4:1: move it before this line\n", ""},
    {"(s) {\n}\n(s) {\nx\n}\na.com\nimport s", "a.com",
     "f:3:1: the snippet 's' is already defined at f:1:1\n", ""},
    {"() {\n}\n(a) b {\n}\n(c)\na.com {\n(d) {\n}\n}", NULL,
     "f:1:1: a snippet needs a name between its parentheses\n"
     "f:3:1: a snippet is its name and a block: '(a) {'\n"
     "f:5:1: a snippet is its name and a block: '(c) {'\n"
     "f:7:1: a snippet is defined outside of all blocks: move '(d)' there\n",
     ""},
    {"(s) {\nx\n} y\na.com\nimport s {\n} z\nimport s { q\n}", NULL,
     "f:3:3: unexpected 'y' after '}'\nf:6:3: unexpected 'z' after '}'\n"
     "f:7:12: unexpected 'q' after '{' on the same line: it belongs on the next\n",
     ""},
    {"(s) {\nx {args[1]} {args[1]}b\n}\na.com {\nimport s 1\n}\nb.com {\nimport s\n}", NULL,
     "f:2:3: there is no '{args[1]}': the import at f:5:1 passes 1 argument\n"
     "f:2:13: there is no '{args[1]}': the import at f:5:1 passes 1 argument\n",
     ""},
    {"(s) {\nx {args[2:]} {args[:2]} {args.1}\n}\na.com {\nimport s 1\n}", NULL,
     "f:2:3: there is no '{args[2:]}': the import at f:5:1 passes 1 argument\n"
     "f:2:14: there is no '{args[:2]}': the import at f:5:1 passes 1 argument\n"
     "f:2:25: there is no '{args.1}': the import at f:5:1 passes 1 argument\n",
     ""},
    {"(s) {\nx {args[-1]} {args[a]} {args[]} {args[2:1]} {args[1:2:3]} {args.a}\n}\n"
     "a.com {\nimport s 1 2 3\n}",
     NULL,
     "f:2:3: '{args[-1]}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or {args[:2]}\n"
     "f:2:14: '{args[a]}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or {args[:2]}\n"
     "f:2:24: '{args[]}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or {args[:2]}\n"
     "f:2:33: '{args[2:1]}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or "
     "{args[:2]}\n"
     "f:2:45: '{args[1:2:3]}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or "
     "{args[:2]}\n"
     "f:2:59: '{args.a}' names no argument: write {args[0]}, {args[:]}, {args[1:]} or {args[:2]}\n",
     ""},
    {"(s) {\nx a{args[:]}\n}\na.com {\nimport s 1\n}", NULL,
     "f:2:3: '{args[:]}' stands for several words: it must be a word alone\n", ""},
    {"(s) {\nimport {args[0]}\n}\na.com\nimport s", "a.com",
     "f:2:8: there is no '{args[0]}': the import at f:5:1 passes 0 arguments\n", ""},
    {"a.com\n{block}\n{blocks.a}", "a.com",
     "f:2:1: '{block}' has a meaning only in a snippet or an imported file\n"
     "f:3:1: '{blocks.a}' has a meaning only in a snippet or an imported file\n",
     ""},
    {"(s) {\n{blocks.a}\n}\na.com\nimport s {\na 1\na 2\n}\nimport s {\n{\n}\n}", NULL,
     "f:7:1: 'a' was already given: there can be only one for '{blocks.a}'\n"
     "f:10:1: a block in the block of an import needs a name before its '{'\n",
     ""},
    /* cycles */
    {"(s) {\nimport s\n}\na.com\nimport s", "a.com",
     "f:2:1: this import leads back to itself: s -> s\n", ""},
    {"(s) {\nx\nimport t\n}\n(t) {\nimport s\n}\na.com {\nimport s\n}\nb.com {\nimport s\n}",
     "a.com {\nx\n}\nb.com {\nx\n}",
     "f:6:1: this import leads back to itself: s -> t (f:3:1) -> s\n", ""},
    {"(s) {\nimport t {\n{block}\n}\n}\n(t) {\nimport s {\n{block}\n}\n}\na.com\nimport s {\nx\n}",
     "a.com", "f:7:1: this import leads back to itself: s -> t (f:2:1) -> s\n", ""},
};

static void expands(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct run r;

        run_text(&r, "f", str_of(cases[i].text));
        if (r.rc != 0)
            fail_msg("%s\nstops", cases[i].text);
        if (cases[i].tokens != NULL && strcmp(r.tokens.p, cases[i].tokens) != 0)
            fail_msg("%s\ngives\n%s\nnot\n%s", cases[i].text, r.tokens.p, cases[i].tokens);
        if (strcmp(r.errors.p, cases[i].errors) != 0)
            fail_msg("%s\nsays\n%snot\n%s", cases[i].text, r.errors.p, cases[i].errors);
        if (strcmp(r.warnings.p, cases[i].warnings) != 0)
            fail_msg("%s\nwarns\n%snot\n%s", cases[i].text, r.warnings.p, cases[i].warnings);
        run_fini(&r);
    }
}

/* A word keeps the place where it is written; one that is an argument has that of the argument. */
static void keeps_places(void **state)
{
    static const unsigned places[][2] = {{5, 1}, {2, 1}, {6, 10}, {2, 13}};
    struct run r;

    (void)state;
    run_text(&r, "f", STR_LIT("(s) {\nx {args[0]} <{args[0]}>\n}\n\na.com\nimport s arg"));
    assert_string_equal(r.tokens.p, "a.com\nx arg <arg>");
    for (size_t i = 0; i < ARRAY_LEN(places); i++) {
        assert_int_equal(r.out.list[i].token.line, places[i][0]);
        assert_int_equal(r.out.list[i].token.column, places[i][1]);
    }
    run_fini(&r);
}

/* Text that is not changed is not copied. */
static void shares_text(void **state)
{
    struct run r;

    (void)state;
    run_text(&r, "f", STR_LIT("(s) {\nx\n}\na.com {\nimport s\n}\nb.com {\nimport s\n}"));
    assert_string_equal(r.tokens.p, "a.com {\nx\n}\nb.com {\nx\n}");
    assert_ptr_equal(r.out.list[2].token.text.p, r.out.list[6].token.text.p);
    run_fini(&r);
}

/* ---- files ---- */

static char folder[] = "/tmp/lintel-test-import-XXXXXX";

static void put_file(const char *name, const char *text)
{
    char path[256];
    FILE *f;

    snprintf(path, sizeof path, "%s/%s", folder, name);
    f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void put_folder(const char *name)
{
    char path[256];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(mkdir(path, 0700), 0);
}

/* Runs text as "main" in the folder; in messages the folder is taken off. */
static void run_in_folder(struct run *r, const char *text)
{
    assert_int_equal(chdir(folder), 0);
    run_text(r, "main", str_of(text));
}

static int make_files(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(folder));
    put_folder("sites");
    put_folder("sites/sub");
    put_folder("odd[*]");
    put_file("sites/b.conf", "b.com {\nx {args[0]}\n}\n");
    put_file("sites/a.conf",
             "a.com {\nimport common.inc\nimport ./common.inc\nimport ../top.inc 1\n}");
    put_file("sites/.hidden.conf", "hidden.com\n");
    put_file("sites/common.inc", "common");
    put_file("top.inc", "top {args[:]}\n");
    put_file("snippets", "(s) {\nfrom-s\n}\n");
    put_file("cycle1", "import cycle2\n");
    put_file("cycle2", "x\nimport ./cycle1\n");
    put_file("back", "import main\n");
    put_file("open", "x {\ny\n");
    put_file("quote", "x \"\n");
    put_file("empty", " \n\t\n");
    put_file("comment", "# nothing\n");
    put_file("odd[*]/a", "import b");
    put_file("odd[*]/b", "import c?");
    put_file("odd[*]/c1", "odd");
    put_file("sites/climb", "import ../sites/climb\n");
    return 0;
}

static int remove_files(void **state)
{
    char path[256];

    (void)state;
    for (const char *const *name = (const char *const[]){"sites/b.conf",
                                                         "sites/a.conf",
                                                         "sites/.hidden.conf",
                                                         "sites/common.inc",
                                                         "top.inc",
                                                         "snippets",
                                                         "cycle1",
                                                         "cycle2",
                                                         "back",
                                                         "open",
                                                         "quote",
                                                         "empty",
                                                         "comment",
                                                         "odd[*]/a",
                                                         "odd[*]/b",
                                                         "odd[*]/c1",
                                                         "sites/climb",
                                                         "odd[*]",
                                                         "sites/sub",
                                                         "sites",
                                                         NULL};
         *name != NULL; name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        assert_int_equal(remove(path), 0);
    }
    return rmdir(folder);
}

static const struct {
    const char *text;
    const char *tokens;
    const char *errors;
    const char *warnings;
} file_cases[] = {
    {"import sites/b.conf 1\nimport sites/b.conf 2", "b.com {\nx 1\n}\nb.com {\nx 2\n}", "", ""},
    {"import sites/*.conf 7", "a.com {\ncommon\ncommon\ntop 1\n}\nb.com {\nx 7\n}", "", ""},
    {"import sites/.hidd*", "hidden.com", "", ""},
    {"import sites/[ab].conf 7", "a.com {\ncommon\ncommon\ntop 1\n}\nb.com {\nx 7\n}", "", ""},
    {"import sites/*.none\na.com", "a.com", "",
     "main:1:8: warning: no file matches 'sites/*.none'\n"},
    {"import snippets\nimport snippets\na.com\nimport s", "a.com\nfrom-s", "", ""},
    {"a.com\nimport top.inc a b", "a.com\ntop a b", "", ""},
    {"(top.inc) {\nx\n}\na.com\nimport top.inc", "a.com\nx", "", ""},
    {"import odd[*]/a", "", "main:1:8: 'odd[*]/a' has more than one wildcard\n", ""},
    {"import empty\nimport comment\na.com", "a.com", "",
     "empty: warning: this imported file is empty\n"},
    {"(s) {\nimport sites/{args[0]}.inc\n}\na.com\nimport s common", "a.com\ncommon", "", ""},
    {"import sites/c.conf\nimport sites/*b.conf\n", "b.com {\nx {args[0]}\n}",
     "main:1:8: there is no snippet 'sites/c.conf' and no file 'sites/c.conf'\n"
     "sites/b.conf:2:3: there is no '{args[0]}': the import at main:2:1 passes 0 arguments\n",
     ""},
    {"import sites/*u*\nimport sites/su*\nimport sites\na.com", "a.com",
     "main:1:8: 'sites/*u*' has more than one wildcard\n"
     "main:2:1: cannot import: sites/sub: not a regular file\n"
     "main:3:1: cannot import: sites: not a regular file\n",
     ""},
    {"a.com\nimport cycle1\ny", "a.com\nx\ny",
     "cycle2:2:1: this import leads back to itself: cycle1 -> cycle2 (cycle1:1:1) -> cycle1\n", ""},
    {"a.com\nimport back", "a.com",
     "back:1:1: this import leads back to itself: main -> back (main:2:1) -> main\n", ""},
    /* what cannot be read may have defined what is missing */
    {"import open\nimport quote\nimport open\na.com\nimport from-there", "a.com",
     "open:1:3: this '{' is never closed\nquote:1:3: this quote is never closed\n", ""},
};

static void imports_files(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(file_cases); i++) {
        struct run r;

        run_in_folder(&r, file_cases[i].text);
        assert_int_equal(r.rc, 0);
        if (strcmp(r.tokens.p, file_cases[i].tokens) != 0)
            fail_msg("%s\ngives\n%s\nnot\n%s", file_cases[i].text, r.tokens.p,
                     file_cases[i].tokens);
        if (strcmp(r.errors.p, file_cases[i].errors) != 0)
            fail_msg("%s\nsays\n%snot\n%s", file_cases[i].text, r.errors.p, file_cases[i].errors);
        if (strcmp(r.warnings.p, file_cases[i].warnings) != 0)
            fail_msg("%s\nwarns\n%snot\n%s", file_cases[i].text, r.warnings.p,
                     file_cases[i].warnings);
        run_fini(&r);
    }
}

/* The folder of the importing file is no pattern, whatever it is called. */
static void takes_folders_as_they_are(void **state)
{
    struct run r;

    (void)state;
    assert_int_equal(chdir(folder), 0);
    run_text(&r, "odd[*]/main", STR_LIT("import a"));
    assert_string_equal(r.errors.p, "");
    assert_string_equal(r.tokens.p, "odd");
    run_fini(&r);
}

/* A cycle that no comparison of paths finds ends all the same. */
static void bounds_depth(void **state)
{
    struct run r;

    (void)state;
    run_in_folder(&r, "import sites/climb");
    assert_int_equal(r.rc, -1);
    assert_non_null(strstr(r.errors.p, ":1:1: imports are nested deeper than 100\n"));
    run_fini(&r);
}

static void lists_files(void **state)
{
    struct buf errors = BUF_INIT(65536);
    struct conf *c;

    (void)state;
    assert_int_equal(chdir(folder), 0);
    c = conf_parse("main", STR_LIT("http://a.com {\n(x) {\n}\n}\nimport snippets"), &fake_language,
                   &errors, NULL);
    assert_null(c);
    buf_clear(&errors);
    c = conf_parse("main", STR_LIT("import comment\nimport snippets\nimport comment\nhttp://a.com"),
                   &fake_language, &errors, NULL);
    assert_non_null(c);
    assert_int_equal(c->n_files, 3);
    assert_true(str_is(c->files[0], "main"));
    assert_true(str_is(c->files[1], "comment"));
    assert_true(str_is(c->files[2], "snippets"));
    conf_unref(c);
    buf_fini(&errors);
}

/* ---- bounds ---- */

static void put(struct buf *out, const char *s)
{
    assert_int_equal(buf_puts(out, s), 0);
}

/* s0 imports s1 twice, which imports s2 twice...: last is the body of the last one. */
static void put_bomb(struct buf *out, unsigned levels, const char *args, const char *last)
{
    for (unsigned i = levels; i > 0; i--) {
        char text[256];

        if (i == levels)
            snprintf(text, sizeof text, "(s%u) {\n%s\n}\n", i, last);
        else
            snprintf(text, sizeof text, "(s%u) {\nimport s%u %s\nimport s%u %s\n}\n", i, i + 1,
                     args, i + 1, args);
        put(out, text);
    }
}

static void check_bomb(const char *args, const char *last, const char *errors)
{
    struct buf text = BUF_INIT(1 << 20);
    struct run r;

    put_bomb(&text, 60, args, last);
    put(&text, "a.com\nimport s1 x");
    run_text(&r, "f", buf_str(&text));
    assert_int_equal(r.rc, -1);
    assert_string_equal(r.errors.p, errors);
    run_fini(&r);
    buf_fini(&text);
}

static void bounds_work(void **state)
{
    (void)state;
    /* 60 names with two braces each, 118 imports of two words, y y y, and the last two lines */
    check_bomb("", "y y y",
               "f:241:1: this and the imports before it make more than 184600 words\n");
    check_bomb("", "", "f:241:1: this and the imports before it make more than 184000 words\n");
    check_bomb("{args[0]}{args[0]}", "y",
               "f:241:1: arguments of imports make more than 67108864 bytes of text\n");
}

/* Each error once, however often its place is imported, and all in linear time. */
static void reports_once(void **state)
{
    struct buf text = BUF_INIT(1 << 22), errors = BUF_INIT(1 << 20), got = BUF_INIT(1 << 20);

    (void)state;
    put(&text, "(s) {\nrespnd\nredir\ntls {\nkey_typ p256\n}\n}\n");
    for (unsigned i = 0; i < 10000; i++)
        assert_int_equal(buf_printf(&text, "s%u.com {\nimport s\n}\n", i), 0);
    assert_null(conf_parse("f", buf_str(&text), &fake_language, &errors, NULL));
    keep_messages(&errors, &got);
    assert_string_equal(got.p, "f:2:1: unknown directive 'respnd'; did you mean 'respond'?\n"
                               "f:3:1: 'redir' needs at least 1 argument: redir TO [STATUS]\n"
                               "f:5:1: unknown tls option 'key_typ'; did you mean 'key_type'?\n");
    buf_fini(&text);
    buf_fini(&got);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expands),
        cmocka_unit_test(keeps_places),
        cmocka_unit_test(shares_text),
        cmocka_unit_test(imports_files),
        cmocka_unit_test(takes_folders_as_they_are),
        cmocka_unit_test(bounds_depth),
        cmocka_unit_test(lists_files),
        cmocka_unit_test(bounds_work),
        cmocka_unit_test(reports_once),
    };

    return cmocka_run_group_tests(tests, make_files, remove_files);
}
