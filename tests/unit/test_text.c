/* Placeholders in texts. */
#include "conf/text.h"

#include "base/alloc.h"
#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* parts: each kind as a number, with text and index in brackets if there are any; NULL: why says
 * what is wrong. */
static const struct {
    const char *text;
    const char *parts;
    const char *why;
} cases[] = {
    {"", "", NULL},
    {"hello", "[hello]", NULL},
    /* braces that are no placeholders */
    {"{}", "[{}]", NULL},
    {"{", "[{]", NULL},
    {"}", "[}]", NULL},
    {"a{host", "[a{host]", NULL},
    {"{\"a\":1}", "[{\"a\":1}]", NULL},
    {"{a:1}", "[{a:1}]", NULL},
    {"{color:#fff;margin:0.5em}", "[{color:#fff;margin:0.5em}]", NULL},
    {"{ host }", "[{ host }]", NULL},
    {"{no/such}", "[{no/such}]", NULL},
    {"body { color: red }", "[body { color: red }]", NULL},
    {"{{host}}", "[{]<host>[}]", NULL},
    {"\\{host}", "[{host}]", NULL},
    {"\\{host\\}", "[{host}]", NULL},
    {"\\\\{host}", "[\\{host}]", NULL},
    {"a\\b", "[a\\b]", NULL},
    {"[0-9]{3}", "[[0-9]{3}]", NULL},
    {"[0-9]{3,}", "[[0-9]{3,}]", NULL},
    /* parts */
    {"https://{host}{uri}", "[https://]<host><uri>", NULL},
    {"{path}-{path.2}", "<path>[-]<path part 2>", NULL},
    {"{header.X-Real-IP}!", "<header X-Real-IP>[!]", NULL},
    {"{http.request.header.X}", "<header X>", NULL},
    {"{query.a[]}{query.b:c}{query.d/e}", "<query value a[]><query value b:c><query value d/e>",
     NULL},
    {"{vars.x}{http.vars.x}", "<variable vars.x><variable vars.x>", NULL},
    {"{re.name.1}{http.regexp.1}", "<variable re.name.1><variable re.1>", NULL},
    {"{file_match.relative}", "<variable file_match.relative>", NULL},
    {"{http.matchers.file.type}", "<variable file_match.type>", NULL},
    {"{http.auth.user.id}", "<variable auth.user.id>", NULL},
    {"{mapped}{also.mapped}", "<variable map.mapped><variable map.also.mapped>", NULL},
    {"{%path}", "<path escaped>", NULL},
    /* what is known at load becomes part of the text around it */
    {"a{env.LINTEL_TEST}b", "[asome valueb]", NULL},
    {"{env.LINTEL_TEST}", "[some value]", NULL},
    {"{env.LINTEL_UNSET}", "", NULL},
    {"{host}{env.LINTEL_UNSET}{host}", "<host><host>", NULL},
    {"{system.os}{system.slash}", "[linux/]", NULL},
    {"{file./dev/null/x}", NULL, "'{file./dev/null/x}': open /dev/null/x: Not a directory"},
    {"{file./dev/null}", NULL, "'{file./dev/null}': /dev/null: not a regular file"},
    {"<{file.text.txt}>", "[<line>]", NULL},
    /* errors */
    {"{hots}", NULL, "'{hots}' is no placeholder; did you mean '{host}'?"},
    {"{headers.A}", NULL, "'{headers.A}' is no placeholder; did you mean '{header.NAME}'?"},
    {"{querry.any_long_argument}", NULL,
     "'{querry.any_long_argument}' is no placeholder; did you mean '{query.NAME}'?"},
    {"{lables.1}", NULL, "'{lables.1}' is no placeholder; did you mean '{labels.N}'?"},
    {"{Host}", NULL, "'{Host}' is no placeholder; did you mean '{host}'?"},
    {"{header.}", NULL, "'{header.}' is no placeholder; did you mean '{header.NAME}'?"},
    {"{http.request.hots}", NULL,
     "'{http.request.hots}' is no placeholder; did you mean '{http.request.host}'?"},
    {"{time.now.unixms}", NULL,
     "'{time.now.unixms}' is no placeholder; did you mean '{time.now.unix_ms}'?"},
    {"{system.hostnam}", NULL,
     "'{system.hostnam}' is no placeholder; did you mean '{system.hostname}'?"},
    {"{mappd}", NULL, "'{mappd}' is no placeholder; did you mean '{mapped}'?"},
    {"x {whatever} y", NULL, "'{whatever}' is no placeholder; write '\\{' for a brace"},
    {"{path.x}", NULL, "'{path.x}': 'x' is no number from 0 to 65535"},
    {"{labels.-1}", NULL, "'{labels.-1}': '-1' is no number from 0 to 65535"},
    {"{path.99999}", NULL, "'{path.99999}': '99999' is no number from 0 to 65535"},
    {"{file.bse}", NULL, "'{file.bse}' is no placeholder; did you mean '{file.base}'?"},
    {"{args[0]}", NULL, "'{args[0]}' stands for something only in what is imported with arguments"},
    {"{block}", NULL, "'{block}' stands for something only in what is imported with a block"},
    {"{http.request.body}", NULL,
     "'{http.request.body}' is not supported: a body may be of any size"},
    {"{tls_client_subject}", NULL,
     "'{tls_client_subject}' is not supported yet: no client is asked for a certificate"},
    {"{http.request.tls.client.san.ips.0}", NULL,
     "'{http.request.tls.client.san.ips.0}' is not supported yet: no client is asked for a "
     "certificate"},
    {"{rp.upstream.latency}", NULL, "'{rp.upstream.latency}' is not supported yet"},
    {"{resp.body}", NULL, "'{resp.body}' is not known: only 'status_code' and 'header.NAME' are"},
    {"{http.response.status}", NULL,
     "'{http.response.status}' is not supported: it is known only when the response has been "
     "sent"},
    {"{http.request.remote.host/24,64}", NULL,
     "'{http.request.remote.host/24,64}' is not supported"},
};

static const char *const names[PH_COUNT] = {
    [PH_HOST] = "host",
    [PH_URI] = "uri",
    [PH_PATH] = "path",
    [PH_PATH_ESCAPED] = "path escaped",
    [PH_PATH_PART] = "path part",
    [PH_HEADER] = "header",
    [PH_QUERY_VALUE] = "query value",
    [PH_VARIABLE] = "variable",
};

static void print_part(const struct text_part *part, struct buf *out)
{
    if (part->kind == PH_LITERAL) {
        assert_int_equal(buf_printf(out, "[" STR_FMT "]", STR_ARG(part->text)), 0);
        return;
    }
    assert_non_null(names[part->kind]);
    assert_int_equal(buf_printf(out, "<%s", names[part->kind]), 0);
    if (part->text.len > 0)
        assert_int_equal(buf_printf(out, " " STR_FMT, STR_ARG(part->text)), 0);
    if (part->index > 0)
        assert_int_equal(buf_printf(out, " %u", part->index), 0);
    assert_int_equal(buf_puts(out, ">"), 0);
}

/* What a map of the file would define. */
static struct defined defined_names(void)
{
    static struct str table[4];
    struct defined d = {table, 0, ARRAY_LEN(table)};
    const struct str mapped[] = {STR_LIT("mapped"), STR_LIT("also.mapped")};

    memset(table, 0, sizeof table);
    for (size_t i = 0; i < ARRAY_LEN(mapped); i++) {
        size_t at = str_hash_nocase(mapped[i]) % ARRAY_LEN(table);

        while (table[at].p != NULL)
            at = (at + 1) % ARRAY_LEN(table);
        table[at] = mapped[i];
        d.n++;
    }
    return d;
}

static void check(size_t row, const struct defined *defined)
{
    struct arena *a = arena_new();
    struct buf got = BUF_INIT(65536);
    struct err e = {0};
    struct text t;

    assert_int_equal(buf_puts(&got, ""), 0);
    if (text_compile(a, str_of(cases[row].text), defined, &t, &e) == 0) {
        for (size_t i = 0; i < t.n_parts; i++)
            print_part(&t.parts[i], &got);
        if (cases[row].parts == NULL)
            fail_msg("'%s' was taken", cases[row].text);
        assert_string_equal(buf_str(&got).len > 0 ? got.p : "", cases[row].parts);
    } else {
        assert_string_equal(e.msg, cases[row].why == NULL ? "" : cases[row].why);
    }
    buf_fini(&got);
    arena_free(a);
}

static void compiles_texts(void **state)
{
    const struct defined defined = defined_names();
    char folder[] = "/tmp/test_text.XXXXXX";
    FILE *f;

    (void)state;
    assert_int_equal(setenv("LINTEL_TEST", "some value", 1), 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    f = fopen("text.txt", "w");
    assert_non_null(f);
    fputs("line\r\n", f);
    fclose(f);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check(i, &defined);
    unlink("text.txt");
    rmdir(folder);
}

static void knows_constants(void **state)
{
    struct arena *a = arena_new();
    struct text t;

    (void)state;
    assert_int_equal(text_compile(a, STR_LIT(""), NULL, &t, NULL), 0);
    assert_true(t.constant && text_constant(&t).len == 0);
    assert_int_equal(text_compile(a, STR_LIT("a\\{b"), NULL, &t, NULL), 0);
    assert_true(t.constant && str_is(text_constant(&t), "a{b"));
    assert_int_equal(text_compile(a, STR_LIT("a{host}"), NULL, &t, NULL), 0);
    assert_false(t.constant);
    assert_int_equal(text_compile(a, STR_LIT("{host}"), NULL, &t, NULL), 0);
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
