/* Placeholders in texts. */
#include "conf/text.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/* parts: each kind as a number and its text in brackets; NULL: why says what is wrong. */
static const struct {
    const char *text;
    const char *parts;
    const char *why;
} cases[] = {
    {"", "", NULL},
    {"hello", "0[hello]", NULL},
    {"{host}", "1[]", NULL},
    {"https://{host}{uri}", "0[https://]1[]5[]", NULL},
    {"{hostport} {port}", "2[]0[ ]3[]", NULL},
    {"{method}{path}{query}{scheme}", "4[]6[]7[]8[]", NULL},
    {"{remote_host}:{remote_port}", "9[]0[:]10[]", NULL},
    {"{header.X-Real-IP}!", "11[X-Real-IP]0[!]", NULL},
    {"{http.request.host}", "1[]", NULL},
    {"{http.request.hostport}", "2[]", NULL},
    {"{http.request.uri.path}?{http.request.uri.query}", "6[]0[?]7[]", NULL},
    {"{http.request.header.User-Agent}", "11[User-Agent]", NULL},
    {"{http.request.remote.host}", "9[]", NULL},
    /* braces that are no placeholders */
    {"{}", "0[{}]", NULL},
    {"{", "0[{]", NULL},
    {"}", "0[}]", NULL},
    {"a{host", "0[a{host]", NULL},
    {"{\"a\":1}", "0[{\"a\":1}]", NULL},
    {"{ host }", "0[{ host }]", NULL},
    {"body { color: red }", "0[body { color: red }]", NULL},
    {"{{host}}", "0[{]1[]0[}]", NULL},
    {"\\{host}", "0[{host}]", NULL},
    {"\\{host\\}", "0[{host}]", NULL},
    {"\\\\{host}", "0[\\{host}]", NULL},
    {"a\\b", "0[a\\b]", NULL},
    {"[0-9]{3}", "0[[0-9]{3}]", NULL},
    /* errors */
    {"{hots}", NULL, "'{hots}' is no placeholder; did you mean '{host}'?"},
    {"{headers.A}", NULL, "'{headers.A}' is no placeholder; did you mean '{header.NAME}'?"},
    {"{Host}", NULL, "'{Host}' is no placeholder; did you mean '{host}'?"},
    {"{header.}", NULL, "'{header.}' is no placeholder; did you mean '{header.NAME}'?"},
    {"x {whatever} y", NULL, "'{whatever}' is no placeholder; write '\\{' for a brace"},
    {"{uuid}", NULL, "placeholder '{uuid}' is not supported yet"},
    {"{env.HOME}", NULL, "placeholder '{env.HOME}' is not supported yet"},
    {"{args[0]}", NULL, "placeholder '{args[0]}' is not supported yet"},
    {"{http.request.tls.version}", NULL,
     "placeholder '{http.request.tls.version}' is not supported yet"},
};

static void print_text(const struct text *t, struct buf *out)
{
    assert_int_equal(buf_puts(out, ""), 0);
    for (size_t i = 0; i < t->n_parts; i++)
        assert_int_equal(
            buf_printf(out, "%d[" STR_FMT "]", (int)t->parts[i].kind, STR_ARG(t->parts[i].text)),
            0);
}

static void compiles_texts(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena *a = arena_new();
        struct buf got = BUF_INIT(65536);
        struct err e = {0};
        struct text t;

        if (text_compile(a, str_of(cases[i].text), &t, &e) == 0) {
            print_text(&t, &got);
            if (cases[i].parts == NULL)
                fail_msg("'%s' was taken", cases[i].text);
            assert_string_equal(got.p, cases[i].parts);
        } else {
            assert_null(cases[i].parts);
            assert_string_equal(e.msg, cases[i].why);
        }
        buf_fini(&got);
        arena_free(a);
    }
}

static void knows_constants(void **state)
{
    struct arena *a = arena_new();
    struct text t;

    (void)state;
    assert_int_equal(text_compile(a, STR_LIT(""), &t, NULL), 0);
    assert_true(t.constant && text_constant(&t).len == 0);
    assert_int_equal(text_compile(a, STR_LIT("a\\{b"), &t, NULL), 0);
    assert_true(t.constant && str_is(text_constant(&t), "a{b"));
    assert_int_equal(text_compile(a, STR_LIT("a{host}"), &t, NULL), 0);
    assert_false(t.constant);
    assert_int_equal(text_compile(a, STR_LIT("{host}"), &t, NULL), 0);
    assert_false(t.constant);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(compiles_texts),
        cmocka_unit_test(knows_constants),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
