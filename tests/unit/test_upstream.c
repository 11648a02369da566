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
    {"h2c://host:80", NULL, NULL, NULL},
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
        int rc = upstream_parse(a, str_of(addresses[i].text), &u, &e);

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
        cmocka_unit_test(reads_ranges_of_ports),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
