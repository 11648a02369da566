/* ACME replies, good and hostile. */
#include "cert/acme_parse.h"

#include "base/buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define URN "urn:ietf:params:acme:error:"
#define DIR(nonce)                                                                                 \
    "{\"newNonce\":\"" nonce "\",\"newAccount\":\"https://ca.test/a\","                            \
    "\"newOrder\":\"https://ca.test/o\",\"meta\":{\"externalAccountRequired\":true}}"
#define ORDER(status, authz, more)                                                                 \
    "{\"status\":\"" status "\",\"finalize\":\"https://ca.test/f\",\"authorizations\":[" authz     \
    "]" more "}"
#define AUTHZ(type, value, challenges)                                                             \
    "{\"status\":\"pending\",\"identifier\":{\"type\":\"" type "\",\"value\":\"" value             \
    "\"},\"challenges\":[" challenges "]}"
#define CHALLENGE(type, token)                                                                     \
    "{\"type\":\"" type                                                                            \
    "\",\"url\":\"https://ca.test/c\",\"status\":\"pending\",\"token\":\"" token "\"}"

static struct acme_reader reader;

static int set_up(void **state)
{
    (void)state;
    reader = (struct acme_reader){arena_new(), false};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(reader.arena);
    return 0;
}

static void reads_a_directory(void **state)
{
    struct acme_directory d;
    struct err e;

    (void)state;
    assert_int_equal(acme_parse_directory(&reader, STR_LIT(DIR("https://ca.test/n")), &d, &e), 0);
    assert_string_equal(d.new_nonce, "https://ca.test/n");
    assert_string_equal(d.new_account, "https://ca.test/a");
    assert_string_equal(d.new_order, "https://ca.test/o");
    assert_true(d.needs_binding);
}

static const char *const bad_directories[] = {
    "",
    "null",
    "[]",
    "\"x\"",
    "{}",
    "{\"newNonce\":1}",
    "{\"newNonce\":{},\"newAccount\":[],\"newOrder\":null}",
    DIR("http://ca.test/n"), /* unencrypted, from an encrypted directory */
    DIR("ftp://ca.test/n"),
    DIR("file:///etc/passwd"),
    DIR("//ca.test/n"),
    DIR("/n"),
    DIR("https://"),
    DIR("https:///n"),
    DIR("https://user@ca.test/n"),
    DIR("https://ca.test/\\u000d\\u000aX: y"),
    DIR("https://ca.test/\\u0000"),
    DIR("https://ca.test/a b"),
    DIR("https://ca.test/\\\""),
    DIR("https://ca.test/\xc3\xa9"),
    DIR("https://ca.test/n") "x",
    DIR("https://ca.test/n") "{}",
    "{\"newNonce\":\"https://ca.test/n\"",
    ("{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":"
     "{\"a\":{\"a\":{\"a\":{\"a\":{}}}}}}}}}}}}}}}}}}"),
};

static void refuses_bad_directories(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_directories / sizeof bad_directories[0]; i++) {
        struct acme_directory d;
        struct err e = {.code = ERR_NONE};

        assert_int_equal(acme_parse_directory(&reader, str_of(bad_directories[i]), &d, &e), -1);
        assert_int_not_equal(e.code, ERR_NONE);
        assert_string_not_equal(e.msg, "");
    }
}

static void takes_http_urls_from_an_http_directory(void **state)
{
    struct acme_directory d;
    struct err e;

    (void)state;
    reader.allow_http = true;
    assert_int_equal(acme_parse_directory(&reader, STR_LIT(DIR("http://ca.test/n")), &d, &e), 0);
    assert_string_equal(d.new_nonce, "http://ca.test/n");
}

static void refuses_long_urls(void **state)
{
    char url[ACME_URL_MAX + 2];

    (void)state;
    memset(url, 'a', sizeof url);
    memcpy(url, "https://", 8);
    assert_non_null(acme_check_url(&reader, (struct str){url, ACME_URL_MAX}));
    assert_null(acme_check_url(&reader, (struct str){url, ACME_URL_MAX + 1}));
    assert_null(acme_check_url(&reader, (struct str){NULL, 0}));
}

static const struct {
    const char *body;
    int rc;
    enum acme_status status;
    size_t n;
} orders[] = {
    {ORDER("pending", "\"https://ca.test/1\"", ""), 0, ACME_PENDING, 1},
    {ORDER("ready", "\"https://ca.test/1\",\"https://ca.test/2\"", ""), 0, ACME_READY, 2},
    {ORDER("processing", "\"https://ca.test/1\"", ",\"x\":[1,{}]"), 0, ACME_PROCESSING, 1},
    {ORDER("valid", "\"https://ca.test/1\"", ",\"certificate\":\"https://ca.test/crt\""), 0,
     ACME_VALID, 1},
    {ORDER("invalid", "\"https://ca.test/1\"", ""), 0, ACME_INVALID, 1},
    {ORDER("valid", "\"https://ca.test/1\"", ""), -1, 0, 0},
    {ORDER("valid", "\"https://ca.test/1\"", ",\"certificate\":\"ftp://x/\""), -1, 0, 0},
    {ORDER("odd", "\"https://ca.test/1\"", ""), -1, 0, 0},
    {ORDER("pending", "", ""), -1, 0, 0},
    {ORDER("pending", "1", ""), -1, 0, 0},
    {ORDER("pending", "null", ""), -1, 0, 0},
    {ORDER("pending", "\"https://ca.test/1\",\"http://ca.test/2\"", ""), -1, 0, 0},
    {ORDER("pending",
           "\"https://a/\",\"https://a/\",\"https://a/\",\"https://a/\",\"https://a/\","
           "\"https://a/\",\"https://a/\",\"https://a/\",\"https://a/\"",
           ""),
     -1, 0, 0},
    {"{\"status\":\"pending\",\"finalize\":\"https://ca.test/f\",\"authorizations\":{}}", -1, 0, 0},
    {"{\"status\":\"pending\",\"authorizations\":[\"https://ca.test/1\"]}", -1, 0, 0},
    {"{\"status\":7,\"finalize\":\"https://ca.test/f\",\"authorizations\":[\"https://a/\"]}", -1, 0,
     0},
};

static void reads_orders(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof orders / sizeof orders[0]; i++) {
        struct acme_order o;
        struct err e = {.code = ERR_NONE};

        assert_int_equal(acme_parse_order(&reader, str_of(orders[i].body), &o, &e), orders[i].rc);
        if (orders[i].rc != 0)
            continue;
        assert_int_equal(o.status, orders[i].status);
        assert_int_equal(o.n_authorizations, orders[i].n);
        assert_string_equal(o.finalize, "https://ca.test/f");
    }
}

static void reads_the_problem_of_an_order(void **state)
{
    struct acme_order o;
    struct err e;

    (void)state;
    assert_int_equal(
        acme_parse_order(&reader,
                         STR_LIT(ORDER("invalid", "\"https://ca.test/1\"",
                                       ",\"error\":{\"type\":\"" URN "caa\",\"detail\":\"no\"}")),
                         &o, &e),
        0);
    assert_int_equal(o.problem.kind, ACME_PROBLEM_OTHER);
    assert_string_equal(o.problem.text, "a CAA record in DNS forbids this CA: no");
    assert_int_equal(o.problem.wait_s, 600);
}

#define BOTH                                                                                       \
    CHALLENGE("http-01", "tok-1")                                                                  \
    "," CHALLENGE("dns-01", "tok-2") ",{},1,null," CHALLENGE(                                      \
        "tls-alpn-01", "tok_3") "," CHALLENGE("http-01", "second")

static void reads_an_authorization(void **state)
{
    struct acme_authorization a;
    struct err e;

    (void)state;
    assert_int_equal(acme_parse_authorization(&reader, STR_LIT(AUTHZ("dns", "Example.com", BOTH)),
                                              STR_LIT("example.com"), &a, &e),
                     0);
    assert_int_equal(a.status, ACME_PENDING);
    assert_string_equal(a.challenges[ACME_HTTP_01].token, "tok-1");
    assert_string_equal(a.challenges[ACME_TLS_ALPN_01].token, "tok_3");
    assert_string_equal(a.challenges[ACME_TLS_ALPN_01].url, "https://ca.test/c");
    assert_int_equal(acme_parse_authorization(&reader,
                                              STR_LIT(AUTHZ("ip", "::1", CHALLENGE("dns-01", "t"))),
                                              STR_LIT("::1"), &a, &e),
                     0);
    assert_null(a.challenges[ACME_HTTP_01].url);
    assert_int_equal(acme_parse_authorization(&reader, STR_LIT(AUTHZ("dns", "example.com", BOTH)),
                                              STR_LIT("*.example.com"), &a, &e),
                     0);
}

static const char *const bad_authorizations[] = {
    AUTHZ("dns", "example.org", BOTH), /* another name */
    AUTHZ("ip", "example.com", BOTH),
    AUTHZ("dns", "", BOTH),
    "{\"status\":\"pending\",\"challenges\":[]}",
    "{\"status\":\"pending\",\"identifier\":\"example.com\",\"challenges\":[]}",
    AUTHZ("dns", "example.com", CHALLENGE("http-01", "")),
    AUTHZ("dns", "example.com", CHALLENGE("http-01", "../../etc/passwd")),
    AUTHZ("dns", "example.com", CHALLENGE("http-01", "a\\u0000b")),
    AUTHZ("dns", "example.com", CHALLENGE("tls-alpn-01", "a b")),
    AUTHZ("dns", "example.com", "{\"type\":\"http-01\",\"token\":\"t\",\"status\":\"pending\"}"),
    AUTHZ("dns", "example.com",
          "{\"type\":\"http-01\",\"token\":\"t\",\"url\":\"https://ca.test/c\"}"),
};

static void refuses_bad_authorizations(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad_authorizations / sizeof bad_authorizations[0]; i++) {
        struct acme_authorization a;
        struct err e;

        assert_int_equal(acme_parse_authorization(&reader, str_of(bad_authorizations[i]),
                                                  STR_LIT("example.com"), &a, &e),
                         -1);
    }
}

static const struct {
    int status;
    const char *body;
    enum acme_problem_kind kind;
    unsigned wait_s;
    const char *text;
} problems[] = {
    {400, "{\"type\":\"" URN "badNonce\",\"detail\":\"stale\"}", ACME_PROBLEM_BAD_NONCE, 0,
     "the CA wants another nonce: stale"},
    {400, "{\"type\":\"" URN "accountDoesNotExist\"}", ACME_PROBLEM_NO_ACCOUNT, 0,
     "the CA does not know our account"},
    {429, "{\"type\":\"" URN "rateLimited\",\"detail\":\"too many\"}", ACME_PROBLEM_RATE_LIMITED,
     900, "a rate limit of the CA is reached: too many"},
    {500, "{\"type\":\"" URN "serverInternal\"}", ACME_PROBLEM_SERVER, 0,
     "the CA has trouble of its own"},
    {403, "{\"type\":\"" URN "new\",\"detail\":\"hm\"}", ACME_PROBLEM_OTHER, 0,
     "the CA refused: hm"},
    {403, "{\"type\":\"about:blank\"}", ACME_PROBLEM_OTHER, 0, "the CA refused: about:blank"},
    {403, "{\"type\":\"" URN "dns\",\"detail\":\"a\\nb\\u0000c\"}", ACME_PROBLEM_OTHER, 0,
     "the CA could not look the name up in DNS: a b c"},
    {403,
     "{\"type\":\"" URN "malformed\",\"detail\":\"several\",\"subproblems\":[{\"type\":\"" URN
     "rejectedIdentifier\",\"detail\":\"no\",\"identifier\":{\"value\":\"x.test\"}}]}",
     ACME_PROBLEM_OTHER, 0,
     "the CA did not understand our request: several; x.test: the CA does not issue for this name: "
     "no"},
    {403, "{\"type\":\"" URN "tls\",\"subproblems\":[7]}", ACME_PROBLEM_OTHER, 0,
     "the CA got no TLS connection to this server: refused"},
    {502, "<html>", ACME_PROBLEM_SERVER, 0, "the CA answered with status 502"},
    {429, "", ACME_PROBLEM_RATE_LIMITED, 900, "the CA answered with status 429"},
    {404, "{\"type\":1}", ACME_PROBLEM_OTHER, 0, "the CA answered with status 404"},
};

static void puts_problems_in_plain_words(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof problems / sizeof problems[0]; i++) {
        struct acme_problem p;

        acme_parse_problem(problems[i].status, str_of(problems[i].body), &p);
        assert_string_equal(p.text, problems[i].text);
        assert_int_equal(p.kind, problems[i].kind);
        assert_int_equal(p.wait_s, problems[i].wait_s);
    }
}

static void cuts_long_details(void **state)
{
    struct acme_problem p;
    struct buf body = BUF_INIT(ACME_BODY_MAX);

    (void)state;
    assert_int_equal(buf_puts(&body, "{\"type\":\"" URN "dns\",\"detail\":\""), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_putc(&body, 'x'), 0);
    assert_int_equal(buf_puts(&body, "\",\"subproblems\":[{\"detail\":\""), 0);
    for (int i = 0; i < 5000; i++)
        assert_int_equal(buf_putc(&body, 'y'), 0);
    assert_int_equal(buf_puts(&body, "\"}]}"), 0);
    acme_parse_problem(400, buf_str(&body), &p);
    assert_int_equal(strlen(p.text), sizeof p.text - 1);
    buf_fini(&body);
}

static void finds_the_time_in_a_rate_limit(void **state)
{
    (void)state;
    assert_int_equal(acme_retry_time(STR_LIT("too many certificates (5) already issued for this "
                                             "exact set of names in the last 168h0m0s, retry after "
                                             "2026-11-21 10:00:00 UTC: see https://example.com")),
                     1795255200);
    assert_int_equal(acme_retry_time(STR_LIT("retry after 2026-11-21T10:00:00Z")), 1795255200);
    assert_int_equal(acme_retry_time(STR_LIT("retry after a while, please do")), 0);
    assert_int_equal(acme_retry_time(STR_LIT("retry after 2026-11-21")), 0);
    assert_int_equal(acme_retry_time(STR_LIT("")), 0);
}

static void knows_nonces_and_identifiers(void **state)
{
    (void)state;
    assert_true(acme_nonce_ok(STR_LIT("aZ09-_")));
    assert_false(acme_nonce_ok(STR_LIT("")));
    assert_false(acme_nonce_ok(STR_LIT("a\"b")));
    assert_false(acme_nonce_ok(STR_LIT("a=")));
    assert_string_equal(acme_identifier_type(STR_LIT("example.com")), "dns");
    assert_string_equal(acme_identifier_type(STR_LIT("192.0.2.1")), "ip");
    assert_string_equal(acme_identifier_type(STR_LIT("2001:db8::1")), "ip");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_a_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_directories, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_http_urls_from_an_http_directory, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_long_urls, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_orders, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_the_problem_of_an_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(reads_an_authorization, set_up, tear_down),
        cmocka_unit_test_setup_teardown(refuses_bad_authorizations, set_up, tear_down),
        cmocka_unit_test(puts_problems_in_plain_words),
        cmocka_unit_test(cuts_long_details),
        cmocka_unit_test(finds_the_time_in_a_rate_limit),
        cmocka_unit_test(knows_nonces_and_identifiers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
