/* Tokens of the configuration language, with their places. */
#include "conf/lexer.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* tokens: each as line:column:text, "+" before one that is not the first of its line, "q" after
 * the column of a quoted one; parted by "|". errors: as printed, or "". */
static const struct {
    const char *text;
    const char *tokens;
    const char *errors;
} cases[] = {
    {"", "", ""},
    {" \n\t\n", "", ""},
    {"a b\nc", "1:1:a|+1:3:b|2:1:c", ""},
    {"\ta  b\r\nc\r\n", "1:2:a|+1:5:b|2:1:c", ""},
    {"\xef\xbb\xbf"
     "a b",
     "1:1:a|+1:3:b", ""},
    {"\xc3\xa4\xe2\x82\xac x", "1:1:\xc3\xa4\xe2\x82\xac|+1:4:x", ""},
    {"a\xc2\xa0"
     "b",
     "1:1:a|+1:3:b", ""},
    {"a\xe2\x80\nb \xe2\x80\x8a"
     "c",
     "1:1:a\xe2\x80|2:1:b|+2:4:c", ""},
    {"# all\na # rest\n#\nb#c", "2:1:a|4:1:b#c", ""},
    {"a \"b c\" d", "1:1:a|+1:3q:b c|+1:9:d", ""},
    {"\"a\"b", "1:1q:a|+1:4:b", ""},
    {"a\"b\"", "1:1:a\"b\"", ""},
    {"\"\" x", "1:1q:|+1:4:x", ""},
    {"\"a\\\"b\" c", "1:1q:a\"b|+1:8:c", ""},
    {"\"a\\b\\\\\"", "1:1q:a\\b\\\\", ""},
    {"\"a\nb\" c\nd", "1:1q:a\nb|+2:4:c|3:1:d", ""},
    {"\"a\r\nb\"", "1:1q:a\nb", ""},
    {"`a\\\"\"b` c", "1:1q:a\\\"\"b|+1:9:c", ""},
    {"`a\nb`", "1:1q:a\nb", ""},
    {"a \\\n b\nc", "1:1:a|+2:2:b|3:1:c", ""},
    {"a\\\nb", "1:1:a|+2:1:b", ""},
    {"a \\  \r\n b", "1:1:a|+2:2:b", ""},
    {"a\\b \\{x", "1:1:a\\b|+1:5:\\{x", ""},
    {"a \\", "1:1:a|+1:3:\\", ""},
    {"{ }", "1:1:{|+1:3:}", ""},
    {"\"{\"", "1:1q:{", ""},
    /* the environment */
    {"x{$LEXER_A}y z", "1:1:xoney|+1:14:z", ""},
    {"{$LEXER_A} {$LEXER_TWO}", "1:1:one|+1:12:two|+1:12:words", ""},
    {"{$LEXER_NONE:a b} c", "1:1:a|+1:1:b|+1:19:c", ""},
    {"{$LEXER_A:b}", "1:1:one", ""},
    {"{$LEXER_NONE} c", "1:15:c", ""},
    {"\"{$LEXER_QUOTE}\" c", "1:1q:say \"hi\"|+1:18:c", ""},
    {"`{$LEXER_A}`", "1:1q:one", ""},
    {"# {$LEXER_TWO}\na", "2:1:a", ""},
    {"{$} {$a", "1:1:{$}|+1:5:{$a", ""},
    {"{$LEXER_NESTED}", "1:1:{$LEXER_A}", ""},
    {"{$LEXER_WORDS} c", "1:1q:a b|+1:1:c|+1:16:c", ""},
    {"{$LEXER_LINES} c", "1:1:a|1:1:b|+1:16:c", ""},
    {"{$LEXER_HEREDOC} c", "1:1q:x y|+1:1:d|+1:18:c", ""},
    {"x {$LEXER_COMMENT} c\nd", "1:1:x|2:1:d", ""},
    {"{$LEXER_NONE:{$LEXER_A}}", "1:1:{$LEXER_A}", ""},
    /* white space beyond ASCII */
    {"a\xe3\x80\x80"
     "b\xe2\x80\x83"
     "c\xe2\x80\x8b",
     "1:1:a|+1:3:b|+1:5:c\xe2\x80\x8b", ""},
    /* escapes */
    {"a\\\nb\\\nc\nd", "1:1:a|+2:1:b|+3:1:c|4:1:d", ""},
    {"\"a\\\nb\" c", "1:1q:a\\\nb|+2:4:c", ""},
    {"a\\\"b\\\" c", "1:1:a\\\"b\\\"|+1:8:c", ""},
    {"\"C:\\php\\x.exe\" \"`a` b\"", "1:1q:C:\\php\\x.exe|+1:16q:`a` b", ""},
    /* heredocs */
    {"a <<EOF\nx\nEOF b\nc", "1:1:a|+1:3q:x|+3:5:b|4:1:c", ""},
    {"a <<LONG-mark_1\nx\nLONG-mark_1 b", "1:1:a|+1:3q:x|+3:13:b", ""},
    {"a <<EOF\nx\n\nEOF b", "1:1:a|+1:3q:x\n|+4:5:b", ""},
    {"a <<EOF\nEOF\n\tb c", "1:1:a|+1:3q:|3:2:b|+3:4:c", ""},
    {"a <<EOF\n\t\tEOF b", "1:1:a|+1:3q:|+2:7:b", ""},
    {"a <<EOF\n\t\tx\n\t y\n\n\tEOF\nb", "1:1:a|+1:3q:\tx\n y\n|6:1:b", ""},
    {"a <<EOF\r\n x\r\n\r\n y\r\n EOF\r\nb", "1:1:a|+1:3q:x\n\ny|6:1:b", ""},
    {"<<EOF\n\"x\" `y` # {\nx EOF\nEOFX\nEOF", "1:1q:\"x\" `y` # {\nx EOF\nEOFX", ""},
    {"<<EOF\n\t\nx\nEOF", "1:1q:\t\nx", ""},
    {"<<EOF\n\\\nx\\<<y\nEOF}", "1:1q:\\\nx\\<<y|+4:4:}", ""},
    {"<<EOF\n  {$LEXER_A} {$LEXER_LINES}\n  {$LEXER_NONE}\n  EOF", "1:1q:one \na\nb\n", ""},
    {"<<EOF\n\xc3\xa4\nEOF x", "1:1q:\xc3\xa4|+3:5:x", ""},
    {"a \\<< >>", "1:1:a|+1:3:<<|+1:7:>>", ""},
    {"\\<<EOF\nb", "1:1:<<EOF|2:1:b", ""},
    {"a <EOF\nb", "1:1:a|+1:3:<EOF|2:1:b", ""},
    {"a <<<EOF b", "1:1:a|+1:3:<<<EOF|+1:10:b", ""},
    {"\"<<\" `<<`\nb", "1:1q:<<|+1:6q:<<|2:1:b", ""},
    {"a << >>\n", "1:1:a|+1:3:<<|+1:6:>>", ""},
    {"a <<X Y\nb", "1:1:a|+1:3:<<X|+1:7:Y|2:1:b", ""},
    {"a<<X\nb", "1:1:a<<X|2:1:b", ""},
    {"a <<X", "1:1:a|+1:3:<<X", ""},
    /* errors */
    {"a <<\nx", NULL,
     "f:1:3: a heredoc needs a marker, as in '<<END'; '\\<<' is that text itself\n"
     "    a <<\n"
     "      ^\n"},
    {"a <<<EOF\nx\nEOF", NULL,
     "f:1:3: a heredoc begins with two '<', as in '<<END'\n"
     "    a <<<EOF\n"
     "      ^\n"},
    {"a <<b>c\nx\n", NULL,
     "f:1:3: the marker of a heredoc has only letters, digits, '-' and '_': not 'b>c'; '\\<<' is "
     "that text itself\n"
     "    a <<b>c\n"
     "      ^\n"},
    {"a <<EOF\nx\n EOG\nx EOF\n", NULL,
     "f:1:3: this heredoc is never closed: a line that begins with 'EOF' must end it\n"
     "    a <<EOF\n"
     "      ^\n"},
    {"\na <<EOF\n\t\tx\n\ty\n\t\tEOF\n", NULL,
     "f:4:2: the closing 'EOF' in line 5 is indented by more or other blanks than this line: each "
     "line of a heredoc must begin as that one\n"
     "    \ty\n"
     "    \t^\n"},
    {"a <<EOF\n        x\n\tEOF\n", NULL,
     "f:2:1: the closing 'EOF' in line 3 is indented by more or other blanks than this line: each "
     "line of a heredoc must begin as that one\n"
     "            x\n"
     "    ^\n"},
    {"a <<EOF\n\t\tx\n\t\n\t\tEOF\n", NULL,
     "f:3:2: the closing 'EOF' in line 4 is indented by more or other blanks than this line: each "
     "line of a heredoc must begin as that one\n"
     "    \t\n"
     "    \t^\n"},
    {"a <<EOF\nx\x01y\nEOF", "1:1:a|+1:3q:xy",
     "f:2:2: control byte 0x01\n"
     "    x?y\n"
     "     ^\n"},
    {"{$LEXER_OPEN}\"", NULL,
     "f:1:1: this quote is never closed\n"
     "    {$LEXER_OPEN}\"\n"
     "    ^\n"},
    {"a \"b\nc", NULL,
     "f:1:3: this quote is never closed\n"
     "    a \"b\n"
     "      ^\n"},
    {"x\n `b", NULL,
     "f:2:2: this quote is never closed\n"
     "     `b\n"
     "     ^\n"},
    {"a\x01"
     "b \x7f\n",
     "1:1:ab",
     "f:1:2: control byte 0x01\n"
     "    a?b ?\n"
     "     ^\n"
     "f:1:5: control byte 0x7f\n"
     "    a?b ?\n"
     "        ^\n"},
    {"a\rb", "1:1:ab",
     "f:1:2: control byte 0x0d\n"
     "    a?b\n"
     "     ^\n"},
    {"# \x1b[0m\n", "",
     "f:1:3: control byte 0x1b\n"
     "    # ?[0m\n"
     "      ^\n"},
    {"\t\xc3\xa4 \"\x02\"", "1:2:\xc3\xa4|+1:4q:",
     "f:1:5: control byte 0x02\n"
     "    \t\xc3\xa4 \"?\"\n"
     "    \t   ^\n"},
};

static void print_tokens(const struct lexemes *lexemes, struct buf *out)
{
    for (size_t i = 0; i < lexemes->n; i++) {
        const struct lexeme *l = &lexemes->list[i];

        assert_int_equal(buf_printf(out, "%s%s%u:%u%s:" STR_FMT, i > 0 ? "|" : "",
                                    l->starts_line ? "" : "+", l->token.line, l->token.column,
                                    l->token.quoted ? "q" : "", STR_ARG(l->token.text)),
                         0);
    }
    assert_int_equal(buf_puts(out, ""), 0);
}

static void check(struct str text, const char *tokens, const char *errors)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a);
    struct buf got = BUF_INIT(65536), printed = BUF_INIT(65536);
    struct lexemes lexemes;
    int rc;

    diag_source(d, STR_LIT("f"), text);
    rc = lexer_run(a, d, STR_LIT("f"), text, &lexemes);
    if (rc != (tokens == NULL ? -1 : 0))
        fail_msg("%.*s: %d", (int)text.len, text.p, rc);
    if (tokens != NULL) {
        print_tokens(&lexemes, &got);
        assert_string_equal(got.p, tokens);
    }
    diag_print(d, &printed, NULL);
    assert_string_equal(printed.p == NULL ? "" : printed.p, errors);
    buf_fini(&got);
    buf_fini(&printed);
    arena_free(a);
}

static void reads_tokens(void **state)
{
    (void)state;
    setenv("LEXER_A", "one", 1);
    setenv("LEXER_TWO", "two words", 1);
    setenv("LEXER_QUOTE", "say \"hi\"", 1);
    setenv("LEXER_NESTED", "{$LEXER_A}", 1);
    setenv("LEXER_WORDS", "\"a b\" c", 1);
    setenv("LEXER_LINES", "\na\nb", 1);
    setenv("LEXER_HEREDOC", "<<X\nx y\nX d", 1);
    setenv("LEXER_COMMENT", "# y", 1);
    setenv("LEXER_OPEN", "\"", 1);
    unsetenv("LEXER_NONE");
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(str_of(cases[i].text), cases[i].tokens, cases[i].errors);
}

/* What looks like a heredoc but for blanks that one does not see. */
static void warns_of_blanks(void **state)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a);
    struct buf printed = BUF_INIT(65536);
    struct lexemes lexemes;

    (void)state;
    assert_int_equal(lexer_run(a, d, STR_LIT("f"), STR_LIT("a <<EOF \nx\nEOF\n"), &lexemes), 0);
    assert_int_equal(lexemes.n, 4);
    diag_print(d, NULL, &printed);
    assert_string_equal(printed.p,
                        "f:1:3: warning: this is no heredoc: blanks follow its marker\n");
    buf_fini(&printed);
    arena_free(a);
}

static void refuses_nul(void **state)
{
    (void)state;
    check((struct str){"a\0b", 3}, "1:1:ab", "f:1:2: control byte 0x00\n    a?b\n     ^\n");
}

/* A message shows a part of a very long line, with the caret below the right character. */
static void cuts_long_lines(void **state)
{
    char text[1002];
    struct arena *a = arena_new();
    struct diag *d = diag_new(a);
    struct buf printed = BUF_INIT(65536);
    struct token at = {.file = STR_LIT("f"), .line = 1, .column = 501};

    (void)state;
    memset(text, 'x', 1001);
    text[500] = 'Y';
    diag_source(d, STR_LIT("f"), (struct str){text, 1001});
    diag_error(d, &at, "here");
    diag_print(d, &printed, NULL);
    assert_true(printed.len < 400);
    {
        const char *line = strchr(printed.p, '\n') + 1, *caret_line = strchr(line, '\n') + 1;

        assert_int_equal(line[strchr(caret_line, '^') - caret_line], 'Y');
    }
    buf_fini(&printed);
    arena_free(a);
}

static void bounds_errors(void **state)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new(a);
    struct buf printed = BUF_INIT(65536);

    (void)state;
    for (unsigned i = 1; i <= DIAG_MAX + 7; i++) {
        struct token at = {.file = STR_LIT("f"), .line = i, .column = 1};

        diag_error(d, &at, "wrong");
    }
    assert_int_equal(diag_errors(d), DIAG_MAX + 7);
    diag_print(d, &printed, NULL);
    assert_non_null(strstr(printed.p, "\n... and 7 more\n"));
    buf_fini(&printed);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_tokens),  cmocka_unit_test(warns_of_blanks),
        cmocka_unit_test(refuses_nul),   cmocka_unit_test(cuts_long_lines),
        cmocka_unit_test(bounds_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
