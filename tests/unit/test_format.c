/* The standard form of a configuration. */
#include "conf/format.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text;
    const char *formatted;
} cases[] = {
    /* spaces and line ends */
    {"", "\n"},
    {" \n\t\n", "\n"},
    {"a", "a\n"},
    {"  a   b\tc  \n", "a b c\n"},
    {"a\n\n\n\nb\n\n\n", "a\n\nb\n"},
    {"a\nb\n", "a\nb\n"},
    {"\xc2\xa0"
     "a\xc2\xa0 b",
     "a b\n"},
    {"\xef\xbb\xbf a", "\xef\xbb\xbf"
                       "a\n"},
    {"\n\xef\xbb\xbf"
     "a",
     "\xef\xbb\xbf\xef\xbb\xbf"
     "a\n"},
    {"a\r\nb {\r\n}\r\n", "a\nb {\n}\n"},
    {"a\r\r\n\rb", "a\nb\n"},
    /* blocks */
    {"a {\nb\n}", "a {\n\tb\n}\n"},
    {"  a {\n      b {\n  c\n}\n   }", "a {\n\tb {\n\t\tc\n\t}\n}\n"},
    {"a {\n}\nb {\n}", "a {\n}\nb {\n}\n"},
    {"a {\n\n\n\tb\n\n\n\tc\n\n}\n\n\n\nd {\n}\n", "a {\n\tb\n\n\tc\n}\n\nd {\n}\n"},
    {"{\n debug\n}\n:80 {\n}", "{\n\tdebug\n}\n:80 {\n}\n"},
    {"(x) {\n y {block}\n}", "(x) {\n\ty {block}\n}\n"},
    {"a,\n  b\n", "a,\nb\n"},
    {"a,\n  b   {\nc\n}", "a,\nb {\n\tc\n}\n"},
    /* a brace goes to the end of the line before it */
    {"a\n{\nb\n}", "a {\n\tb\n}\n"},
    {"a\n\n\n{\nb\n}", "a {\n\tb\n}\n"},
    {"a # c\n{\nb\n}", "a # c\n{\n\tb\n}\n"},
    {"# c\n\n{\nb\n}", "# c\n{\n\tb\n}\n"},
    {"import x\n{\ndebug\n}", "import x\n{\n\tdebug\n}\n"},
    {"import x\n\n\n{\ndebug\n}", "import x\n{\n\tdebug\n}\n"},
    {"import x {\ny\n}", "import x {\n\ty\n}\n"},
    {"a {\nimport x\n{\ny\n}\n}", "a {\n\timport x {\n\t\ty\n\t}\n}\n"},
    /* misplaced braces */
    {"a { b }", "a {\n\tb\n}\n"},
    {"a { }", "a {\n}\n"},
    {"a {\n} b", "a {\n}\n\nb\n"},
    {"a {\nb {\n} c\n}", "a {\n\tb {\n\t}\n\tc\n}\n"},
    {"a {\nb {\n} {\n}\n}", "a {\n\tb {\n\t}\n\t{\n\t}\n}\n"},
    {"{\n} {\n}", "{\n}\n\n{\n}\n"},
    {"{ {\n}\n}", "{\n\t{\n\t}\n}\n"},
    /* braces that are stuck to words, where pairs come of parting them, and where not */
    {"a{\nb\n}", "a {\n\tb\n}\n"},
    {"a {\nb\n}c{\nd\ne}", "a {\n\tb\n}\n\nc {\n\td\n\te\n}\n"},
    {"a{{\n}\n}", "a {\n\t{\n\t}\n}\n"},
    {"a{{  x\n}}", "a{{ x\n}}\n"},
    {":{$P}{\n}", ":{$P} {\n}\n"},
    {"\"a\"{\n}", "\"a\" {\n}\n"},
    {"a {\n{\n}}}", "a {\n\t{\n\t}\n}\n}\n"},
    {"a {\nb {\n}", "a {\n\tb {\n\t}\n"},
    {"a\n}\n}", "a\n}\n}\n"},
    {"a {\nb {c  {d\n}", "a {\n\tb {c {d\n}\n"},
    {"a {\nb x{ y}\n}", "a {\n\tb x{ y}\n}\n"},
    {"a\\{\n}", "a\\{\n}\n"},
    {"a {\n}\"b  {\"\n", "a {\n\t}\"b {\"\n"},
    /* words stay */
    {"a {b}  {c}d e{f}g {$H} {}", "a {b} {c}d e{f}g {$H} {}\n"},
    {"{a  b}", "{a b}\n"},
    {"a {$X:b  c  }d", "a {$X:b  c  }d\n"},
    {"a {$X:b  {\n}", "a {$X:b {\n}\n"},
    {"a ^/\\d{2}(x|y){1,3}$  b", "a ^/\\d{2}(x|y){1,3}$ b\n"},
    {"a b#c  #d  e", "a b#c #d  e\n"},
    {"a /#  b", "a /# b\n"},
    {"a \"b  #c\n\n\n { \" d", "a \"b  #c\n\n\n { \" d\n"},
    {"a \"b \\\"  c\"   d", "a \"b \\\"  c\" d\n"},
    {"a \"b\\\\\"   \"c  d\"", "a \"b\\\\\" \"c  d\"\n"},
    {"a \"{$X:\"  \"}  b\"", "a \"{$X:\"  \"}  b\"\n"},
    {"a `b  \"\\`   c", "a `b  \"\\` c\n"},
    {"a \"b\"c   \"d\"#  e", "a \"b\"c \"d\"#  e\n"},
    {"a b\"c   d\"", "a b\"c d\"\n"},
    {"a \"\"  ``", "a \"\" ``\n"},
    {"a \"b\r\n  c\"", "a \"b\n  c\"\n"},
    {"a \"never  closed\n\n\n  b", "a \"never  closed\n\n\n  b\n"},
    {"a \"never  closed\n\n", "a \"never  closed\n\n"},
    /* escapes */
    {"a \\\"b   c\"", "a \\\"b c\"\n"},
    {"a \\#  b", "a \\# b\n"},
    {"a \\\n\t\tb\nc\\\nd", "a \\\n b\nc\\\nd\n"},
    {"a \\  \r\n\n b", "a \\\n\nb\n"},
    {"a {\nb \\\n\t\t{\nc\n}\n}", "a {\n\tb \\\n {\n\t\tc\n\t}\n}\n"},
    {"a\n\\b", "a\n\\b\n"},
    {"a \\", "a \\"},
    {"a \\\xc2\xa0 \nb", "a \\\xc2\xa0\nb\n"},
    {"a { \\ }", "a {\n\t\\ }\n"},
    /* heredocs */
    {"a {\nb   <<END\n  x  {\n\n\n  y\n  END   200\n}",
     "a {\n\tb <<END\n  x  {\n\n\n  y\n  END 200\n}\n"},
    {"a <<E\nEE\n E\nb   c", "a <<E\nEE\n E\nb c\n"},
    {"a <<E\r\nx  y\r\nE\r\nb   c", "a <<E\nx  y\nE\nb c\n"},
    {"a <<E   b\nc   d\nE", "a <<E b\nc d\nE\n"},
    {"a <<E  \nb   c", "a <<E \nb c\n"},
    {"a \\<<E\nb   c", "a \\<<E\nb c\n"},
    {"a b<<E\nc   d", "a b<<E\nc d\n"},
    {"a <<\nb   c", "a <<\nb c\n"},
    {"a {\nb <<E }", "a {\n\tb <<E \n}\n"},
    {"a <<E", "a <<E \n"},
    {"a <<E\n E,  b\nc   d", "a <<E\n E, b\nc d\n"},
    {"a\xe3\x80\x80\"b  c\"", "a \"b  c\"\n"},
    {"a <<E\n  never  closed {", "a <<E\n  never  closed {\n"},
    /* comments */
    {"#a   b", "#a   b\n"},
    {"a   #  b  \nc", "a #  b  \nc\n"},
    {"a #  b \r\nc #\r", "a #  b \nc #\n"},
    {"a {#b\n}", "a {#b\n}\n"},
    {"a { # b\nc\n}", "a {\n\t# b\n\tc\n}\n"},
    {"a {\n# b\n\n\n}", "a {\n\t# b\n}\n"},
    {"# a\n\n\n\n\nb", "# a\n\n\nb\n"},
    {"# a\n# b\n\n# c", "# a\n# b\n\n# c\n"},
    {"a {\nb {\n}  # c\nd {\ne {\n} # f\n}\n} # g",
     "a {\n\tb {\n\t}\t# c\n\td {\n\t\te {\n\t\t}\t\t# f\n\t}\n}\n\n# g\n"},
    {"# a \\\nb", "# a \\\nb\n"},
    {"# }\na {\n# {\n}", "# }\na {\n\t# {\n}\n"},
};

static void check(const char *text, const char *formatted)
{
    struct buf out = BUF_INIT(65536);

    assert_int_equal(format_text(str_of(text), &out), 0);
    if (strcmp(out.p, formatted) != 0)
        print_message("%s\n", text);
    assert_string_equal(out.p, formatted);
    buf_fini(&out);
}

static void formats(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].text, cases[i].formatted);
}

static void changes_nothing_twice(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        check(cases[i].formatted, cases[i].formatted);
}

static void keeps_zero_bytes(void **state)
{
    struct buf out = BUF_INIT(64);

    (void)state;
    assert_int_equal(format_text((struct str){"a\0b  }\0", 7}, &out), 0);
    assert_int_equal(out.len, 7);
    assert_memory_equal(out.p, "a\0b }\0\n", 7);
    buf_fini(&out);
}

static void has_a_ceiling(void **state)
{
    struct buf out = BUF_INIT(8);

    (void)state;
    assert_int_equal(format_text(STR_LIT("a b c d\n"), &out), 0);
    buf_clear(&out);
    assert_int_equal(format_text(STR_LIT("a b c de\n"), &out), -1);
    buf_fini(&out);
}

/* What would be quadratic if words were looked at again for each brace or "{$" in them, or if
 * indentation had no end. */
static void is_linear(void **state)
{
    static const char *const parts[] = {"{",     "}",   "{$",  "{ ",    "} ",
                                        "}}{{ ", "{{}", "\\ ", "<<E\n", "\"{$a"};
    enum { TIMES = 300000 };

    (void)state;
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct buf text = BUF_INIT(16 << 20), out = BUF_INIT(64 << 20);

        for (int n = 0; n < TIMES; n++)
            assert_int_equal(buf_puts(&text, parts[i]), 0);
        assert_int_equal(format_text(buf_str(&text), &out), 0);
        buf_fini(&text);
        buf_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(formats),          cmocka_unit_test(changes_nothing_twice),
        cmocka_unit_test(keeps_zero_bytes), cmocka_unit_test(has_a_ceiling),
        cmocka_unit_test(is_linear),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
