/* Site addresses. */
#include "conf/address.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
    const char *text;
    enum address_scheme scheme;
    enum host_kind kind;
    bool local;
    const char *host;
    uint16_t port;
} good[] = {
    {"example.com", SCHEME_NONE, HOST_NAME, false, "example.com", 0},
    {"EXAMPLE.Com", SCHEME_NONE, HOST_NAME, false, "example.com", 0},
    {"example.com/", SCHEME_NONE, HOST_NAME, false, "example.com", 0},
    {"example.com:8443", SCHEME_NONE, HOST_NAME, false, "example.com", 8443},
    {"http://example.com", SCHEME_HTTP, HOST_NAME, false, "example.com", 0},
    {"HTTPS://example.com:1", SCHEME_HTTPS, HOST_NAME, false, "example.com", 1},
    {"xn--bcher-kva.example", SCHEME_NONE, HOST_NAME, false, "xn--bcher-kva.example", 0},
    {"a_b.example.com", SCHEME_NONE, HOST_NAME, false, "a_b.example.com", 0},
    {"3com.com", SCHEME_NONE, HOST_NAME, false, "3com.com", 0},
    {A63 ".com", SCHEME_NONE, HOST_NAME, false, A63 ".com", 0},
    {"router", SCHEME_NONE, HOST_NAME, false, "router", 0},
    {"*.example.com", SCHEME_NONE, HOST_WILDCARD, false, "*.example.com", 0},
    {"localhost", SCHEME_NONE, HOST_NAME, true, "localhost", 0},
    {"localhost:8080", SCHEME_NONE, HOST_NAME, true, "localhost", 8080},
    {"a.localhost", SCHEME_NONE, HOST_NAME, true, "a.localhost", 0},
    {"*.localhost", SCHEME_NONE, HOST_WILDCARD, true, "*.localhost", 0},
    {"nas.local", SCHEME_NONE, HOST_NAME, true, "nas.local", 0},
    {"a.internal", SCHEME_NONE, HOST_NAME, true, "a.internal", 0},
    {"box.home.arpa", SCHEME_NONE, HOST_NAME, true, "box.home.arpa", 0},
    {"notlocalhost", SCHEME_NONE, HOST_NAME, false, "notlocalhost", 0},
    {"192.0.2.1", SCHEME_NONE, HOST_IP, true, "192.0.2.1", 0},
    {"192.0.2.1:80", SCHEME_NONE, HOST_IP, true, "192.0.2.1", 80},
    {"[::1]", SCHEME_NONE, HOST_IP, true, "::1", 0},
    {"[2001:DB8:0::1]:443", SCHEME_NONE, HOST_IP, true, "2001:db8::1", 443},
    {"http://[::1]:8080", SCHEME_HTTP, HOST_IP, true, "::1", 8080},
    {":8080", SCHEME_NONE, HOST_ANY, false, "", 8080},
    {":65535", SCHEME_NONE, HOST_ANY, false, "", 65535},
    {"http://", SCHEME_HTTP, HOST_ANY, false, "", 0},
    {"https://", SCHEME_HTTPS, HOST_ANY, false, "", 0},
#ifdef HAVE_IDN2
    {"B\xc3\x9c"
     "cher.example:1",
     SCHEME_NONE, HOST_NAME, false, "xn--bcher-kva.example", 1},
    {"bu\xcc\x88"
     "cher.local",
     SCHEME_NONE, HOST_NAME, true, "xn--bcher-kva.local", 0},
    {"*.fa\xc3\x9f.de", SCHEME_NONE, HOST_WILDCARD, false, "*.xn--fa-hia.de", 0},
    {"a_b.\xe4\xbe\x8b\xe3\x81\x88\xe3\x80\x82\xe3\x83\x86\xe3\x82\xb9\xe3\x83\x88", SCHEME_NONE,
     HOST_NAME, false, "a_b.xn--r8jz45g.xn--zckzah", 0},
#endif
    {"http://:8080", SCHEME_HTTP, HOST_ANY, false, "", 8080},
};

static const struct {
    const char *text;
    const char *why;
} bad[] = {
    {"", "an empty address"},
    {"ftp://a.com", "unknown scheme 'ftp': use http or https"},
    {"a.com/x", "a site address has no path: in the block of the site, 'handle_path /x' or a "
                "matcher does what is meant"},
    {"http://a.com/x*", "a site address has no path: in the block of the site, 'handle_path /x*' "
                        "or a matcher does what is meant"},
    {"/x", "a site address has no path: in the block of the site, 'handle_path /x' or a matcher "
           "does what is meant"},
    {"a.com:", "'' is no port (1 to 65535)"},
    {"a.com:0", "'0' is no port (1 to 65535)"},
    {"a.com:65536", "'65536' is no port (1 to 65535)"},
    {"a.com:http", "'http' is no port (1 to 65535)"},
    {"a.com:80-90", "'80-90' is no port (1 to 65535)"},
    {"::1", "an IPv6 address must stand in brackets: '[::1]'"},
    {"[::1", "'[::1' is no IPv6 address"},
    {"[::1]x", "'[::1]x' is no IPv6 address"},
    {"[1.2.3.4]", "'[1.2.3.4]' is no IPv6 address"},
    {"[]", "'[]' is no IPv6 address"},
    {"1.2.3.400", "'1.2.3.400' is neither a host name nor an IP address"},
    {"1234", "'1234' is neither a host name nor an IP address"},
    {"a..com", "a host name has no empty part between its dots"},
    {".com", "a host name has no empty part between its dots"},
    {"a.com.", "write the host name without the dot at its end"},
    {"-a.com", "a part of a host name neither begins nor ends with '-'"},
    {"a-.com", "a part of a host name neither begins nor ends with '-'"},
    {"a b.com", "' ' cannot be part of a host name"},
    {"a@b.com", "'@' cannot be part of a host name"},
    {"{$HOST}", "'{' cannot be part of a host name"},
#ifdef HAVE_IDN2
    {"a.\xc3.com", "this is no international host name: string encoding error"},
    {"a b.\xc3\xbc", "' ' cannot be part of a host name"},
    {"\xef\xbc\x91.2.3.4", "'1.2.3.4' is neither a host name nor an IP address"},
    {"*." A63 "." A63 "." A63 ".\xc3\xbc"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "a host name is longer than 253 bytes"},
#else
    {"b\xc3\xbc"
     "cher.example",
     "this lintel was built without libidn2: write the host name in its ASCII form ('xn--...')"},
#endif
    {"*",
     "'*' needs a domain after it ('*.example.com'); leave the host out for any host (':443')"},
    {"*.", "write the host name without the dot at its end"},
    {"*.*.a.com", "'*' can only be the whole first part of a host name"},
    {"a*.a.com", "'*' can only be the whole first part of a host name"},
    {"a.*.com", "'*' can only be the whole first part of a host name"},
    {A63 "a.com", "a part of a host name is longer than 63"},
    {A63 "." A63 "." A63 "." A63 ".com", "a host name is longer than 253 bytes"},
};

static void takes_good_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct address a;
        struct err e = {0};

        if (address_parse(str_of(good[i].text), &a, &e) != 0)
            fail_msg("%s: %s", good[i].text, e.msg);
        assert_string_equal(a.host, good[i].host);
        assert_int_equal(a.scheme, good[i].scheme);
        assert_int_equal(a.kind, good[i].kind);
        assert_int_equal(a.local, good[i].local);
        assert_int_equal(a.port, good[i].port);
    }
}

static void refuses_bad_addresses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct address a;
        struct err e = {0};

        if (address_parse(str_of(bad[i].text), &a, &e) == 0)
            fail_msg("'%s' was taken", bad[i].text);
        assert_string_equal(e.msg, bad[i].why);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_good_addresses),
        cmocka_unit_test(refuses_bad_addresses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
