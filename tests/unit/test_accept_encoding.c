/* Which coding is chosen, for values of Accept-Encoding of all kinds. */
#include "http/accept_encoding.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct {
    const char *value; /* NULL: no such field */
    const char *want;  /* "": as it is */
} cases[] = {
    {NULL, ""},
    {"", ""},
    {" ", ""},
    {"gzip", "gzip"},
    {"GZip", "gzip"},
    {"x-gzip", "gzip"},
    {"X-Gzip;q=0.5", "gzip"},
    {"deflate", ""},
    {"compress, deflate", ""},
    {"br", "br"},
    /* ties: ours is the order */
    {"gzip, deflate, br, zstd", "zstd"},
    {"gzip, deflate, br", "br"},
    {"gzip;q=0.8, br;q=0.8, zstd;q=0.8", "zstd"},
    /* weights */
    {"gzip;q=1, br;q=0.9", "gzip"},
    {"gzip;q=0.001, br;q=0", "gzip"},
    {"gzip;q=0.100,br;q=0.101", "br"},
    {"gzip;q=0.9,br;q=0.99,zstd;q=0.899", "br"},
    {"gzip;q=1.0", "gzip"},
    {"gzip;q=1.000", "gzip"},
    {"gzip;q=0.", ""},
    {"gzip;q=1.", "gzip"},
    {"gzip ; q=0.5", "gzip"},
    {"gzip\t;\tQ=0.5", "gzip"},
    {"zstd;q=0.5, br;q=0.5 , gzip;q=0.6", "gzip"},
    /* not wanted */
    {"gzip;q=0", ""},
    {"gzip;q=0.000", ""},
    {"zstd;q=0, gzip", "gzip"},
    {"br;q=0, *", "zstd"},
    {"zstd;q=0, br;q=0, *;q=0.1", "gzip"},
    {"*;q=0", ""},
    {"*;q=0, gzip;q=0.1", "gzip"},
    /* anything */
    {"*", "zstd"},
    {"*;q=0.5", "zstd"},
    {"*;q=0.5, gzip", "gzip"},
    {"*, gzip;q=0.5", "zstd"},
    /* as it is */
    {"identity", ""},
    {"identity, gzip;q=0.5", ""},
    {"identity;q=0.5, gzip", "gzip"},
    {"identity;q=0.5, gzip;q=0.5", "gzip"},
    {"identity;q=0", ""},
    {"identity;q=0, gzip;q=0.1", "gzip"},
    {"*;q=0.9, gzip;q=0.5, br;q=0, zstd;q=0", ""},
    /* what follows no grammar is passed over */
    {"gzip;q=2", ""},
    {"gzip;q=1.001", ""},
    {"gzip;q=0.1234", ""},
    {"gzip;q=.5", ""},
    {"gzip;q=-1", ""},
    {"gzip;q=0,5", ""},
    {"gzip;q=", ""},
    {"gzip;", ""},
    {"gzip;level=3", ""},
    {"gzip;q=0.5;x=1", ""},
    {"gzip q=0.5", ""},
    {"gzip;q = 0.5", ""},
    {"gzip;q=2, br", "br"},
    {",, ,gzip,,", "gzip"},
    {"gzi", ""},
    {"gzipx", ""},
    {"\"gzip\"", ""},
    {";q=1, gzip", "gzip"},
    /* twice */
    {"gzip;q=0, gzip", ""},
    {"gzip, gzip;q=0", "gzip"},
    {"x-gzip;q=0, gzip;q=1", ""},
};

static void chooses(void **state)
{
    static const struct str codings[] = {STR_LIT("zstd"), STR_LIT("br"), STR_LIT("gzip")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t got = accept_encoding_choose(str_of(cases[i].value), codings, ARRAY_LEN(codings));
        struct str name = got < ARRAY_LEN(codings) ? codings[got] : STR_LIT("");

        if (!str_is(name, cases[i].want))
            fail_msg("'%s': '" STR_FMT "', not '%s'", cases[i].value, STR_ARG(name), cases[i].want);
    }
}

static void offers_no_more_than_there_is(void **state)
{
    static const struct str one[] = {STR_LIT("gzip")};

    (void)state;
    assert_int_equal(accept_encoding_choose(STR_LIT("br, gzip;q=0.1"), one, 1), 0);
    assert_int_equal(accept_encoding_choose(STR_LIT("*, gzip;q=0.5"), one, 1), 1);
    assert_int_equal(accept_encoding_choose(STR_LIT("*"), one, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(chooses),
        cmocka_unit_test(offers_no_more_than_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
