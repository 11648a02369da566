/* Quoted values, through the lexer and the compiler of texts, are what they were. */
#include "conf/quote.h"

#include "base/alloc.h"
#include "conf/lexer.h"
#include "conf/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const char *const values[] = {
    "",
    "plain",
    "two words",
    "say \"hi\"",
    "\"",
    "\\",
    "\\\\",
    "\\\\\\",
    "\\\"",
    "\\\\\"",
    "a\\",
    "C:\\dir\\",
    "`tick`",
    "{",
    "}",
    "{ }",
    "{}",
    "}{",
    "{{.Port}}",
    "{\"a\": {\"b\": [1, 2]}}",
    "a{color:red}",
    "${path}",
    "{host}",
    "{nonesuch}",
    "{args[0]}",
    "{block}",
    "{$HOME}",
    "{$QUOTE_TEST}",
    "{$QUOTE_TEST:x}",
    "{$",
    "{$}",
    "{$:",
    "{$:x}",
    "\\{$HOME}",
    "{{$HOME}}",
    "# no comment",
    "<<END",
    "<<END\nx\nEND",
    "a\nb\n",
    "\n",
    "\t tab",
    "a \\\n b",
    "import x",
    "/path",
    "*",
    "@name",
    "\xc3\xa4\xe2\x82\xac",
    "\xff\xfe",
    "http.request.host}",
    "{http.request.host",
    "{http.nonesuch}",
    "{http.request.uri\n}",
};

/* The one word that a text is. In a. */
static struct str read_word(struct arena *a, const struct buf *text)
{
    struct diag *d = diag_new(a);
    struct lexemes list;

    assert_int_equal(lexer_run(a, d, STR_LIT("quote"), buf_str(text), &list), 0);
    assert_int_equal(diag_errors(d), 0);
    assert_int_equal(list.n, 1);
    assert_true(list.list[0].token.quoted);
    return list.list[0].token.text;
}

static void assert_same(struct str expected, struct str actual)
{
    assert_int_equal(expected.len, actual.len);
    assert_memory_equal(expected.p, actual.p, actual.len);
}

static void check_word(struct str value)
{
    struct arena *a = arena_new();
    struct buf text = BUF_INIT(1 << 20);
    struct err e;

    assert_int_equal(quote_word(&text, value, &e), 0);
    assert_same(value, read_word(a, &text));
    buf_fini(&text);
    arena_free(a);
}

/* What a value is compiled to, which lives in a. */
static struct text compiled(struct arena *a, struct str value)
{
    struct buf word = BUF_INIT(1 << 20);
    struct text text;
    struct err e;

    assert_int_equal(quote_text(&word, value, &e), 0);
    assert_int_equal(text_compile(a, read_word(a, &word), NULL, &text, &e), 0);
    buf_fini(&word);
    return text;
}

static void test_values(void **state)
{
    (void)state;
    setenv("QUOTE_TEST", "\" }\n", 1);
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        check_word(str_of(values[i]));
}

/* A backslash before a brace is the one escape of texts. */
static void test_texts(void **state)
{
    (void)state;
    setenv("QUOTE_TEST", "\" }\n", 1);
    for (size_t i = 0; i < ARRAY_LEN(values); i++) {
        struct arena *a = arena_new();
        struct str expected = str_of(values[i]);
        struct text text = compiled(a, expected);

        if (str_starts(expected, STR_LIT("\\{")))
            expected = str_from(expected, 1);
        assert_true(text.constant);
        assert_same(expected, text_constant(&text));
        arena_free(a);
    }
}

/* All texts of up to 4 of these bytes. */
static void test_all_short(void **state)
{
    static const char bytes[] = "\\\"{$:}`<a \n";
    enum { N = sizeof bytes - 1, DEPTH = 4 };
    char value[DEPTH];
    size_t count = 1;

    (void)state;
    for (size_t len = 0; len <= DEPTH; len++, count *= N)
        for (size_t number = 0; number < count; number++) {
            for (size_t i = 0, rest = number; i < len; i++, rest /= N)
                value[i] = bytes[rest % N];
            check_word((struct str){value, len});
        }
}

static void test_placeholders(void **state)
{
    struct arena *a = arena_new();
    struct text text = compiled(a, STR_LIT("a {http.request.host}{host}{http.request.uri.path}"));

    (void)state;
    assert_int_equal(text.n_parts, 4);
    assert_same(STR_LIT("a "), text.parts[0].text);
    assert_int_equal(text.parts[1].kind, PH_HOST);
    assert_same(STR_LIT("{host}"), text.parts[2].text);
    assert_int_equal(text.parts[3].kind, PH_PATH);
    text = compiled(a, STR_LIT("\\{http.request.host} \\\\{http.request.host\\}"));
    assert_same(STR_LIT("{http.request.host} \\{http.request.host}"), text_constant(&text));
    setenv("QUOTE_TEST", "{host}", 1);
    text = compiled(a, STR_LIT("{env.QUOTE_TEST}"));
    assert_same(STR_LIT("{host}"), text_constant(&text));
    arena_free(a);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"a\rb", "\r", "\x1b[1m", "\x7f", "a\x01"};
    struct buf text = BUF_INIT(100), small = BUF_INIT(3);
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        assert_int_equal(quote_word(&text, str_of(bad[i]), &e), -1);
        assert_int_equal(e.code, ERR_INVALID);
        buf_clear(&text);
    }
    assert_int_equal(quote_text(&text, (struct str){"a\0b", 3}, &e), -1);
    assert_string_equal(e.msg, "control byte 0x00");
    assert_int_equal(quote_word(&small, STR_LIT("abc"), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_clear(&small);
    assert_int_equal(quote_text(&small, STR_LIT("{{{"), &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_fini(&text);
    buf_fini(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_texts),
        cmocka_unit_test(test_all_short), cmocka_unit_test(test_placeholders),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
