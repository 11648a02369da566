/* The ClientHello parser: real hellos as captured from programs (tests/fuzz/corpus/client_hello),
 * each cut, fragmented and damaged at every place, and a table of hand-made ones. */
#include "base/file.h"
#include "server/client_hello.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

enum { NONE = 0, ALPN = 1, HTTP1 = 2, H2 = 4, ACME = 8, TICKET = 16 };

static const struct {
    const char *file;
    const char *sni;
    uint16_t min, max;
    unsigned flags;
} real[] = {
    {"openssl", "www.example.com", 0x0301, 0x0304, NONE},
    {"openssl-tls11", "", 0x0300, 0x0302, NONE},
    {"openssl-tls12", "example.com", 0x0300, 0x0303, ALPN | HTTP1},
    {"openssl-tls13", "", 0x0304, 0x0304, NONE},
    {"openssl-acme", "acme.example", 0x0301, 0x0304, ALPN | ACME},
    {"openssl-h2-only", "h2.example", 0x0301, 0x0304, ALPN | H2},
    {"openssl-fragmented", "split.example", 0x0301, 0x0304, ALPN},
    {"openssl-ticket-tls12", "ticket.example", 0x0300, 0x0303, TICKET},
    {"openssl-ticket-tls13", "ticket.example", 0x0304, 0x0304, TICKET},
    {"gnutls", "gnutls.example", 0x0301, 0x0304, ALPN | HTTP1 | H2},
    {"gnutls-tls12", "gnutls.example", 0x0300, 0x0303, NONE},
    {"curl", "curl.example", 0x0301, 0x0304, ALPN | HTTP1},
    {"curl-h2", "curl.example", 0x0301, 0x0304, ALPN | HTTP1 | H2},
    {"curl-ip", "", 0x0301, 0x0304, ALPN | HTTP1 | H2},
    {"chromium", "chromium.example", 0x0303, 0x0304, ALPN | HTTP1 | H2},
};

static unsigned flags_of(const struct client_hello *h)
{
    return (h->alpn ? ALPN : 0u) | (h->alpn_http1 ? HTTP1 : 0u) | (h->alpn_h2 ? H2 : 0u) |
           (h->alpn_acme ? ACME : 0u) | (h->has_ticket ? TICKET : 0u);
}

/* In memory of exactly its size, so that a sanitizer sees a read beyond the end. */
static enum hello_verdict parse_exact(const uint8_t *p, size_t len, struct client_hello *h)
{
    uint8_t *copy = malloc(len == 0 ? 1 : len);
    enum hello_verdict verdict;

    assert_non_null(copy);
    memcpy(copy, p, len);
    verdict = client_hello_parse(copy, len, h);
    free(copy);
    return verdict;
}

static void load(const char *file, struct buf *b)
{
    const char *top = getenv("top_srcdir");
    char path[4096];
    struct err e;

    buf_init(b, CLIENT_HELLO_MAX);
    snprintf(path, sizeof path, "%s/tests/fuzz/corpus/client_hello/%s", top == NULL ? "." : top,
             file);
    if (file_read(AT_FDCWD, path, b, &e) != 0)
        fail_msg("%s", e.msg);
}

static void assert_real(size_t i, const struct client_hello *h)
{
    assert_string_equal(h->sni, real[i].sni);
    assert_int_equal(h->sni_len, strlen(real[i].sni));
    assert_int_equal(h->min_version, real[i].min);
    assert_int_equal(h->max_version, real[i].max);
    assert_int_equal(flags_of(h), real[i].flags);
}

static void reads_real_hellos(void **state)
{
    struct client_hello h;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        load(real[i].file, &b);
        assert_int_equal(parse_exact((uint8_t *)b.p, b.len, &h), HELLO_OK);
        assert_real(i, &h);
        for (size_t len = 0; len < b.len; len++) {
            assert_int_equal(parse_exact((uint8_t *)b.p, len, &h), HELLO_MORE);
            assert_int_equal(h.max_version, 0);
        }
        /* Early data or whatever follows does not matter. */
        assert_int_equal(buf_puts(&b, "anything"), 0);
        assert_int_equal(parse_exact((uint8_t *)b.p, b.len, &h), HELLO_OK);
        assert_real(i, &h);
        buf_fini(&b);
    }
}

/* Only the message, out of its records. */
static size_t unwrap(const struct buf *records, uint8_t *out)
{
    const uint8_t *p = (const uint8_t *)records->p;
    size_t n = 0;

    for (size_t at = 0; at < records->len;) {
        size_t len = (size_t)p[at + 3] << 8 | p[at + 4];

        memcpy(out + n, p + at + 5, len);
        n += len;
        at += 5 + len;
    }
    return n;
}

static size_t put_record(uint8_t *out, const uint8_t *p, size_t len)
{
    const uint8_t header[] = {22, 3, 1, (uint8_t)(len >> 8), (uint8_t)len};

    memcpy(out, header, sizeof header);
    memcpy(out + sizeof header, p, len);
    return sizeof header + len;
}

static void reads_fragments(void **state)
{
    static uint8_t message[CLIENT_HELLO_MAX], out[6 * CLIENT_HELLO_MAX];
    struct client_hello h;
    struct buf b;

    (void)state;
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        size_t len, n;

        load(real[i].file, &b);
        len = unwrap(&b, message);
        for (size_t cut = 1; cut < len; cut++) { /* in two */
            n = put_record(out, message, cut);
            assert_int_equal(client_hello_parse(out, n, &h), HELLO_MORE);
            n += put_record(out + n, message + cut, len - cut);
            assert_int_equal(client_hello_parse(out, n - 1, &h), HELLO_MORE);
            assert_int_equal(parse_exact(out, n, &h), HELLO_OK);
            assert_real(i, &h);
        }
        for (size_t size = 1; size < 7; size++) { /* in many */
            n = 0;
            for (size_t at = 0; at < len; at += size)
                n += put_record(out + n, message + at, len - at < size ? len - at : size);
            assert_int_equal(parse_exact(out, n, &h), HELLO_OK);
            assert_real(i, &h);
        }
        buf_fini(&b);
    }
}

/* No verdict is demanded, but none may read out of bounds, and only a good one may fill in. */
static void survives_damage(void **state)
{
    static const uint8_t flips[] = {0x01, 0x02, 0x80, 0xff};
    struct client_hello h, zero;
    struct buf b;

    (void)state;
    memset(&zero, 0, sizeof zero);
    for (size_t i = 0; i < sizeof real / sizeof real[0]; i++) {
        load(real[i].file, &b);
        for (size_t at = 0; at < b.len * sizeof flips; at++) {
            uint8_t *byte = (uint8_t *)b.p + at / sizeof flips;

            *byte ^= flips[at % sizeof flips];
            if (parse_exact((uint8_t *)b.p, b.len, &h) != HELLO_OK)
                assert_memory_equal(&h, &zero, sizeof h);
            assert_int_equal(strlen(h.sni), h.sni_len);
            *byte ^= flips[at % sizeof flips];
        }
        buf_fini(&b);
    }
}

/* ---- hand-made ---- */

/* extensions: the bytes of the extension list, in hexadecimal. */
static const struct {
    const char *what;
    const char *extensions;
    enum hello_verdict verdict;
    const char *sni;
    uint16_t min, max;
    unsigned flags;
} made[] = {
    {"none", "", HELLO_OK, "", 0x0300, 0x0303, NONE},
    {"upper case", "0000 0006 0004 00 0001 41", HELLO_OK, "a", 0x0300, 0x0303, NONE},
    {"final dot", "0000 0008 0006 00 0003 622e 2e", HELLO_OK, "b.", 0x0300, 0x0303, NONE},
    {"a dot alone", "0000 0006 0004 00 0001 2e", HELLO_BAD, "", 0, 0, NONE},
    {"empty name", "0000 0005 0003 00 0000", HELLO_BAD, "", 0, 0, NONE},
    {"NUL in a name", "0000 0007 0005 00 0002 6100", HELLO_BAD, "", 0, 0, NONE},
    {"slash in a name", "0000 0006 0004 00 0001 2f", HELLO_BAD, "", 0, 0, NONE},
    {"no names", "0000 0002 0000", HELLO_OK, "", 0x0300, 0x0303, NONE},
    {"empty extension", "0000 0000", HELLO_BAD, "", 0, 0, NONE},
    {"unknown name type first", "0000 000a 0008 07 0001 ff 00 0001 61", HELLO_OK, "a", 0x0300,
     0x0303, NONE},
    {"two names", "0000 000a 0008 00 0001 61 00 0001 62", HELLO_BAD, "", 0, 0, NONE},
    {"extension twice", "0000 0006 0004 00 0001 61 0000 0006 0004 00 0001 62", HELLO_BAD, "", 0, 0,
     NONE},
    {"unknown extension twice", "1234 0000 1234 0000", HELLO_OK, "", 0x0300, 0x0303, NONE},
    {"name beyond its list", "0000 0006 0004 00 0002 61", HELLO_BAD, "", 0, 0, NONE},
    {"rest after the list", "0000 0007 0004 00 0001 61 00", HELLO_BAD, "", 0, 0, NONE},
    {"extension beyond the list", "0000 00ff 00", HELLO_BAD, "", 0, 0, NONE},
    {"half an extension header", "0000 00", HELLO_BAD, "", 0, 0, NONE},
    {"http/1.0", "0010 000b 0009 08 687474702f312e30", HELLO_OK, "", 0x0300, 0x0303, ALPN | HTTP1},
    {"empty protocol", "0010 0003 0001 00", HELLO_BAD, "", 0, 0, NONE},
    {"no protocols", "0010 0002 0000", HELLO_OK, "", 0x0300, 0x0303, ALPN},
    {"GREASE protocol", "0010 0008 0006 02 0a0a 02 6832", HELLO_OK, "", 0x0300, 0x0303, ALPN | H2},
    {"versions with GREASE", "002b 0007 06 7a7a 0304 0303", HELLO_OK, "", 0x0303, 0x0304, NONE},
    {"TLS 1.3 alone", "002b 0003 02 0304", HELLO_OK, "", 0x0304, 0x0304, NONE},
    {"unknown versions alone", "002b 0005 04 7f1c 0305", HELLO_OK, "", 0, 0, NONE},
    {"odd version list", "002b 0004 03 030403", HELLO_BAD, "", 0, 0, NONE},
    {"ticket of 15 bytes", "0023 000f 000102030405060708090a0b0c0d0e", HELLO_OK, "", 0x0300, 0x0303,
     NONE},
    {"ticket of 16 bytes", "0023 0010 000102030405060708090a0b0c0d0e0f", HELLO_OK, "", 0x0300,
     0x0303, TICKET},
    {"empty ticket", "0023 0000", HELLO_OK, "", 0x0300, 0x0303, NONE},
    {"identity beyond the list", "0029 0006 0004 0003 0101", HELLO_BAD, "", 0, 0, NONE},
};

static size_t from_hex(const char *hex, uint8_t *out)
{
    size_t n = 0;

    for (; *hex != '\0'; hex++) {
        char pair[3] = {hex[0], hex[1], '\0'};

        if (*hex == ' ')
            continue;
        out[n++] = (uint8_t)strtoul(pair, NULL, 16);
        hex++;
    }
    return n;
}

/* A whole hello around an extension list; the list is left out when with_list is false. */
static size_t make(uint8_t *out, const uint8_t *list, size_t list_len, bool with_list)
{
    uint8_t message[1024] = {1, 0, 0, 0, 3, 3};
    const uint8_t middle[] = {0, 0, 2, 0x13, 0x01, 1, 0};
    size_t n = 4 + 2 + 32;

    memcpy(message + n, middle, sizeof middle);
    n += sizeof middle;
    if (with_list) {
        message[n++] = (uint8_t)(list_len >> 8);
        message[n++] = (uint8_t)list_len;
        memcpy(message + n, list, list_len);
        n += list_len;
    }
    message[2] = (uint8_t)((n - 4) >> 8);
    message[3] = (uint8_t)(n - 4);
    return put_record(out, message, n);
}

static void reads_made_hellos(void **state)
{
    uint8_t list[512], out[1100];
    struct client_hello h;
    size_t n;

    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
        n = make(out, list, from_hex(made[i].extensions, list), true);
        if (parse_exact(out, n, &h) != made[i].verdict)
            fail_msg("%s: another verdict", made[i].what);
        assert_string_equal(h.sni, made[i].sni);
        assert_int_equal(h.min_version, made[i].min);
        assert_int_equal(h.max_version, made[i].max);
        assert_int_equal(flags_of(&h), made[i].flags);
    }
    n = make(out, list, 0, false);
    assert_int_equal(parse_exact(out, n, &h), HELLO_OK);
    assert_int_equal(h.max_version, 0x0303);
}

/* The longest name, and one that is too long for DNS or for us. */
static void bounds_names(void **state)
{
    uint8_t list[512] = {0}, out[1100];
    struct client_hello h;

    (void)state;
    for (size_t len = 250; len < 260; len++) {
        const uint8_t header[] = {0,
                                  0,
                                  (uint8_t)((len + 5) >> 8),
                                  (uint8_t)(len + 5),
                                  (uint8_t)((len + 3) >> 8),
                                  (uint8_t)(len + 3),
                                  0,
                                  (uint8_t)(len >> 8),
                                  (uint8_t)len};

        memcpy(list, header, sizeof header);
        memset(list + sizeof header, 'x', len);
        assert_int_equal(parse_exact(out, make(out, list, sizeof header + len, true), &h),
                         len < sizeof h.sni ? HELLO_OK : HELLO_BAD);
        assert_int_equal(h.sni_len, len < sizeof h.sni ? len : 0);
    }
}

/* What is no hello at all. bytes in hexadecimal. */
static const struct {
    const char *bytes;
    enum hello_verdict verdict;
} others[] = {
    {"", HELLO_MORE},
    {"16", HELLO_MORE},
    {"16 03 01 00", HELLO_MORE},
    {"16 03 01 00 04 02 000000", HELLO_BAD}, /* ServerHello */
    {"16 03 01 00 01 02", HELLO_BAD},
    {"16 03 01 00 00", HELLO_BAD},              /* empty record */
    {"16 03 01 40 01", HELLO_BAD},              /* record too long */
    {"16 03 01 40 00", HELLO_MORE},             /* the longest */
    {"16 03 01 00 04 01 004001", HELLO_BAD},    /* more than CLIENT_HELLO_MAX in all */
    {"16 03 01 00 04 01 ffffff", HELLO_BAD},    /* message too long */
    {"16 03 01 00 04 01 000000", HELLO_BAD},    /* empty message */
    {"16 03 01 00 04 01 000010", HELLO_MORE},   /* the next record is awaited */
    {"16 03 01 00 04 01 000010 17", HELLO_BAD}, /* which is no handshake */
    {"16 03 01 00 04 01 000010 16 03 01 00 00", HELLO_BAD},
    {"16 02", HELLO_NOT_TLS},
    {"15 03 01 00 02 02 28", HELLO_NOT_TLS}, /* alert */
    {"80 2e 01 03 01", HELLO_NOT_TLS},       /* SSLv2 */
    {"47455420", HELLO_NOT_TLS},             /* GET */
    {"00", HELLO_NOT_TLS},
};

static void tells_others(void **state)
{
    uint8_t bytes[64];
    struct client_hello h;

    (void)state;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (parse_exact(bytes, from_hex(others[i].bytes, bytes), &h) != others[i].verdict)
            fail_msg("%s: another verdict", others[i].bytes);
}

/* One byte a record: the peek's bound is reached before the message is whole. */
static void bounds_the_peek(void **state)
{
    static uint8_t out[2 * CLIENT_HELLO_MAX];
    const uint8_t start[] = {1, 0, 0x20, 0};
    struct client_hello h;
    size_t n = put_record(out, start, sizeof start);

    (void)state;
    while (n + 6 < sizeof out)
        n += put_record(out + n, start + 1, 1);
    assert_int_equal(client_hello_parse(out, CLIENT_HELLO_MAX - 1, &h), HELLO_MORE);
    assert_int_equal(client_hello_parse(out, CLIENT_HELLO_MAX, &h), HELLO_BAD);
    assert_int_equal(client_hello_parse(out, n, &h), HELLO_BAD);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_real_hellos), cmocka_unit_test(reads_fragments),
        cmocka_unit_test(survives_damage),   cmocka_unit_test(reads_made_hellos),
        cmocka_unit_test(bounds_names),      cmocka_unit_test(tells_others),
        cmocka_unit_test(bounds_the_peek),
    };

    return cmocka_run_group_tests_name("client_hello", tests, NULL, NULL);
}
