#include "handlers/upstream.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *text;
    const char *url; /* NULL: an error */
    const char *hostport;
    const char *unix_socket;
} addresses[] = {
    {"127.0.0.1:9000", "http://127.0.0.1:9000/", "127.0.0.1:9000", NULL},
    {":9000", "http://localhost:9000/", "localhost:9000", NULL},
    {"backend", "http://backend/", "backend", NULL},
    {"http://backend:80", "http://backend/", "backend", NULL},
    {"https://backend", "https://backend/", "backend", NULL},
    {"https://backend:8443", "https://backend:8443/", "backend:8443", NULL},
    {"[::1]:9000", "http://[::1]:9000/", "[::1]:9000", NULL},
    {"unix//run/app.sock", "http://localhost/", "localhost", "/run/app.sock"},
    {"", NULL, NULL, NULL},
    {":", NULL, NULL, NULL},
    {"host:0", NULL, NULL, NULL},
    {"host:65536", NULL, NULL, NULL},
    {"host:80-82", NULL, NULL, NULL},
    {"http://host/path", NULL, NULL, NULL},
    {"host/", NULL, NULL, NULL},
    {"h2c://host:8080", "http://host:8080/", "host:8080", NULL},
    {"unix+h2c//run/app.sock", "http://localhost/", "localhost", "/run/app.sock"},
    {"ftp://host:80", NULL, NULL, NULL},
    {"{env}:80", NULL, NULL, NULL},
    {"user@host:80", NULL, NULL, NULL},
    {"[::1:80", NULL, NULL, NULL},
    {"unix/relative", NULL, NULL, NULL},
    {"ho st", NULL, NULL, NULL},
};

static void reads_upstream_addresses(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct upstream u;
        struct err e = {0};
        int rc = upstream_parse(a, str_of(addresses[i].text), &(struct upstream_how){0}, &u, &e);

        assert_int_equal(rc, addresses[i].url == NULL ? -1 : 0);
        if (rc != 0)
            continue;
        assert_string_equal(u.url, addresses[i].url);
        assert_true(str_is(u.names.hostport, addresses[i].hostport));
        assert_int_equal(u.unix_socket == NULL, addresses[i].unix_socket == NULL);
        if (u.unix_socket != NULL)
            assert_string_equal(u.unix_socket, addresses[i].unix_socket);
    }
    arena_free(a);
}

static const uint16_t plain_ports[] = {8080, 0};

static const struct {
    const char *text;
    struct upstream_how how;
    const char *url; /* NULL: an error */
    const char *connect_to;
    enum transfer_http http;
} transports[] = {
    {"a", {.tls = true}, "https://a/", NULL, TRANSFER_HTTP1},
    {"a:80", {.tls = true}, "https://a:80/", NULL, TRANSFER_HTTP1},
    {"a:80", {.http2 = true}, "http://a/", NULL, TRANSFER_HTTP1},
    {"a:8443", {.tls = true, .http2 = true}, "https://a:8443/", NULL, TRANSFER_HTTP2},
    {"a:8080",
     {.tls = true, .http2 = true, .plain_ports = plain_ports, .n_plain_ports = 1},
     "http://a:8080/",
     NULL,
     TRANSFER_HTTP1},
    {"a:8081",
     {.tls = true, .plain_ports = plain_ports, .n_plain_ports = 1},
     "https://a:8081/",
     NULL,
     TRANSFER_HTTP1},
    {"a:80", {.h2c = true}, "http://a/", NULL, TRANSFER_H2C},
    {"h2c://a:80", {0}, "http://a/", NULL, TRANSFER_H2C},
    {"unix+h2c//s", {0}, "http://localhost/", NULL, TRANSFER_H2C},
    {"unix//s", {.tls = true, .server_name = "b"}, "https://b/", NULL, TRANSFER_HTTP1},
    {"10.0.0.1", {.tls = true, .server_name = "b"}, "https://b:443/", "10.0.0.1:443", 0},
    {"https://[::1]:8443", {.tls = true, .server_name = "b"}, "https://b:8443/", "[::1]:8443", 0},
    {"http://a", {.server_name = "b"}, "http://a/", NULL, TRANSFER_HTTP1},
    {"http://a", {.tls = true}, NULL, NULL, 0},
    {"h2c://a", {.tls = true}, NULL, NULL, 0},
    {"https://a", {.h2c = true}, NULL, NULL, 0},
    {"a", {.tls = true, .h2c = true}, NULL, NULL, 0},
};

static void says_how_upstreams_are_spoken_with(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(transports); i++) {
        struct upstream u;
        struct err e = {0};
        int rc = upstream_parse(a, str_of(transports[i].text), &transports[i].how, &u, &e);

        assert_int_equal(rc, transports[i].url == NULL ? -1 : 0);
        if (rc != 0)
            continue;
        assert_string_equal(u.url, transports[i].url);
        assert_int_equal(u.connect_to == NULL, transports[i].connect_to == NULL);
        if (u.connect_to != NULL)
            assert_string_equal(u.connect_to, transports[i].connect_to);
        assert_int_equal(u.http, transports[i].http);
    }
    arena_free(a);
}

static void reads_ranges_of_ports(void **state)
{
    static const struct {
        const char *text;
        const char *rest; /* NULL: no range */
        unsigned first, last;
    } cases[] = {{"localhost:8001-8006", "localhost:", 8001, 8006},
                 {"https://[::1]:1-65535", "https://[::1]:", 1, 65535},
                 {":5-3", ":", 5, 3},
                 {"localhost:80", NULL, 0, 0},
                 {"a-b", NULL, 0, 0},
                 {"a:1-b", NULL, 0, 0},
                 {"a:1-65536", NULL, 0, 0},
                 {"a:1-2-3", NULL, 0, 0},
                 {"unix//a:1-2/b", NULL, 0, 0},
                 {"", NULL, 0, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        unsigned first, last;
        struct str rest;

        assert_int_equal(upstream_has_range(str_of(cases[i].text), &rest, &first, &last),
                         cases[i].rest != NULL);
        if (cases[i].rest == NULL)
            continue;
        assert_true(str_is(rest, cases[i].rest));
        assert_int_equal(first, cases[i].first);
        assert_int_equal(last, cases[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_upstream_addresses),
        cmocka_unit_test(says_how_upstreams_are_spoken_with),
        cmocka_unit_test(reads_ranges_of_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
