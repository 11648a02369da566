/* Expressions: what they say about requests, and where they are wrong. */
#include "conf_fixture.h"
#include "handlers/file_match.h"
#include "http/cel.h"
#include "http/vars.h"
#include "matcher_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct matcher_type *const *const tables[] = {http_matcher_table, file_match_matchers,
                                                           NULL};
static const struct language language = {.directives = fake_tables, .matchers = tables};

enum { NO, YES, FAILS }; /* FAILS: 500 */

static const struct {
    const char *expression;
    const char *request;
    int verdict;
} rows[] = {
    /* literals, operators */
    {"true", "GET /", YES},
    {"false", "GET /", NO},
    {"!false", "GET /", YES},
    {"!!true", "GET /", YES},
    {"true && false", "GET /", NO},
    {"true || false", "GET /", YES},
    {"false || false || true", "GET /", YES},
    {"true || false && false", "GET /", YES},
    {"(true || false) && false", "GET /", NO},
    {"1 == 1", "GET /", YES},
    {"1 != 1", "GET /", NO},
    {"1 < 2 && 2 <= 2 && 3 > 2 && 3 >= 3", "GET /", YES},
    {"'a' < 'b'", "GET /", YES},
    {"'a' + 'b' == 'ab'", "GET /", YES},
    {"1 + 2 * 3 == 7", "GET /", YES},
    {"(1 + 2) * 3 - 10 == -1", "GET /", YES},
    {"7 / 2 == 3 && 7 % 2 == 1", "GET /", YES},
    {"-5 < -4", "GET /", YES},
    {"true ? false : true", "GET /", NO},
    {"(1 > 2 ? 'a' : 'b') == 'b'", "GET /", YES},
    {"false ? false : true ? true : false", "GET /", YES},
    {"1 in [1, 2]", "GET /", YES},
    {"'c' in ['a', 'b',]", "GET /", NO},
    {"1 in []", "GET /", NO},
    {"!(1 in [1, 2])", "GET /", NO},
    {"null == null", "GET /", YES},
    {"'a' == null", "GET /", NO},
    {"true == true", "GET /", YES},
    /* texts */
    {"\"a\" == 'a'", "GET /", YES},
    {"'\\n\\t\\x41\\u00e4\\U0001f600' == '\\n\\t\\u0041\xc3\xa4\xf0\x9f\x98\x80'", "GET /", YES},
    {"'it\\'s' == \"it's\"", "GET /", YES},
    {"r'\\n' == '\\\\n'", "GET /", YES},
    {"'\\.' == r'\\.'", "GET /", YES}, /* no escape: as people write it in regular expressions */
    {"'\\{path}' == '{' + 'path}'", "GET /", YES},
    {"size('\\u00e4b') == 2", "GET /", YES},
    /* methods */
    {"'abc'.startsWith('ab')", "GET /", YES},
    {"'abc'.startsWith('b')", "GET /", NO},
    {"'abc'.endsWith('bc')", "GET /", YES},
    {"'abc'.contains('b')", "GET /", YES},
    {"'abc'.contains('')", "GET /", YES},
    {"'abc'.matches('^a.c$')", "GET /", YES},
    {"'abc'.matches('b')", "GET /", YES},
    {"matches('abc', 'x')", "GET /", NO},
    {"'abc'.size() == 3", "GET /", YES},
    {"['a', 'b'].size() == 2", "GET /", YES},
    {"size([]) == 0", "GET /", YES},
    {"'AbC'.lowerAscii() == 'abc'", "GET /", YES},
    {"'AbC'.upperAscii() == 'ABC'", "GET /", YES},
    {"' a\\t'.trim() == 'a'", "GET /", YES},
    {"' A'.trim().lowerAscii().startsWith('a')", "GET /", YES},
    {"int('42') == 42", "GET /", YES},
    {"int('-42') == -42", "GET /", YES},
    {"int('x') == 1", "GET /", FAILS},
    {"string(42) == '42'", "GET /", YES},
    {"string(true) == 'true'", "GET /", YES},
    /* placeholders */
    {"{method} == 'GET'", "GET /", YES},
    {"{http.request.method} == \"GET\"", "GET /", YES},
    {"{method}.startsWith(\"P\")", "PUT /", YES},
    {"{method}.startsWith(\"P\")", "GET /", NO},
    {"{method} in ['GET', 'HEAD']", "HEAD /", YES},
    {"{path}.startsWith('/api/') && {method} == 'GET'", "GET /api/x", YES},
    {"{header.X} == 'a'", "GET /|X: a", YES},
    {"{header.X-Y_Z} == 'a'", "GET /|X-Y_Z: a", YES},
    {"{header.X} != ''", "GET /", NO},
    {"{header.X} == null", "GET /", YES},
    {"{header.X} == 5", "GET /|X: 5", YES},
    {"{header.X} == 5", "GET /|X: 50", NO},
    {"{header.X} == 5", "GET /|X: a", NO},
    {"{header.X} > 5", "GET /|X: 10", YES}, /* a number, not a text */
    {"{header.X} > 5", "GET /|X: a", FAILS},
    {"{header.X} < 'b'", "GET /|X: a", YES},
    {"{header.X} + 1 == 6", "GET /|X: 5", YES},
    {"int({header.X}) == 5", "GET /|X: 5", YES},
    {"{header.X} == true", "GET /|X: true", YES},
    {"{header.X} && true", "GET /|X: true", YES},
    {"{header.X} && true", "GET /|X: x", FAILS},
    {"{header.X} in [404, 410]", "GET /|X: 410", YES},
    {"{header.X} in [404, 410]", "GET /|X: 411", NO},
    {"{host} == {header.X}", "GET http://a.test/|X: a.test", YES},
    {"{host} + ':' + {scheme} == 'a.test:http'", "GET http://a.test/", YES},
    {"({path} + '/').endsWith('//')", "GET /a/", YES},
    {"{query}.contains('a=1')", "GET /?a=1", YES},
    /* what decides does, though another part fails */
    {"int('x') == 1 || true", "GET /", YES},
    {"int('x') == 1 && false", "GET /", NO},
    {"true || int('x') == 1", "GET /", YES},
    {"!(int('x') == 1)", "GET /", FAILS},
    {"1 / 0 == 1", "GET /", FAILS},
    {"9223372036854775807 + 1 > 0", "GET /", FAILS},
    /* matchers */
    {"path('/a*')", "GET /abc", YES},
    {"path('/foo', '/bar/*')", "GET /bar/x", YES},
    {"path('/foo', '/bar/*')", "GET /x", NO},
    {"!path('/a')", "GET /a", NO},
    {"path('/' + 'a')", "GET /a", YES},
    {"path({header.X})", "GET /a|X: /a", YES},
    {"path('/' + {header.X} + '/*')", "GET /a/b|X: a", YES},
    {"path('/\\{header.X}')", "GET /a|X: a", YES},
    {"path('/{header.X}')", "GET /a|X: a", YES},
    {"path_regexp('^/user/(\\w*)') || path_regexp('^/(\\w*)')", "GET /x", YES},
    {"path_regexp('\\.([a-f0-9]{6})\\.(css|js)$')", "GET /a.b0c1d2.css", YES},
    {"path_regexp('name', '^/a')", "GET /a", YES},
    {"method('GET', 'HEAD')", "HEAD /", YES},
    {"host('a.test', '*.b.test')", "GET http://x.b.test/", YES},
    {"header({'X': 'a'})", "GET /|X: a", YES},
    {"header({'X': 'a'})", "GET /|X: b", NO},
    {"header({'X': ['a', 'b']})", "GET /|X: b", YES},
    {"header({'X': 'a', 'Y': '*b*'})", "GET /|X: a|Y: abc", YES},
    {"header({'X': '\\\\\\{foobar}'})", "GET /|X: {foobar}", YES},
    {"header({'X': '\\{path}'})", "GET /foo|X: /foo", YES},
    {"header({'!X': []})", "GET /", YES},
    {"header_regexp('X', 'fo{2}')", "GET /|X: foo", YES},
    {"header_regexp('n', 'X', 'fo{2}')", "GET /|X: foo", YES},
    {"query({'a': '1'})", "GET /?a=1", YES},
    {"query({'a': ['1', '2'], \"b\": '*'})", "GET /?a=2&b", YES},
    {"query({'a': ['0', {query}]})", "GET /?a=1", NO},
    {"protocol('https')", "GET https://a.test/", YES},
    {"protocol('HTTPs')", "GET https://a.test/", YES},
    {"remote_ip('10.0.0.0/8', '192.0.2.1')", "GET /", YES},
    {"client_ip('private_ranges')", "GET /", NO},
    {"vars({'x': ['3', '5']})", "GET /|@var: vars.x=5", YES},
    {"vars({'\\{path}': '/foo'})", "GET /foo", YES},
    {"vars_regexp('x', '^(4.*)')", "GET /|@var: vars.x=42", YES},
    {"file({'root': '/', 'try_files': ['/nonexistent', {path} + 'c/passwd']})", "GET /et", YES},
    {"file('/nonexistent')", "GET /", NO},
    {"file()", "GET /nonexistent", NO},
};

static void evaluates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf definition = BUF_INIT(4096);
        const char *quote =
            str_chr(str_of(rows[i].expression), '`') < strlen(rows[i].expression) ? "\"" : "`";
        int error, want = rows[i].verdict;
        bool verdict;

        assert_int_equal(buf_printf(&definition, "%s%s%s", quote, rows[i].expression, quote), 0);
        verdict = matcher_rig_run(definition.p, &language, rows[i].request, &error);
        if (verdict != (want == YES) || error != (want == FAILS ? 500 : 0))
            fail_msg("%s: %s: %d, %d", rows[i].expression, rows[i].request, verdict, error);
        buf_fini(&definition);
    }
}

/* As the arguments of "expression", quoted or not, in several lines, in blocks. */
static const struct {
    const char *definition;
    const char *request;
    bool verdict;
} forms[] = {
    {"expression {method}.startsWith(\"P\")", "PUT /", true},
    {"expression {method} == \"GET\"", "GET /", true},
    {"expression {method} == \"G E\"", "GET /", false},
    {"expression path('/a') || path('/b')", "GET /b", true},
    {"expression `path('/a') || path('/b')`", "GET /b", true},
    {"`path('/a')\n|| path('/b')`", "GET /b", true},
    {"<<CEL\n\t{method} == \"GET\"\n\t&& {path}.startsWith(\"/api/\")\n\tCEL", "GET /api/", true},
    {"{\nexpression path('/a*')\nexpression path('*b')\n}", "GET /ab", true},
    {"{\nexpression path('/a*')\nexpression path('*b')\n}", "GET /a", false},
    {"{\n`path('/a*')`\nmethod GET\n}", "GET /ab", true},
    {"not `path('/a*')`", "GET /ab", false},
    {"not expression path('/a*')", "GET /ab", false},
    {"not {\n`path('/a*')`\n}", "GET /b", true},
};

static void takes_all_forms(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        int error;

        if (matcher_rig_run(forms[i].definition, &language, forms[i].request, &error) !=
            forms[i].verdict)
            fail_msg("%s: %s", forms[i].definition, forms[i].request);
    }
}

/* Captures are called after the named matcher. */
static void catches(void **state)
{
    struct matcher_rig rig = matcher_rig_new("`path_regexp('^/(a+)')`", &language);
    struct arena *a = arena_new();
    struct exchange ex;

    (void)state;
    matcher_rig_exchange(&ex, a, "GET /aab");
    assert_true(matcher_matches(rig.matcher, &ex));
    assert_true(str_is(vars_get(&ex, STR_LIT("re.m.1")), "aa"));
    arena_free(a);
    matcher_rig_free(&rig);
}

/* A status of the file matcher passes through, unless another part decides. */
static void passes_statuses(void **state)
{
    int error;

    (void)state;
    assert_false(matcher_rig_run("`file('/nonexistent', '=410')`", &language, "GET /", &error));
    assert_int_equal(error, 410);
    assert_true(
        matcher_rig_run("`file('/nonexistent', '=410') || true`", &language, "GET /", &error));
    assert_int_equal(error, 0);
}

/* The definition of @m begins in column 4 of line 2. */
static const struct {
    const char *definition;
    const char *message;
} errors[] = {
    {"`1`", "2:5: the expression is a number, and should be a condition"},
    {"`{path}`", "2:5: the expression is a placeholder, and should be a condition"},
    {"``", "2:5: the expression ends where a value should follow"},
    {"`true &&`", "2:12: the expression ends where a value should follow"},
    {"`true & true`", "2:10: '&' is no operator: write '&&'"},
    {"`{path} = 'a'`", "2:12: '=' is no operator: write '=='"},
    {"`true true`", "2:10: here should be an operator, or the end, not 'true'"},
    {"`(true`", "2:10: the expression ends where ')' should follow"},
    {"`true)`", "2:9: here should be an operator, or the end, not ')'"},
    {"`'a`", "2:5: this quote is never closed"},
    {"`path`", "2:5: 'path' is no value: a placeholder is written {name}, a text in quotes, and a "
               "function has its arguments in parentheses"},
    {"`pth('/a')`", "2:5: unknown function 'pth'; did you mean 'path'?"},
    {"`true || not('/a')`", "2:13: unknown function 'not'"},
    {"`has({path})`", "2:5: unknown function 'has'"},
    {"`'a'.startswith('b')`", "2:9: unknown method 'startswith'; did you mean 'startsWith'?"},
    {"`'a'.exists('b')`", "2:9: unknown method 'exists': there are startsWith, endsWith, contains, "
                          "matches, size, lowerAscii, upperAscii, trim"},
    {"`'a'.startsWith()`", "2:9: 'startsWith' takes 1 argument"},
    {"`'a'.startsWith(1)`", "2:20: 'startsWith' takes a text here, and this is a number"},
    {"`1.5 == 1`", "2:5: only whole decimal numbers are supported"},
    {"`99999999999999999999 == 1`", "2:5: this number is too large"},
    {"`b'a' == 'a'`", "2:5: texts of bytes, b'...', are not supported"},
    {"`'''a''' == 'a'`", "2:5: texts in triple quotes are not supported: use one quote"},
    {"`'a' == 1`", "2:9: a text is compared with a number"},
    {"`1 == true`", "2:7: a number is compared with a condition"},
    {"`'a' + 1 == 'a1'`", "2:5: this is a text, and should be a number"},
    {"`1 && true`", "2:5: this is a number, and should be a condition"},
    {"`true || 'a'`", "2:13: this is a text, and should be a condition"},
    {"`!1`", "2:6: this is a number, and should be a condition"},
    {"`-'a' == 1`", "2:6: this is a text, and should be a number"},
    {"`true < false`", "2:5: this is a condition, and should be a number or a text"},
    {"`1 in 1`", "2:10: this is a number, and should be a list: ['a', 'b']"},
    {"`['a'][0] == 'a'`", "2:10: elements by their index are not supported"},
    {"`true ? 1 : 'a'`", "2:10: the values of '?' and ':' are a number and a text: they have to be "
                         "alike"},
    {"`{'a': 1} == 1`", "2:5: this is a map, and should be a text, a number or a condition"},
    {"`{nope.x} == 'a'`", "2:5: '{nope.x}' is no placeholder"},
    {"`'{path}' == '/a'`", "2:5: a placeholder stands outside of quotes, joined by '+'; '\\{' is a "
                           "brace itself"},
    {"`{path}.matches({path})`", "2:20: a regular expression is a text in quotes"},
    {"`{path}.matches('(')`", "2:20: the regular expression is not valid at its byte 1: missing "
                              "closing parenthesis"},
    {"`path()`", "2:5: 'path' needs at least 1 argument: path <pattern>..."},
    {"`path(1)`", "2:10: a matcher takes texts in quotes and placeholders, also joined by '+'"},
    {"`path(['/a'])`", "2:10: 'path' takes texts, one or several"},
    {"`header('X')`", "2:12: 'header' takes a map: header({'name': 'value'})"},
    {"`header({'X': 1})`", "2:18: a matcher takes texts in quotes and placeholders, also joined by "
                           "'+'"},
    {"`query({1: '1'})`", "2:12: a matcher takes texts in quotes and placeholders"},
    {"`protocol('http', 'https')`", "2:22: 'protocol' takes at most 1 argument"},
    {"`protocol('x/1')`", "2:14: unknown protocol 'x/1'"},
    {"`remote_ip('a', '10.0.0.0/8', 'b')`", "2:15: 'a' is no IP address"},
    {"`path_regexp('[')`", "2:17: the regular expression is not valid"},
    {"`file({'tries': ['a']})`", "2:11: unknown"},
    {"`url_pattern('/a')`", "2:5: unknown function 'url_pattern'"},
    {"`\xc3\xa4`", "2:5: unexpected '\xc3\xa4'"},
    {"`'\xc3\xa4' == 1`", "2:9: a text is compared with a number"},
    {"\"'\\\"' == 1\"", "2:10: a text is compared with a number"},
    {"`true &&\n  'a' == 1`", "3:7: a text is compared with a number"},
    {"<<X\n    true &&\n      'a' == 1\n    X", "4:11: a text is compared with a number"},
    {"expression true && 'a' == 1", "2:27: a text is compared with a number"},
    {"expression {path} == \"a\" && 1", "2:32: this is a number, and should be a condition"},
};

static void shows_places(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct buf text = BUF_INIT(4096), messages = BUF_INIT(65536), want = BUF_INIT(4096);

        assert_int_equal(
            buf_printf(&text, "http://a.test {\n@m %s\nrespond @m\n}\n", errors[i].definition), 0);
        assert_int_equal(buf_printf(&want, "f:%s", errors[i].message), 0);
        if (conf_parse("f", buf_str(&text), &language, &messages, NULL) != NULL)
            fail_msg("taken: %s", errors[i].definition);
        if (strncmp(messages.p, want.p, want.len) != 0)
            fail_msg("%s\n%s\nnot %s", errors[i].definition, messages.p, errors[i].message);
        buf_fini(&text);
        buf_fini(&messages);
        buf_fini(&want);
    }
}

/* What repeats n times `unit`, between two other texts. */
static bool is_taken(const char *before, const char *unit, size_t n, const char *after)
{
    struct buf text = BUF_INIT(1 << 20), messages = BUF_INIT(65536);
    struct conf *c;

    assert_int_equal(buf_printf(&text, "http://a.test {\n@m `%s", before), 0);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(buf_puts(&text, unit), 0);
    assert_int_equal(buf_printf(&text, "%s`\nrespond @m\n}\n", after), 0);
    c = conf_parse("f", buf_str(&text), &language, &messages, NULL);
    conf_unref(c);
    buf_fini(&text);
    buf_fini(&messages);
    return c != NULL;
}

static void is_bounded(void **state)
{
    (void)state;
    assert_true(is_taken("", "true || ", 500, "true"));
    assert_false(is_taken("", "true || ", CEL_NODES_MAX, "true"));
    assert_true(is_taken("", "!", CEL_DEPTH_MAX - 2, "true"));
    assert_false(is_taken("", "!", CEL_DEPTH_MAX + 1, "true"));
    assert_false(is_taken("", "(", CEL_DEPTH_MAX + 1, "true"));
    assert_false(is_taken("1 in ", "[", CEL_DEPTH_MAX + 1, ""));
    assert_false(is_taken("", "true ? ", CEL_DEPTH_MAX + 1, "true"));
    assert_false(is_taken("", "true ? true : ", CEL_DEPTH_MAX + 1, "true"));
    assert_true(is_taken("'a'", " + 'a'", 500, " != ''"));
    assert_false(is_taken("true", " ", CEL_TEXT_MAX, ""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluates),    cmocka_unit_test(takes_all_forms),
        cmocka_unit_test(catches),      cmocka_unit_test(passes_statuses),
        cmocka_unit_test(shows_places), cmocka_unit_test(is_bounded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
