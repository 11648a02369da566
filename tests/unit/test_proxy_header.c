/* PROXY headers, whole and byte by byte, and back. */
#include "io/proxy_header.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define V2 "\r\n\r\n\0\r\nQUIT\n"

struct header_case {
    const char *bytes;
    size_t n;
    enum proxy_header_verdict verdict;
    const char *from; /* "host port"; NULL: no address */
    size_t len;
};

#define CASE(text, ...)                                                                            \
    {                                                                                              \
        text, sizeof(text) - 1, __VA_ARGS__                                                        \
    }

static const struct header_case cases[] = {
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET", PROXY_HEADER_DONE, "192.0.2.1 56324",
         42),
    CASE("PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n", PROXY_HEADER_DONE,
         "255.255.255.255 65535", 56),
    CASE("PROXY TCP6 2001:db8::1 ::1 1 2\r\n", PROXY_HEADER_DONE, "2001:db8::1 1", 32),
    CASE("PROXY TCP4 1.2.3.4 1.2.3.5 0 0\r\n", PROXY_HEADER_DONE, "1.2.3.4 0", 32),
    CASE("PROXY UNKNOWN\r\n", PROXY_HEADER_DONE, NULL, 15),
    CASE("PROXY UNKNOWN ffff:f...f:ffff 1 2 3 anything\r\n", PROXY_HEADER_DONE, NULL, 46),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 56324\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 56324 443 9\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 65536 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 0443 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1 192.0.2.2 +443 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2 192.0.2.2 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 ::1 ::1 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1\0x 192.0.2.2 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP6 192.0.2.1 ::1 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY TCP4  192.0.2.1 192.0.2.2 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY UDP4 192.0.2.1 192.0.2.2 1 443\r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY \r\n", PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY \n", PROXY_HEADER_BAD, NULL, 0),
    CASE(
        "PROXY UNKNOWN 0123456789012345678901234567890123456789012345678901234567890123456789012345"
        "6789012345678901\r\n",
        PROXY_HEADER_BAD, NULL, 0),
    CASE("PROXY", PROXY_HEADER_MORE, NULL, 0),
    CASE("PROXY TCP4 192.0.2.1", PROXY_HEADER_MORE, NULL, 0),
    CASE("POST / HTTP/1.1\r\n", PROXY_HEADER_NONE, NULL, 0),
    CASE("\x16\x03\x01", PROXY_HEADER_NONE, NULL, 0),
    CASE("\r\n\r\nGET", PROXY_HEADER_NONE, NULL, 0),
    CASE("", PROXY_HEADER_MORE, NULL, 0),
    CASE(V2 "\x21\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbbGET", PROXY_HEADER_DONE,
         "192.0.2.1 56324", 28),
    CASE(V2 "\x21\x11\0\x0f\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb\x04\0\0GET",
         PROXY_HEADER_DONE, "192.0.2.1 56324", 31),
    CASE(V2 "\x21\x21\0\x24\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01\x20\x01\x0d\xb8\0\0\0\0\0\0"
            "\0\0\0\0\0\x02\0\x01\0\x02",
         PROXY_HEADER_DONE, "2001:db8::1 1", 52),
    CASE(V2 "\x20\0\0\0", PROXY_HEADER_DONE, NULL, 16),
    CASE(V2 "\x20\x11\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb", PROXY_HEADER_DONE, NULL,
         28),
    CASE(V2 "\x21\x31\0\x02xx", PROXY_HEADER_DONE, NULL, 18), /* a unix socket */
    CASE(V2 "\x21\x11\0\x0b\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01", PROXY_HEADER_BAD, NULL, 0),
    CASE(V2 "\x21\x21\0\x0c\xc0\0\x02\x01\xc0\0\x02\x02\xdc\x04\x01\xbb", PROXY_HEADER_BAD, NULL,
         0),
    CASE(V2 "\x22\x11\0\x0c", PROXY_HEADER_BAD, NULL, 0), /* an unknown command */
    CASE(V2 "\x11\x11\0\x0c", PROXY_HEADER_BAD, NULL, 0), /* version 1 */
    CASE(V2 "\x21\x11\xff\xff", PROXY_HEADER_BAD, NULL, 0),
    CASE(V2 "\x21\x11\0\x0c\xc0", PROXY_HEADER_MORE, NULL, 0),
    CASE(V2, PROXY_HEADER_MORE, NULL, 0),
};

static void assert_from(const struct proxy_header *h, const char *wanted)
{
    const struct sockaddr_in *in = (const void *)&h->from;
    const struct sockaddr_in6 *in6 = (const void *)&h->from;
    const bool v4 = h->from.ss_family == AF_INET;
    char host[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 8];

    assert_true(h->has_addr);
    inet_ntop(h->from.ss_family, v4 ? (const void *)&in->sin_addr : &in6->sin6_addr, host,
              sizeof host);
    snprintf(text, sizeof text, "%s %u", host, ntohs(v4 ? in->sin_port : in6->sin6_port));
    assert_string_equal(text, wanted);
}

/* Parsed in a block of its own size: what is read beyond shows under a sanitizer. */
static enum proxy_header_verdict parse(const char *p, size_t n, struct proxy_header *h)
{
    uint8_t *copy = xalloc(n + (n == 0));
    enum proxy_header_verdict verdict;

    memcpy(copy, p, n);
    verdict = proxy_header_parse(copy, n, h);
    free(copy);
    return verdict;
}

static void reads_what_is_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct header_case *c = &cases[i];
        struct proxy_header h;
        enum proxy_header_verdict verdict = parse(c->bytes, c->n, &h);

        if (verdict != c->verdict)
            fail_msg("case %zu: %d", i, verdict);
        if (verdict != PROXY_HEADER_DONE)
            continue;
        assert_int_equal(h.len, c->len);
        if (c->from == NULL)
            assert_false(h.has_addr);
        else
            assert_from(&h, c->from);
    }
}

/* A part of a header never looks like something else than a part. */
static void waits_for_the_whole(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proxy_header h;

        if (cases[i].verdict != PROXY_HEADER_DONE)
            continue;
        for (size_t n = 0; n < cases[i].len; n++)
            assert_int_equal(parse(cases[i].bytes, n, &h), PROXY_HEADER_MORE);
        assert_int_equal(parse(cases[i].bytes, cases[i].len, &h), PROXY_HEADER_DONE);
    }
}

static void writes_what_it_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct proxy_header h, again;
        uint8_t out[PROXY_HEADER_ROOM];

        if (cases[i].verdict != PROXY_HEADER_DONE)
            continue;
        parse(cases[i].bytes, cases[i].n, &h);
        for (unsigned version = 1; version <= 2; version++) {
            size_t n =
                proxy_header_format(version, (const void *)&h.from, (const void *)&h.to, out);

            assert_int_equal(proxy_header_parse(out, n, &again), PROXY_HEADER_DONE);
            assert_int_equal(again.len, n);
            assert_int_equal(again.has_addr, h.has_addr);
            if (!h.has_addr)
                continue;
            assert_from(&again, cases[i].from);
            assert_memory_equal(&again.to, &h.to, h.addr_len);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_is_there),
        cmocka_unit_test(waits_for_the_whole),
        cmocka_unit_test(writes_what_it_reads),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
