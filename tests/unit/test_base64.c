/* Base64url: RFC 4648 10 (unpadded), RFC 7515 A.1, and what is not allowed. */
#include "base/base64.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    struct str data;
    const char *text;
} pairs[] = {
    {{"", 0}, ""},
    {{"f", 1}, "Zg"},
    {{"fo", 2}, "Zm8"},
    {{"foo", 3}, "Zm9v"},
    {{"foob", 4}, "Zm9vYg"},
    {{"fooba", 5}, "Zm9vYmE"},
    {{"foobar", 6}, "Zm9vYmFy"},
    {{"\0", 1}, "AA"},
    {{"\xff\xef\xbe\xfb\xf0", 5}, "_----_A"},
    {{"{\"typ\":\"JWT\",\r\n \"alg\":\"HS256\"}", 30}, "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9"},
};

static void encodes_and_decodes(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct buf out = BUF_INIT(64);
        uint8_t bytes[64];
        size_t len;

        assert_int_equal(BASE64URL_LEN(pairs[i].data.len), strlen(pairs[i].text));
        assert_int_equal(base64url_append(&out, pairs[i].data), 0);
        assert_string_equal(out.p, pairs[i].text);
        assert_int_equal(out.len, strlen(pairs[i].text));
        assert_true(base64url_decode(str_of(pairs[i].text), bytes, sizeof bytes, &len));
        assert_int_equal(len, pairs[i].data.len);
        assert_memory_equal(bytes, pairs[i].data.p, len);
        assert_true(len <= BASE64URL_BYTES(out.len));
        buf_fini(&out);
    }
}

static const char *const refused[] = {
    "Z",    "Zm9vY", "Zg==", "Zm8=",       "Zm9v\n", " Zm9v", "Zm+v",
    "Zm/v", "Zh",    "Zm9",  "Z\xc3\xa9g", "Zm9v.",  "====",  "_-_.",
};

static void refuses_everything_else(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
        uint8_t bytes[64];
        size_t len;

        if (base64url_decode(str_of(refused[i]), bytes, sizeof bytes, &len))
            fail_msg("accepted %s", refused[i]);
    }
}

static void keeps_to_the_capacity(void **state)
{
    uint8_t bytes[4] = {0, 0, 0, 0x5a};
    struct buf small = BUF_INIT(3);
    size_t len;

    (void)state;
    assert_true(base64url_decode(str_of("Zm9v"), bytes, 3, &len));
    assert_int_equal(bytes[3], 0x5a);
    assert_false(base64url_decode(str_of("Zm9vYg"), bytes, 3, &len));
    assert_int_equal(bytes[3], 0x5a);
    assert_int_equal(base64url_append(&small, STR_LIT("foo")), -1);
    assert_int_equal(small.len, 0);
    buf_fini(&small);
}

/* All lengths up to a few groups, each byte value at each place. */
static void comes_back_unchanged(void **state)
{
    (void)state;
    for (size_t len = 1; len < 10; len++)
        for (unsigned value = 0; value < 256; value++)
            for (size_t at = 0; at < len; at++) {
                uint8_t in[10] = {0}, out[10];
                char text[BASE64URL_LEN(10) + 1];
                size_t got;

                in[at] = (uint8_t)value;
                base64url_encode((struct str){(const char *)in, len}, text);
                assert_true(base64url_decode(str_of(text), out, sizeof out, &got));
                assert_int_equal(got, len);
                assert_memory_equal(in, out, len);
            }
}

static const struct {
    const char *text;
    const char *want; /* NULL: refused */
} padded[] = {
    {"", ""},          {"Zg==", "f"},    {"Zm8=", "fo"},     {"Zm9v", "foo"}, {"Pz4+", "?>>"},
    {"Pz8/", "?\?\?"}, {"Zg=", NULL},    {"Zg", NULL},       {"Zg===", NULL}, {"=", NULL},
    {"====", NULL},    {"Z===", NULL},   {"Zm9v====", NULL}, {"Zm=v", NULL},  {"Pz4-", NULL},
    {"Zh==", NULL},    {"Zm9v\n", NULL}, {"Zg==Zg==", NULL}, {" Zg=", NULL},  {"Zm9=", NULL},
};

static void decodes_with_padding(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(padded); i++) {
        uint8_t bytes[16];
        size_t len;

        if (base64_decode(str_of(padded[i].text), bytes, sizeof bytes, &len) !=
            (padded[i].want != NULL))
            fail_msg("'%s'", padded[i].text);
        if (padded[i].want == NULL)
            continue;
        assert_int_equal(len, strlen(padded[i].want));
        assert_memory_equal(bytes, padded[i].want, len);
        assert_true(len == 0 || !base64_decode(str_of(padded[i].text), bytes, len - 1, &len));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encodes_and_decodes),  cmocka_unit_test(refuses_everything_else),
        cmocka_unit_test(decodes_with_padding), cmocka_unit_test(keeps_to_the_capacity),
        cmocka_unit_test(comes_back_unchanged),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
