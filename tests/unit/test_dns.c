#include "io/dns.h"
#include "io/dns_ask.h"

#include "base/alloc.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void knows_names(void **state)
{
    static const struct {
        const char *name;
        bool right;
    } names[] = {{"a", true},         {"a.test.", true}, {"_web._tcp.A-1.test", true},
                 {"", false},         {".", false},      {"a..b", false},
                 {".a", false},       {"a b", false},    {"a/b", false},
                 {"\xc3\xa4", false}, {"a:80", false}};
    char label[65], longest[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        assert_int_equal(dns_is_name(str_of(names[i].name)), names[i].right);
    memset(label, 'a', 64);
    assert_false(dns_is_name((struct str){label, 64}));
    assert_true(dns_is_name((struct str){label, 63}));
    for (size_t i = 0; i < sizeof longest; i++)
        longest[i] = i % 2 == 0 ? 'a' : '.';
    assert_true(dns_is_name((struct str){longest, 253}));
    assert_false(dns_is_name((struct str){longest, 255}));
}

static void asks(void **state)
{
    static const char wanted[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
                                 "\x01"
                                 "a\x04test\x00\x00\x21\x00\x01";
    uint8_t out[DNS_QUESTION_MAX];
    size_t len = dns_question(out, 0x1234, STR_LIT("a.test."), DNS_SRV);

    (void)state;
    assert_int_equal(len, sizeof wanted - 1);
    assert_memory_equal(out, wanted, len);
}

#define HEAD(flags, n) "\x12\x34" flags "\x00\x01\x00" n "\x00\x00\x00\x00"
#define ASKED                                                                                      \
    "\x01"                                                                                         \
    "a\x04test\x00\x00\x01\x00\x01"
#define ASKED_SRV                                                                                  \
    "\x01"                                                                                         \
    "a\x04test\x00\x00\x21\x00\x01"
#define TTL "\x00\x00\x00\x3c"
#define A_RECORD(last) "\xc0\x0c\x00\x01\x00\x01" TTL "\x00\x04\x0a\x00\x00" last
#define OK "\x81\x80"

static const struct {
    const char *what;
    enum dns_type type;
    const char *message;
    size_t len;
    enum dns_result result;
    const char *records;
} answers[] = {
#define M(m) m, sizeof(m) - 1
    {"two", DNS_A, M(HEAD(OK, "\x02") ASKED A_RECORD("\x01") A_RECORD("\x02")), DNS_OK,
     "10.0.0.1 10.0.0.2 "},
    {"none", DNS_A, M(HEAD(OK, "\x00") ASKED), DNS_OK, ""},
    {"another id", DNS_A, M("\x12\x35" OK "\x00\x01\x00\x00\x00\x00\x00\x00" ASKED), DNS_FOREIGN,
     ""},
    {"a question", DNS_A, M(HEAD("\x01\x00", "\x00") ASKED), DNS_FOREIGN, ""},
    {"another name", DNS_A,
     M(HEAD(OK, "\x00") "\x01"
                        "b\x04test\x00\x00\x01\x00\x01"),
     DNS_FOREIGN, ""},
    {"another type", DNS_A, M(HEAD(OK, "\x00") ASKED_SRV), DNS_FOREIGN, ""},
    {"capitals", DNS_A,
     M(HEAD(OK, "\x00") "\x01"
                        "A\x04TeSt\x00\x00\x01\x00\x01"),
     DNS_OK, ""},
    {"no such name", DNS_A, M(HEAD("\x81\x83", "\x00") ASKED), DNS_NO_NAME, ""},
    {"failure", DNS_A, M(HEAD("\x81\x82", "\x00") ASKED), DNS_FAILED, ""},
    {"truncated", DNS_A, M(HEAD("\x83\x80", "\x01") ASKED), DNS_TRUNCATED, ""},
    {"cut short", DNS_A, M(HEAD(OK, "\x02") ASKED A_RECORD("\x01")), DNS_FOREIGN, ""},
    {"no header", DNS_A, M("\x12\x34\x81"), DNS_FOREIGN, ""},
    {"five bytes", DNS_A,
     M(HEAD(OK, "\x01") ASKED "\xc0\x0c\x00\x01\x00\x01" TTL "\x00\x05\x0a\x00\x00\x01\x02"),
     DNS_FOREIGN, ""},
    {"of another", DNS_A,
     M(HEAD(OK, "\x01") ASKED "\x01"
                              "b\x00\x00\x01\x00\x01" TTL "\x00\x04\x0a\x00\x00\x01"),
     DNS_OK, ""},
    {"another class", DNS_A,
     M(HEAD(OK, "\x01") ASKED "\xc0\x0c\x00\x01\x00\x03" TTL "\x00\x04\x0a\x00\x00\x01"), DNS_OK,
     ""},
    {"an alias", DNS_A,
     M(HEAD(OK, "\x02") ASKED "\xc0\x0c\x00\x05\x00\x01" TTL "\x00\x04\x01"
                              "b\xc0\x0e"
                              "\xc0\x24\x00\x01\x00\x01" TTL "\x00\x04\x0a\x00\x00\x03"),
     DNS_OK, "10.0.0.3 "},
    {"an alias of itself", DNS_A,
     M(HEAD(OK, "\x01") ASKED "\xc0\x0c\x00\x05\x00\x01" TTL "\x00\x02\xc0\x0c"), DNS_FOREIGN, ""},
    {"a loop in a name", DNS_A,
     M(HEAD(OK, "\x01") ASKED "\xc0\x18\x00\x01\x00\x01" TTL "\x00\x04\x0a\x00\x00\x01"),
     DNS_FOREIGN, ""},
    {"a service", DNS_SRV,
     M(HEAD(OK, "\x01") ASKED_SRV "\xc0\x0c\x00\x21\x00\x01" TTL
                                  "\x00\x0a\x00\x07\x00\x02\x1f\x90\x01"
                                  "B\xc0\x0e"),
     DNS_OK, "7/2/8080/b.test "},
    {"no service", DNS_SRV,
     M(HEAD(OK, "\x01") ASKED_SRV "\xc0\x0c\x00\x21\x00\x01" TTL
                                  "\x00\x07\x00\x00\x00\x00\x00\x50\x00"),
     DNS_OK, ""},
    {"a service that is no host", DNS_SRV,
     M(HEAD(OK, "\x01") ASKED_SRV "\xc0\x0c\x00\x21\x00\x01" TTL
                                  "\x00\x0b\x00\x00\x00\x00\x00\x50\x03"
                                  "a@b\x00"),
     DNS_OK, ""},
    {"a service with more behind", DNS_SRV,
     M(HEAD(OK, "\x01") ASKED_SRV "\xc0\x0c\x00\x21\x00\x01" TTL
                                  "\x00\x0a\x00\x00\x00\x00\x00\x50\x01"
                                  "b\x00\x00"),
     DNS_FOREIGN, ""},
};

static void reads_answers(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
        struct dns_records records = {.n = 0};
        char text[512] = "";
        enum dns_result result = dns_answer((const uint8_t *)answers[i].message, answers[i].len,
                                            0x1234, STR_LIT("a.test"), answers[i].type, &records);

        for (unsigned k = 0; k < records.n; k++) {
            const struct dns_record *r = &records.list[k];
            size_t at = strlen(text);

            if (answers[i].type == DNS_SRV)
                snprintf(text + at, sizeof text - at, "%u/%u/%u/%s ", r->priority, r->weight,
                         r->port, r->target);
            else
                snprintf(text + at, sizeof text - at, "%s ", r->target);
        }
        if (result != answers[i].result || strcmp(text, answers[i].records) != 0)
            fail_msg("%s: %d, '%s'", answers[i].what, (int)result, text);
    }
}

/* Cut at any byte, an answer is none. */
static void reads_no_part_of_an_answer(void **state)
{
    (void)state;
    for (size_t len = 0; len < answers[0].len; len++) {
        struct dns_records records = {.n = 0};
        uint8_t *part = malloc(len + 1); /* so that a sanitizer sees what is read beyond */

        memcpy(part, answers[0].message, len);
        part = realloc(part, len == 0 ? 1 : len);
        assert_int_equal(dns_answer(part, len, 0x1234, STR_LIT("a.test"), DNS_A, &records),
                         DNS_FOREIGN);
        assert_int_equal(records.n, 0);
        free(part);
    }
}

static void reads_addresses_of_servers(void **state)
{
    static const struct {
        const char *text;
        int family; /* 0: an error */
        unsigned port;
    } servers[] = {{"192.0.2.1", AF_INET, 53},
                   {"192.0.2.1:5353", AF_INET, 5353},
                   {"2001:db8::1", AF_INET6, 53},
                   {"[2001:db8::1]:54", AF_INET6, 54},
                   {"[::1]", AF_INET6, 53},
                   {"fe80::1%lo", AF_INET6, 53},
                   {"fe80::1%no.such.one", 0, 0},
                   {"fe80::1%", 0, 0},
                   {"192.0.2.1%lo", 0, 0},
                   {"", 0, 0},
                   {"dns.test", 0, 0},
                   {"192.0.2.1:", 0, 0},
                   {"192.0.2.1:0", 0, 0},
                   {"[::1", 0, 0},
                   {"[::1]53", 0, 0},
                   {"[", 0, 0},
                   {"192.0.2.1:65536", 0, 0}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(servers); i++) {
        struct dns_server s;
        struct err e;
        int rc = dns_server_parse(str_of(servers[i].text), &s, &e);

        if (rc != (servers[i].family == 0 ? -1 : 0))
            fail_msg("%s: %d", servers[i].text, rc);
        if (rc != 0)
            continue;
        assert_int_equal(s.address.ss_family, servers[i].family);
        assert_int_equal(ntohs(((struct sockaddr_in *)(void *)&s.address)->sin_port),
                         servers[i].port);
    }
}

static void reads_the_systems_servers(void **state)
{
    static const struct {
        const char *text;
        unsigned n, last; /* byte of the last one's address */
    } files[] = {{"nameserver 192.0.2.7\n", 1, 7},
                 {"# nameserver 192.0.2.7\nnameserver\t192.0.2.8", 1, 8},
                 {"search a.test\nnameserver  \t192.0.2.1 \nnameserver nonsense\n\n"
                  "nameserver 192.0.2.2\n",
                  2, 2},
                 {"nameserver 192.0.2.1\nnameserver 192.0.2.2\nnameserver 192.0.2.3\n"
                  "nameserver 192.0.2.4\n",
                  3, 3},
                 {"nameserver192.0.2.7\nnameserver\nname", 1, 1},
                 {"", 1, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct dns_servers s;

        dns_servers_read(str_of(files[i].text), &s);
        assert_int_equal(s.n, files[i].n);
        assert_int_equal(
            ntohl(((struct sockaddr_in *)(void *)&s.list[s.n - 1].address)->sin_addr.s_addr) & 0xff,
            files[i].last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_names),
        cmocka_unit_test(asks),
        cmocka_unit_test(reads_answers),
        cmocka_unit_test(reads_no_part_of_an_answer),
        cmocka_unit_test(reads_addresses_of_servers),
        cmocka_unit_test(reads_the_systems_servers),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
