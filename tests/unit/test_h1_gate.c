/* Which authorities and framings the gate lets in. Whole requests are in tests/it/h1-gate.py. */
#include "base/alloc.h"
#include "engines/h1_gate.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct {
    const char *text;
    bool good;
} authorities[] = {
    {"example.com", true},
    {"EXAMPLE.com:443", true},
    {"example.com:", true},
    {"127.0.0.1:8080", true},
    {"[::1]", true},
    {"[::1]:", true},
    {"[2001:db8::1]:65535", true},
    {"xn--bcher-kva.example", true},
    {"under_score.example", true},
    {"a%41b", true},
    {"!$&'()*+,;=", true},
    {"", false},
    {":80", false},
    {"a:b", false},
    {"a:80:80", false},
    {"a:65536", false},
    {"a:-1", false},
    {"a b", false},
    {"a@b", false},
    {"a/b", false},
    {"a%4", false},
    {"a%", false},
    {"a%zz", false},
    {"[", false},
    {"[]", false},
    {"[::1", false},
    {"[::1]80", false},
    {"[1.2.3.4]", false},
    {"[v1.a]", false},
    {"[::1%25lo]", false},
    {"[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]", false},
    {"::1", false},
};

static void knows_authorities(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(authorities); i++)
        if (h1_gate_authority(str_of(authorities[i].text)) != authorities[i].good)
            fail_msg("%s", authorities[i].text);
}

static const struct {
    const char *name[2];
    const char *value[2];
    int status;
    int64_t body_len;
} framings[] = {
    {{NULL}, {NULL}, 0, 0},
    {{"Content-Length"}, {"0"}, 0, 0},
    {{"content-length"}, {"9223372036854775807"}, 0, INT64_MAX},
    {{"Content-Length"}, {"9223372036854775808"}, 400, 0},
    {{"Content-Length"}, {""}, 400, 0},
    {{"Content-Length", "Content-Length"}, {"5", "5"}, 400, 0},
    {{"TRANSFER-ENCODING"}, {"Chunked"}, 0, -1},
    {{"Transfer-Encoding"}, {", chunked ,"}, 0, -1},
    {{"Transfer-Encoding", "Content-Length"}, {"chunked", "5"}, 400, 0},
    {{"Content-Length", "Transfer-Encoding"}, {"5", "chunked"}, 400, 0},
    {{"Transfer-Encoding", "Transfer-Encoding"}, {"chunked", "chunked"}, 400, 0},
    {{"Transfer-Encoding", "Transfer-Encoding"}, {"gzip", "chunked"}, 501, 0},
    {{"Transfer-Encoding"}, {"chunked, gzip"}, 400, 0},
    {{"Transfer-Encoding"}, {"gzip"}, 501, 0},
    {{"Transfer-Encoding"}, {""}, 400, 0},
    {{"Expect"}, {"100-Continue"}, 0, 0},
    {{"Expect"}, {"100-continue, x"}, 417, 0},
};

static void knows_framings(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(framings); i++) {
        struct exchange ex = {.arena = arena_new(),
                              .method = STR_LIT("POST"),
                              .target = STR_LIT("/"),
                              .http_minor = 1};
        const struct gate_refusal *refusal;

        fields_add(&ex.request, ex.arena, STR_LIT("Host"), STR_LIT("a.test"));
        for (int f = 0; f < 2 && framings[i].name[f] != NULL; f++)
            fields_add(&ex.request, ex.arena, str_of(framings[i].name[f]),
                       str_of(framings[i].value[f]));
        refusal = h1_gate(&ex);
        if ((refusal == NULL ? 0 : refusal->status) != framings[i].status ||
            (refusal == NULL && ex.request_body_len != framings[i].body_len))
            fail_msg("row %zu: %s", i, refusal == NULL ? "let in" : refusal->why);
        arena_free(ex.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_authorities),
        cmocka_unit_test(knows_framings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
