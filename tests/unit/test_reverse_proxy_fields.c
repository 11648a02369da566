/* The messages that a proxy makes of others. */
#include "proxy_rig.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* ---- fields ---- */

static const struct field request_fields[] = {
    {STR_LIT("Host"), STR_LIT("example.org:8080")},
    {STR_LIT("Accept"), STR_LIT("text/html")},
    {STR_LIT("Connection"), STR_LIT("keep-alive, X-Mine ,close")},
    {STR_LIT("connection"), STR_LIT("X-Other")},
    {STR_LIT("X-Mine"), STR_LIT("1")},
    {STR_LIT("x-other"), STR_LIT("1")},
    {STR_LIT("Keep-Alive"), STR_LIT("timeout=5")},
    {STR_LIT("Proxy-Connection"), STR_LIT("close")},
    {STR_LIT("Proxy-Authorization"), STR_LIT("Basic eA==")},
    {STR_LIT("TE"), STR_LIT("trailers")},
    {STR_LIT("Upgrade"), STR_LIT("websocket")},
    {STR_LIT("Expect"), STR_LIT("100-continue")},
    {STR_LIT("X-Forwarded-For"), STR_LIT("10.0.0.1")},
    {STR_LIT("X-Forwarded-Proto"), STR_LIT("https")},
    {STR_LIT("x-forwarded-host"), STR_LIT("evil.example")},
    {STR_LIT("X_Forwarded_For"), STR_LIT("10.0.0.1")},
    {STR_LIT("Via"), STR_LIT("1.1 before")},
    {STR_LIT("X-Empty"), STR_LIT("")},
    {STR_LIT("Cookie"), STR_LIT("a=b")},
};

static void add_request_fields(struct rig *r)
{
    for (size_t i = 0; i < ARRAY_LEN(request_fields); i++)
        fields_add(&r->ex.request, r->arena, request_fields[i].name, request_fields[i].value);
}

static void hands_on_what_is_for_the_upstream(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, rig_serve_seen,
               "HTTP/1.1 203 Sure\r\nServer: app\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
               "Keep-Alive: timeout=5\r\nTrailer: X\r\nUpgrade: h2c\r\nSet-Cookie: a=1\r\n"
               "Set-Cookie: b=2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nVia: 1.0 inner\r\n"
               "Content-Length: 2\r\n\r\nok");
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/a%2Fb/../c?x=%7e&y=z w");
    add_request_fields(&r);
    rig_run(&r);
    assert_int_equal(r.ex.status, 203);
    assert_string_equal(rig_seen,
                        "GET /a%2Fb/../c?x=%7e&y=z w HTTP/1.1\r\nHost: example.org:8080\r\n"
                        "Accept: text/html\r\nVia: 1.1 before\r\nX-Empty:\r\nCookie: a=b\r\n"
                        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
                        "X-Forwarded-Host: example.org:8080\r\nVia: 1.1 Lintel\r\n"
                        "TE: trailers\r\nConnection: TE\r\n\r\n");
    assert_string_equal(rig_text(&r.fields),
                        "Server=app|Set-Cookie=a=1|Set-Cookie=b=2|"
                        "Date=Sun, 06 Nov 1994 08:49:37 GMT|Via=1.0 inner|Via=1.1 Lintel|");
    assert_string_equal(rig_text(&r.body), "ok");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void states_that_a_post_is_empty(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    rig_to(&r, &p);
    rig_begin(&r, "POST", "http://example.org/?");
    rig_run(&r);
    assert_string_equal(rig_seen, "POST /? HTTP/1.1\r\nHost: example.org\r\n"
                                  "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
                                  "X-Forwarded-Host: example.org\r\nVia: 1.1 Lintel\r\n"
                                  "Content-Length: 0\r\n\r\n");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void changes_fields_as_told(void **state)
{
    static const struct field fields[] = {{STR_LIT("Cookie"), STR_LIT("a=b")},
                                          {STR_LIT("x-any-one"), STR_LIT("1")},
                                          {STR_LIT("X-Any-Two"), STR_LIT("2")},
                                          {STR_LIT("A-Id"), STR_LIT("3")},
                                          {STR_LIT("X-Re"), STR_LIT("abc axc")}};
    struct peer p;
    struct rig r;
    char directive[640];

    (void)state;
    peer_start(&p, rig_serve_seen,
               "HTTP/1.1 200 OK\r\nX-Secret: 1\r\nServer: app\r\nX-Re: http://a http://b\r\n"
               "Content-Length: 0\r\n\r\n");
    snprintf(directive, sizeof directive,
             "reverse_proxy {\n to 127.0.0.1:%u\n header_up Host {upstream_hostport}\n"
             " header_up -Cookie\n header_up X-Path {path}\n header_up +Accept image/*\n"
             " header_up X-Forwarded-For {remote_host}!\n header_up -X-Any-*\n"
             " header_up -*-Id\n header_up X-Re a(.)c <$1>\n header_down -X-Secret\n"
             " header_down Server mine\n header_down X-Re http:// https://\n}",
             p.port);
    rig_init(&r, directive);
    rig_ask(&r, "GET", "/a%0d%0aEvil:%201", fields, ARRAY_LEN(fields));
    snprintf(directive, sizeof directive,
             "GET /a%%0d%%0aEvil:%%201 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "X-Re: <b> <x>\r\nX-Forwarded-For: 192.0.2.7!\r\nX-Forwarded-Proto: http\r\n"
             "X-Forwarded-Host: example.org:8080\r\nVia: 1.1 Lintel\r\nAccept: image/*\r\n"
             "X-Path: /a  Evil: 1\r\n\r\n",
             p.port);
    assert_string_equal(rig_seen, directive);
    assert_string_equal(rig_text(&r.fields),
                        "Server=mine|X-Re=https://a https://b|Via=1.1 Lintel|");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* One Host line reaches the upstream, whatever is said: two could mean two sites. */
static void leaves_one_host(void **state)
{
    static const struct {
        const char *option;
        const char *host; /* NULL: that of the upstream */
    } cases[] = {{"header_up +Host b.example", "example.org:8080"},
                 {"header_up Host b.example", "b.example"},
                 {"header_up Host {header.X-None}", NULL},
                 {"header_up -Host", NULL},
                 {"header_up -*", NULL},
                 {"header_up Host \"(.*)\" \"$1\n.evil\"", "example.org:8080 .evil"},
                 {"header_up Host {header.X-Host}", "c.example"}};
    static const struct field fields[] = {{STR_LIT("Host"), STR_LIT("d.example")},
                                          {STR_LIT("X-Host"), STR_LIT("c.example")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], wanted[128];
        struct peer p;
        struct rig r;

        peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n%s\n}", p.port, cases[i].option);
        rig_init(&r, text);
        rig_ask(&r, "GET", "/", fields, ARRAY_LEN(fields));
        snprintf(wanted, sizeof wanted, "\r\nHost: 127.0.0.1:%u\r\n", p.port);
        if (cases[i].host != NULL)
            snprintf(wanted, sizeof wanted, "\r\nHost: %s\r\n", cases[i].host);
        if (strstr(rig_seen, wanted) == NULL)
            fail_msg("%s: %s", cases[i].option, rig_seen);
        assert_null(strstr(strstr(rig_seen, "Host:") + 1, "\nHost:"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- trusted_proxies ---- */

static const struct {
    const char *option;
    const char *peer;
    bool forged;
    const char *lines;
} trusting[] = {
    {"", "192.0.2.7", true,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies 192.0.2.0/24", "192.0.2.7", true,
     "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
     "X-Forwarded-Host: good.example\r\n"},
    {"trusted_proxies 192.0.2.0/24", "192.0.2.7", false,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies private_ranges 192.0.2.9", "192.0.2.7", true,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies private_ranges\n trusted_proxies 192.0.2.7", "192.0.2.7", true,
     "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.7\r\n"},
};

static void believes_only_trusted_proxies(void **state)
{
    static const struct field forged[] = {{STR_LIT("x-forwarded-for"), STR_LIT("10.0.0.1")},
                                          {STR_LIT("X-Forwarded-For"), STR_LIT("10.0.0.2")},
                                          {STR_LIT("X_Forwarded_For"), STR_LIT("10.0.0.3")},
                                          {STR_LIT("X-Forwarded-Proto"), STR_LIT("gopher")},
                                          {STR_LIT("X-Forwarded-Proto"), STR_LIT("https")},
                                          {STR_LIT("X-Forwarded-Host"), STR_LIT("good.example")},
                                          {STR_LIT("Connection"), STR_LIT("X-Forwarded-For")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trusting); i++) {
        struct sockaddr_in peer = {.sin_family = AF_INET};
        char text[256];
        struct peer p;
        struct rig r;

        assert_int_equal(inet_pton(AF_INET, trusting[i].peer, &peer.sin_addr), 1);
        peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n %s\n}", p.port,
                 trusting[i].option);
        rig_init(&r, text);
        rig_begin(&r, "GET", "/");
        r.ex.peer = (const struct sockaddr *)&peer;
        for (size_t j = 0; trusting[i].forged && j < ARRAY_LEN(forged); j++)
            fields_add(&r.ex.request, r.arena, forged[j].name, forged[j].value);
        rig_run(&r);
        if (strstr(rig_seen, trusting[i].lines) == NULL)
            fail_msg("%s: %s", trusting[i].option, rig_seen);
        assert_null(strstr(rig_seen, "10.0.0.3"));
        assert_null(strstr(rig_seen, "gopher"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- method, rewrite ---- */

static const struct {
    const char *options;
    const char *method;
    const char *target;
    const char *line; /* what the upstream gets; NULL: nothing */
    int status;
} asked[] = {
    {"method POST", "GET", "/a", "POST /a ", 200},
    {"method post", "GET", "/a", "POST /a ", 200},
    {"method {header.X-Method}", "GET", "/a", "PURGE /a ", 200},
    {"method {header.X-None}", "GET", "/a", NULL, 400},
    {"method {header.X-Tunnel}", "GET", "/a", NULL, 405},
    {"rewrite /new{uri}", "GET", "/r/a%20b?c=d", "GET /new/r/a%20b?c=d ", 200},
    {"rewrite /fixed?a=b", "PUT", "/q?x=y", "PUT /fixed?a=b ", 200},
    {"rewrite /fixed", "GET", "/q?x=y", "GET /fixed?x=y ", 200},
    {"rewrite /f?q={header.X-Split}", "GET", "/", "GET /f?q=a%0D%0AX%3A+b ", 200},
    {"rewrite /f/{header.X-Split}", "GET", "/", "GET /f/a%0D%0AX:%20b ", 200},
    {"rewrite /f/{header.X-Up}", "GET", "/", NULL, 400},
    {"rewrite /new\n method PUT\n header_up X-Uri \"{method} {uri}\"", "GET", "/a?b", "PUT /new?b ",
     200},
};

static void asks_for_something_else(void **state)
{
    static const struct field fields[] = {{STR_LIT("X-Method"), STR_LIT("Purge")},
                                          {STR_LIT("X-Tunnel"), STR_LIT("connect")},
                                          {STR_LIT("X-Split"), STR_LIT("a\r\nX: b")},
                                          {STR_LIT("X-Up"), STR_LIT("../x")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        char text[256];
        struct peer p;
        struct rig r;

        rig_seen[0] = '\0';
        peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n header_up -X-*\n%s\n}", p.port,
                 asked[i].options);
        rig_init(&r, text);
        rig_ask(&r, asked[i].method, asked[i].target, fields, ARRAY_LEN(fields));
        if (r.ex.status != asked[i].status ||
            (asked[i].line == NULL ? rig_seen[0] != '\0'
                                   : strncmp(rig_seen, asked[i].line, strlen(asked[i].line)) != 0))
            fail_msg("%s: %d %s", asked[i].options, r.ex.status, rig_seen);
        assert_true(str_is(r.ex.method, asked[i].method));
        assert_null(r.ex.original);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* With GET and HEAD the body stays with the client, for others to read. */
static void keeps_the_body_of_a_get(void **state)
{
    static const char *const methods[] = {"GET", "HEAD"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        char text[128];
        struct peer p;
        struct rig r;

        peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n method %s\n}", p.port,
                 methods[i]);
        rig_init(&r, text);
        rig_begin(&r, "POST", "/");
        fields_add(&r.ex.request, r.arena, STR_LIT("Content-Length"), STR_LIT("100"));
        r.ex.request_body_len = 100;
        r.to_send = 100;
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        assert_int_equal(r.to_send, 100);
        assert_null(strstr(rig_seen, "Content-Length"));
        assert_null(strstr(rig_seen, "chunked"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The length in the answer to a HEAD is that of a body which does not come. */
static void a_head_gives_a_get_no_body(void **state)
{
    char text[128];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, rig_serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n");
    snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n method HEAD\n}", p.port);
    rig_init(&r, text);
    rig_ask(&r, "GET", "/", NULL, 0);
    assert_int_equal(r.ex.status, 200);
    assert_int_equal(r.kind, BODY_NONE);
    assert_false(r.failed);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_on_what_is_for_the_upstream),
        cmocka_unit_test(states_that_a_post_is_empty),
        cmocka_unit_test(changes_fields_as_told),
        cmocka_unit_test(leaves_one_host),
        cmocka_unit_test(believes_only_trusted_proxies),
        cmocka_unit_test(asks_for_something_else),
        cmocka_unit_test(keeps_the_body_of_a_get),
        cmocka_unit_test(a_head_gives_a_get_no_body),
    };

    return rig_run_group(tests);
}
