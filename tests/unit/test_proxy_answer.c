/* handle_response, replace_status and copy_response. */
#include "proxy_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define SMALL_ANSWER "HTTP/1.1 500 No\r\nX-A: 1\r\nServer: app\r\nContent-Length: 3\r\n\r\nabc"

static const struct {
    const char *block;
    const char *method;
    const char *answer;
    int status;
    const char *body;
    const char *fields; /* a part of them */
} rules[] = {
    {"@a status 5xx\n handle_response @a {\n respond \"{rp.status_code} {rp.header.X-A}\"\n}",
     "GET", SMALL_ANSWER, 200, "500 1", "Server=Lintel|"},
    {"handle_response {\n respond {rp.status_text}\n}", "GET", SMALL_ANSWER, 200,
     "500 Internal Server Error", ""},
    {"handle_response {\n respond never\n}\n@a header X-A 1\n handle_response @a {\n respond "
     "now\n}",
     "GET", SMALL_ANSWER, 200, "now", ""},
    {"handle_response {\n respond now\n}\n@a status 4xx\n handle_response @a {\n respond never\n}",
     "GET", SMALL_ANSWER, 200, "now", ""},
    {"handle_response {\n header X-B 2\n copy_response\n}", "GET", SMALL_ANSWER, 500, "abc",
     "X-B=2|X-A=1|Server=app|Via=1.1 Lintel|"},
    {"handle_response {\n copy_response 404\n}", "GET", SMALL_ANSWER, 404, "abc", "X-A=1"},
    {"handle_response {\n copy_response {rp.header.X-A}\n}", "GET", SMALL_ANSWER, 500,
     "500 Internal Server Error\n", ""},
    {"handle_response {\n copy_response 204\n}", "GET", SMALL_ANSWER, 204, "", "X-A=1"},
    {"handle_response {\n copy_response_headers\n respond mine\n}", "GET", SMALL_ANSWER, 200,
     "mine", "X-A=1|Server=app|"},
    {"handle_response {\n header X-B 2\n}", "GET", SMALL_ANSWER, 200, "", "Server=Lintel|X-B=2|"},
    {"handle_response {\n error 503\n}", "GET", SMALL_ANSWER, 503, "503 Service Unavailable\n", ""},
    {"replace_status 418", "GET", SMALL_ANSWER, 418, "abc", "X-A=1"},
    {"replace_status {rp.header.X-A}", "GET", SMALL_ANSWER, 500, "500 Internal Server Error\n", ""},
    {"replace_status {rp.header.X-S}", "GET", "HTTP/1.1 200 OK\r\nX-S: 299\r\n\r\nabc", 299, "abc",
     ""},
    {"replace_status 200", "GET", "HTTP/1.1 204 None\r\n\r\n", 200, "", ""},
    {"replace_status 304", "GET", SMALL_ANSWER, 304, "", ""},
    {"handle_response {\n copy_response\n}", "HEAD",
     "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", 200, "", ""},
    {"method GET\n handle_response {\n copy_response\n}", "HEAD",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "", ""},
    {"header_down X-C {rp.status_code}", "GET", SMALL_ANSWER, 500, "abc", "X-C=500"},
};

static void runs_rows_for_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        char text[512];
        struct peer p;
        struct rig r;

        peer_start(&p, peer_serve_once, rules[i].answer);
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n%s\n}", p.port, rules[i].block);
        rig_init(&r, text);
        rig_ask(&r, rules[i].method, "/", NULL, 0);
        if (r.ex.status != rules[i].status || r.failed ||
            strcmp(rig_text(&r.body), rules[i].body) != 0 ||
            strstr(rig_text(&r.fields), rules[i].fields) == NULL)
            fail_msg("%s: %d '%s' %s", rules[i].block, r.ex.status, rig_text(&r.body),
                     rig_text(&r.fields));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

static void copies_only_what_there_is(void **state)
{
    static const char *const directives_[] = {"copy_response", "copy_response_headers"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(directives_); i++) {
        struct rig r;

        rig_init(&r, directives_[i]);
        rig_ask(&r, "GET", "/", NULL, 0);
        assert_int_equal(r.ex.status, 500);
        rig_end_exchange(&r);
        rig_fini(&r);
    }
}

/* An answer without an end: the rows do not wait for it, and what they do not want is cut off. */
static void does_not_wait_for_a_body(void **state)
{
    char text[256];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, rig_serve_many, NULL);
    snprintf(text, sizeof text,
             "reverse_proxy 127.0.0.1:%u {\n handle_response {\n respond mine\n}\n}", p.port);
    rig_init(&r, text);
    rig_ask(&r, "GET", "/", NULL, 0);
    assert_string_equal(rig_text(&r.body), "mine");
    rig_wait(&r, 100);
    assert_true(atomic_load(&p.sent) < RIG_MANY);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void streams_a_copy(void **state)
{
    char text[256];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, rig_serve_many, NULL);
    snprintf(text, sizeof text,
             "reverse_proxy 127.0.0.1:%u {\n handle_response {\n copy_response 203\n}\n}", p.port);
    rig_init(&r, text);
    rig_ask(&r, "GET", "/", NULL, 0);
    assert_int_equal(r.ex.status, 203);
    assert_int_equal(r.received, RIG_MANY);
    assert_false(r.failed);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* An answer that comes before the request's body has been read. */
static void serve_early_refusal(struct peer *s, int fd)
{
    char b[65536];

    if (peer_read_head(fd, b, sizeof b) && peer_say(fd, s->text))
        while (recv(fd, b, sizeof b, 0) > 0)
            ;
}

/* The second proxy gets the request as if there had been none before, but for a body that is gone,
 * be it in part. */
static void a_second_proxy_takes_over(void **state)
{
    static const struct {
        const char *first;
        size_t body;
        void (*serve)(struct peer *s, int fd);
        const char *answer;
        int status; /* 0: 201 or 502 */
    } cases[] = {
        {"method GET", 0, rig_serve_many, NULL, 201},
        {"method GET", RIG_MANY, rig_serve_many, NULL, 201},
        {"method POST", RIG_MANY, rig_serve_sink, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
         502},
        {"method POST", RIG_MANY, serve_early_refusal,
         "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", 0},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        struct peer check, sink;
        struct rig r;

        peer_start(&check, cases[i].serve, cases[i].answer);
        peer_start(&sink, cases[i].body > 0 ? rig_serve_sink : rig_serve_seen,
                   "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text,
                 "reverse_proxy /a 127.0.0.1:%u {\n %s\n handle_response {\n header X-B 2\n}\n}\n"
                 "reverse_proxy 127.0.0.1:%u",
                 check.port, cases[i].first, sink.port);
        rig_init(&r, text);
        rig_begin(&r, "POST", "/a");
        r.ex.request_body_len = (int64_t)cases[i].body;
        r.to_send = cases[i].body;
        r.stall = 3;
        atomic_store(&rig_taken, 0);
        rig_run(&r);
        if (cases[i].status != 0)
            assert_int_equal(r.ex.status, cases[i].status);
        else
            assert_true(r.ex.status == 201 || r.ex.status == 502);
        if (r.ex.status == 201)
            assert_true(atomic_load(&rig_taken) >= cases[i].body);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&check);
        peer_stop(&sink);
    }
}

/* What has let the request go on is not an answer to it. */
static void a_grant_is_not_copied(void **state)
{
    char text[128];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, peer_serve_once, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nsecret");
    snprintf(text, sizeof text, "forward_auth 127.0.0.1:%u {\n uri /\n}\ncopy_response", p.port);
    rig_init(&r, text);
    rig_ask(&r, "GET", "/", NULL, 0);
    assert_int_equal(r.ex.status, 500);
    assert_null(strstr(rig_text(&r.body), "secret"));
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_rows_for_an_answer),   cmocka_unit_test(copies_only_what_there_is),
        cmocka_unit_test(does_not_wait_for_a_body),  cmocka_unit_test(streams_a_copy),
        cmocka_unit_test(a_second_proxy_takes_over), cmocka_unit_test(a_grant_is_not_copied),
    };

    return rig_run_group(tests);
}
