/* The tree of a configuration: blocks, lines and braces. */
#include "conf/braces.h"
#include "conf/parser.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* tree: words parted by spaces, a block as {child;child}, top-level blocks parted by "/"; NULL: the
 * structure is doubtful. */
static const struct {
    const char *text;
    const char *tree;
    const char *errors;
} cases[] = {
    {"", "", ""},
    {"a.com", "a.com", ""},
    {"a.com\nx 1\ny", "a.com[x 1;y;]", ""},
    {"a.com {\nx 1\n}\n", "a.com{x 1;}", ""},
    {"a.com\n{\nx\n}\n", "a.com{x;}", ""},
    {"a.com, b.com {\n}", "a.com b.com{}", ""},
    {"a.com b.com,\nc.com {\n}", "a.com b.com c.com{}", ""},
    {"a.com , b.com {\n}", "a.com b.com{}", ""},
    {"{\nx\n}\na.com {\n}\nb.com {\n}", "{x;}/a.com{}/b.com{}", ""},
    {"a.com {\nx 1 {\ny {\nz\n}\n}\nw\n}", "a.com{x 1{y{z;};};w;}", ""},
    {"a.com {\nx \"{\"\ny `}`\n}", "a.com{x {;y };}", ""},
    {"a.com {\nx {a} {b c\n}", "a.com{x {a} {b c;}", ""},
    {"a.com\nx {\ny\n}\nz", "a.com[x{y;};z;]", ""},
    /* errors that leave a tree */
    {"a.com {\nx\n{\ny\n}\n}", "a.com{x{y;};}",
     "f:3:1: '{' must stand at the end of the line before\n"},
    {"a.com {\n{\ny\n}\nz\n}", "a.com{z;}",
     "f:2:1: '{' must stand at the end of the line before\n"},
    {"a.com {\nx { y\n}\n}", "a.com{x{y;};}",
     "f:2:5: unexpected 'y' after '{' on the same line: it belongs on the next\n"},
    {"a.com {\nx }\n", "a.com{x;}", "f:2:3: '}' must stand on a line of its own\n"},
    {"a.com {\nx\n} b.com {\ny\n}\n", "a.com{x;}/b.com{y;}",
     "f:3:3: unexpected 'b.com' after '}'\n"},
    {"a.com {\nx {\n} y\n}\n", "a.com{x{};y;}", "f:3:3: unexpected 'y' after '}'\n"},
    {"a.com {\nx {}\n}", "a.com{x {};}",
     "f:2:3: write an empty block as '{', a line end and '}'\n"},
    {"a.com {\n}\n{\nx\n}", "a.com{}/{x;}", "f:3:1: the block of global options must come first\n"},
    {"a.com, {\n}", "a.com{}", "f:1:1: an address must follow the comma\n"},
    {"a.com,", "a.com", "f:1:1: an address must follow the comma\n"},
    /* a brace is missing */
    {"a.com {\nx\n", NULL, "f:1:7: this '{' is never closed\n"},
    {"a.com {\nx {\n}\n", NULL, "f:1:7: this '{' is never closed\n"},
    {"a.com {\nx {\n", NULL, "f:2:3: this '{' is never closed\n"},
    {"a.com {\n\tx {\n\t\ty {\n\t\t\tz\n\t}\n}\nb.com {\n}\n", NULL,
     "f:3:5: this '{' is never closed\n"},
    {"{\nemail x\na.com {\n}\n", NULL, "f:1:1: this '{' is never closed\n"},
    /* one is too many */
    {"}\na.com", NULL, "f:1:1: unexpected '}': no block is open here\n"},
    {"a.com\nx\n}\ny", NULL, "f:3:1: unexpected '}': no block is open here\n"},
    {"a.com {\n}\n}\n", NULL,
     "f:3:1: unexpected '}': no block is open here, the one before was closed in line 2\n"},
    {"a.com {\n\tx {\n\t\ty\n\t}\n\t}\n\tz\n}\nb.com {\n}", NULL,
     "f:5:2: one '}' too many: by its place it is not that of the '{' in line 1, which it "
     "closes\n"},
    {"a.com{\nx\n}\n", NULL, "f:1:1: a blank is missing before the '{' that ends this word\n"},
    {"a.com {\n\tx{\n\t\ty\n\t}\n}\n", NULL,
     "f:2:2: a blank is missing before the '{' that ends this word\n"},
};

static void put(struct buf *out, const char *s)
{
    assert_int_equal(buf_puts(out, s), 0);
}

static void print_node(const struct node *node, struct buf *out)
{
    for (size_t i = 0; i < node->n_words; i++) {
        put(out, i > 0 ? " " : "");
        assert_int_equal(buf_append_str(out, node->words[i].text), 0);
    }
    if (!node->has_block && node->n_children == 0)
        return;
    put(out, node->has_block ? "{" : "[");
    for (size_t i = 0; i < node->n_children; i++) {
        print_node(&node->children[i], out);
        put(out, ";");
    }
    put(out, node->has_block ? "}" : "]");
}

/* The messages without their excerpts. */
static void print_messages(struct diag *d, struct buf *out)
{
    struct buf all = BUF_INIT(1 << 20);
    struct str rest;

    diag_print(d, &all, NULL);
    rest = buf_str(&all);
    while (rest.p != NULL) {
        struct str line = str_cut(&rest, '\n');

        if (str_starts(line, STR_LIT("f:"))) {
            assert_int_equal(buf_append_str(out, line), 0);
            put(out, "\n");
        }
    }
    put(out, "");
    buf_fini(&all);
}

static int parse(struct arena *a, struct diag *d, struct str text, struct nodes *out)
{
    struct lexemes lexemes;

    diag_source(d, STR_LIT("f"), text);
    *out = (struct nodes){NULL, 0};
    assert_int_equal(lexer_run(a, d, STR_LIT("f"), text, &lexemes), 0);
    return braces_match(a, d, &lexemes) == 0 ? parser_run(a, d, &lexemes, out) : -1;
}

static void builds_trees(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *a = arena_new();
        struct diag *d = diag_new(a);
        struct buf got = BUF_INIT(65536), messages = BUF_INIT(65536);
        struct nodes nodes;
        int rc = parse(a, d, str_of(cases[i].text), &nodes);

        print_messages(d, &messages);
        assert_string_equal(messages.p, cases[i].errors);
        for (size_t n = 0; n < nodes.n; n++) {
            put(&got, n > 0 ? "/" : "");
            print_node(&nodes.list[n], &got);
        }
        put(&got, "");
        if (cases[i].tree != NULL)
            assert_string_equal(got.p, cases[i].tree);
        assert_int_equal(rc, cases[i].tree == NULL ? -1 : 0);
        buf_fini(&got);
        buf_fini(&messages);
        arena_free(a);
    }
}

static void knows_closing_braces(void **state)
{
    struct arena *a = arena_new();
    struct nodes nodes;

    (void)state;
    assert_int_equal(parse(a, diag_new(a), STR_LIT("a.com {\n x {\n }\n}\n"), &nodes), 0);
    assert_int_equal(nodes.list[0].close.line, 4);
    assert_int_equal(nodes.list[0].children[0].close.line, 3);
    assert_int_equal(nodes.list[0].children[0].close.column, 2);
    arena_free(a);
}

/* Nesting is bounded, whatever the file. */
static void bounds_depth(void **state)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a);
    struct buf text = BUF_INIT(1 << 20), messages = BUF_INIT(65536);
    struct nodes nodes;

    (void)state;
    for (unsigned i = 0; i < 100000; i++)
        put(&text, "x {\n");
    for (unsigned i = 0; i < 100000; i++)
        put(&text, "}\n");
    assert_int_equal(parse(a, d, buf_str(&text), &nodes), -1);
    print_messages(d, &messages);
    assert_string_equal(messages.p, "f:33:3: blocks are nested deeper than 32\n");
    buf_fini(&text);
    buf_fini(&messages);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(builds_trees),
        cmocka_unit_test(knows_closing_braces),
        cmocka_unit_test(bounds_depth),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
