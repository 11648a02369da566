/* The proxy between an engine made for the test and a peer that says what the test wants. */
#include "proxy_rig.h"

#include "base/alloc.h"
#include "http/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- responses ---- */

static const struct {
    const char *name;
    const char *method;
    const char *text;
    int status;
    enum body_kind kind;
    const char *body;
    bool failed;
} rows[] = {
    {"whole", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, BODY_BYTES, "abc",
     false},
    {"whole, chunked", "GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, BODY_BYTES,
     "abc", false},
    {"empty", "GET", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, BODY_NONE, "", false},
    {"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, BODY_NONE, "", false},
    {"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, BODY_NONE, "",
     false},
    {"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", 200, BODY_SOURCE, "", false},
    {"interim", "GET",
     "HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200,
     BODY_NONE, "", false},
    {"no head", "GET", "", 502, BODY_PREPARED, NULL, false},
    {"no HTTP", "GET", "hello\r\n\r\n", 502, BODY_PREPARED, NULL, false},
};

static void answers_as_the_upstream_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        struct rig r;

        peer_start(&p, peer_serve_once, rows[i].text);
        rig_to(&r, &p);
        rig_begin(&r, rows[i].method, "/");
        rig_run(&r);
        if (r.ex.status != rows[i].status || r.kind != rows[i].kind)
            print_error("%s: %d, body %d\n", rows[i].name, r.ex.status, r.kind);
        assert_int_equal(r.ex.status, rows[i].status);
        assert_int_equal(r.kind, rows[i].kind);
        assert_int_equal(r.failed, rows[i].failed);
        if (rows[i].body != NULL)
            assert_string_equal(rig_text(&r.body), rows[i].body);
        if (strcmp(rows[i].method, "HEAD") == 0)
            assert_int_equal(r.ex.body.len, 70);
        if (rows[i].status == 502) /* nothing of the failed answer is left */
            assert_null(strstr(rig_text(&r.fields), "Lintel|Via"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The head at once, the body in two parts with a pause between, the second short by a byte. */
static void serve_cut(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    usleep(30000);
    peer_say(fd, "de");
}

static void a_cut_response_stays_cut(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_cut, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 200);
    assert_int_equal(r.kind, BODY_SOURCE);
    assert_int_equal(r.ex.body.len, 6);
    assert_true(r.failed);
    assert_string_equal(rig_text(&r.body), "abcde");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void a_slow_client_slows_the_upstream(void **state)
{
    struct peer p;
    struct rig r;
    size_t sent;

    (void)state;
    peer_start(&p, rig_serve_many, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    r.slow = true;
    service_handle(r.service, &r.ex);
    do { /* until the peer is stuck */
        sent = atomic_load(&p.sent);
        rig_wait(&r, 200);
    } while (atomic_load(&p.sent) != sent);
    assert_true(sent < RIG_MANY);
    r.slow = false;
    loop_post(r.loop, &r.pump);
    rig_wait(&r, RIG_LIMIT_MS);
    assert_true(r.ended && !r.failed);
    assert_int_equal(r.received, RIG_MANY);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* Notes when the connection is closed under it. */
static void serve_until_gone(struct peer *s, int fd)
{
    char b[4096];

    while (recv(fd, b, sizeof b, 0) > 0)
        ;
    atomic_fetch_add(&s->sent, 1);
}

static void a_client_that_goes_takes_the_upstream_along(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_until_gone, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    service_handle(r.service, &r.ex);
    rig_wait(&r, 50);
    assert_false(r.ended);
    rig_end_exchange(&r);
    for (int i = 0; i < 100 && atomic_load(&p.sent) == 0; i++)
        rig_wait(&r, 10);
    assert_int_equal(atomic_load(&p.sent), 1);
    rig_fini(&r);
    peer_stop(&p);
}

/* ---- requests with a body ---- */

static void streams_a_request_body(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        struct peer p;
        struct rig r;

        peer_start(&p, rig_serve_sink,
                   "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        rig_to(&r, &p);
        rig_begin(&r, "PUT", "/");
        r.ex.request_body_len = chunked ? -1 : RIG_MANY;
        r.to_send = RIG_MANY;
        r.stall = 5;
        rig_run(&r);
        assert_int_equal(r.ex.status, 201);
        assert_int_equal(r.to_send, 0);
        assert_true(atomic_load(&rig_taken) >= RIG_MANY);
        assert_int_equal(strstr(rig_seen, "Transfer-Encoding: chunked") != NULL, chunked);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The answer begins before the body has been read: as much of it as the row says. */
static void serve_early(struct peer *s, int fd)
{
    static const char block[65536];
    char b[65536];
    size_t got = 0, said = atomic_load(&s->sent);
    ssize_t n;

    if (!peer_read_head(fd, rig_seen, sizeof rig_seen))
        return;
    snprintf(b, sizeof b, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             said + 5);
    peer_say(fd, b);
    for (size_t left = said, part; left > 0; left -= part) {
        part = left < sizeof block ? left : sizeof block;
        peer_send(fd, block, part);
    }
    while (got < RIG_MANY && (n = recv(fd, b, sizeof b, 0)) > 0)
        got += (size_t)n;
    atomic_store(&rig_taken, got);
    for (int i = 0; i < 500 && !atomic_load(&rig_response_begun); i++)
        usleep(10000);
    peer_say(fd, atomic_load(&rig_response_begun) ? "ended" : "stuck");
}

static void an_early_answer_does_not_cut_the_request(void **state)
{
    static const struct {
        size_t early;
        bool chunked;
        bool half_duplex; /* otherwise more may come early than is held back */
    } cases[] = {{0, false, true},    {0, true, true},          {60000, false, true},
                 {60000, true, true}, {RIG_MANY, false, false}, {RIG_MANY, true, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer p;
        struct rig r;

        atomic_store(&rig_response_begun, false);
        peer_start(&p, serve_early, NULL);
        atomic_store(&p.sent, cases[i].early);
        rig_to(&r, &p);
        rig_begin(&r, "POST", "/");
        r.half_duplex = cases[i].half_duplex;
        r.ex.request_body_len = cases[i].chunked ? -1 : RIG_MANY;
        r.to_send = RIG_MANY;
        r.stall = 20;
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        assert_true(atomic_load(&rig_taken) >= RIG_MANY);
        assert_int_equal(r.received, cases[i].early + 5);
        assert_memory_equal(r.last, "ended", 5);
        assert_false(r.failed);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- several upstreams ---- */

static void passes_over_an_upstream_that_is_down(void **state)
{
    struct peer up, down;
    struct rig r;
    char directive[128];

    (void)state;
    peer_start(&down, peer_serve, "");
    peer_stop(&down);
    peer_start(&up, peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    snprintf(directive, sizeof directive, "reverse_proxy 127.0.0.1:%u 127.0.0.1:%u", down.port,
             up.port);
    rig_init(&r, directive);
    for (int i = 0; i < 6; i++) {
        rig_begin(&r, i % 2 == 0 ? "GET" : "POST", "/");
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        rig_end_exchange(&r);
    }
    rig_fini(&r);
    peer_stop(&up);
    rig_init(&r, directive);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 502);
    rig_end_exchange(&r);
    rig_fini(&r);
}

static void serve_name(struct peer *s, int fd)
{
    char head[8192];

    while (peer_read_head(fd, head, sizeof head) && peer_say(fd, s->text))
        atomic_fetch_add(&s->sent, 1);
}

static void asks_upstreams_by_the_policy(void **state)
{
    static const struct {
        const char *policy;
        size_t least, most; /* of 40 requests, those that the first upstream gets */
    } cases[] = {{"first", 40, 40}, {"round_robin", 20, 20}, {"random", 1, 39}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer one, other;
        char text[128];
        struct rig r;

        peer_start(&one, serve_name, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer_start(&other, serve_name, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u 127.0.0.1:%u {\n lb_policy %s\n}",
                 one.port, other.port, cases[i].policy);
        rig_init(&r, text);
        for (int n = 0; n < 40; n++) {
            rig_ask(&r, "GET", "/", NULL, 0);
            assert_int_equal(r.ex.status, 200);
            rig_end_exchange(&r);
        }
        rig_fini(&r);
        peer_stop(&one);
        peer_stop(&other);
        assert_in_range(atomic_load(&one.sent), cases[i].least, cases[i].most);
    }
}

static void a_silent_upstream_is_given_up(void **state)
{
    struct peer p;
    struct rig r;
    char directive[160];

    (void)state;
    peer_start(&p, serve_until_gone, NULL);
    snprintf(directive, sizeof directive,
             "reverse_proxy 127.0.0.1:%u {\n transport http {\n response_header_timeout 50ms\n}\n}",
             p.port);
    rig_init(&r, directive);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 504);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_as_the_upstream_does),
        cmocka_unit_test(a_cut_response_stays_cut),
        cmocka_unit_test(a_slow_client_slows_the_upstream),
        cmocka_unit_test(a_client_that_goes_takes_the_upstream_along),
        cmocka_unit_test(streams_a_request_body),
        cmocka_unit_test(an_early_answer_does_not_cut_the_request),
        cmocka_unit_test(passes_over_an_upstream_that_is_down),
        cmocka_unit_test(asks_upstreams_by_the_policy),
        cmocka_unit_test(a_silent_upstream_is_given_up),
    };

    return rig_run_group(tests);
}
