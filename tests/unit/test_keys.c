/* Keys: every kind made, written and read back; JWK, thumbprint and ES256 against published
 * vectors. */
#include "cert/keys.h"

#include "base/alloc.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The key of RFC 7515 A.3, as PKCS#8. */
static const char rfc7515_a3[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";
static const char rfc7515_a3_jwk[] =
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}";

/* A key whose x begins with a zero byte: its coordinates must not shrink. */
static const char leading_zero[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgAAAAAAAAAAAAAAAA\n"
    "AAAAAAAAAAAAAAAAAAAAAAAAAXuhRANCAAQAVUOJSvPQDtfXQKvb11yWsGh3t4fb\n"
    "X3Dup4uQqNfACrtMhaPY6invqvokQGkS3YTVsU3DK/ZW72xr1YpdlD+S\n"
    "-----END PRIVATE KEY-----\n";
static const char leading_zero_jwk[] =
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AFVDiUrz0A7X10Cr29dclrBod7eH219w7qeLkKjXwAo\",\"y\":"
    "\"u0yFo9jqKe-q-iRAaRLdhNWxTcMr9lbvbGvVil2UP5I\"}";
static const char leading_zero_thumbprint[] = "7Yxe6c_3bAa6kiaK1G-BZmi9EeNsUmlcbdnrtLeuK4E";

static struct key *load(const char *pem)
{
    struct err e;
    struct key *k = key_load(str_of(pem), &e);

    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

static void verify(const struct key *k, struct str data, gnutls_sign_algorithm_t algorithm,
                   gnutls_datum_t *signature, int want)
{
    gnutls_datum_t text = {(unsigned char *)data.p, (unsigned)data.len};
    gnutls_pubkey_t public;

    assert_int_equal(gnutls_pubkey_init(&public), 0);
    assert_int_equal(gnutls_pubkey_import_privkey(public, key_gnutls(k), 0, 0), 0);
    assert_int_equal(gnutls_pubkey_verify_data2(public, algorithm, 0, &text, signature), want);
    gnutls_pubkey_deinit(public);
}

static void writes_a_jwk(void **state)
{
    static const struct {
        const char *pem, *jwk, *thumbprint;
    } rows[] = {
        {rfc7515_a3, rfc7515_a3_jwk, "oKIywvGUpTVTyxMQ3bwIIeQUudfr_CkLMjCE19ECD-U"},
        {leading_zero, leading_zero_jwk, leading_zero_thumbprint},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct key *k = load(rows[i].pem);
        struct buf json = BUF_INIT(512);
        char thumbprint[KEY_THUMBPRINT_LEN + 1];

        assert_int_equal(key_type(k), KEY_P256);
        assert_int_equal(key_jwk(k, &json, NULL), 0);
        assert_string_equal(json.p, rows[i].jwk);
        assert_int_equal(key_thumbprint(k, thumbprint, NULL), 0);
        assert_string_equal(thumbprint, rows[i].thumbprint);
        buf_fini(&json);
        key_free(k);
    }
}

/* Many signatures, so that some r and s have leading zeros or a set top bit. */
static void signs_es256(void **state)
{
    struct key *k = load(rfc7515_a3);

    (void)state;
    for (int i = 0; i < 600; i++) {
        struct str data = {"some text to sign", 17 - (size_t)(i % 5)};
        uint8_t raw[ES256_LEN];
        gnutls_datum_t r = {raw, 32}, s = {raw + 32, 32}, der;

        assert_int_equal(key_sign_es256(k, data, raw, NULL), 0);
        assert_int_equal(gnutls_encode_rs_value(&der, &r, &s), 0);
        verify(k, data, GNUTLS_SIGN_ECDSA_SHA256, &der, 0);
        if (i < 5)
            verify(k, STR_LIT("other"), GNUTLS_SIGN_ECDSA_SHA256, &der,
                   GNUTLS_E_PK_SIG_VERIFY_FAILED);
        gnutls_free(der.data);
    }
    key_free(k);
}

static void every_kind_comes_back_from_pem(void **state)
{
    static const struct {
        enum key_type type;
        const char *name, *header;
    } rows[] = {
        {KEY_P256, "p256", "-----BEGIN EC PRIVATE KEY-----\n"},
        {KEY_P384, "p384", "-----BEGIN EC PRIVATE KEY-----\n"},
        {KEY_RSA2048, "rsa2048", "-----BEGIN RSA PRIVATE KEY-----\n"},
        {KEY_RSA3072, "rsa3072", "-----BEGIN RSA PRIVATE KEY-----\n"},
        {KEY_RSA4096, "rsa4096", "-----BEGIN RSA PRIVATE KEY-----\n"},
        {KEY_ED25519, "ed25519", "-----BEGIN PRIVATE KEY-----\n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf pem = BUF_INIT(KEY_PEM_MAX), again = BUF_INIT(KEY_PEM_MAX);
        struct err e = {0};
        struct key *k = key_generate(rows[i].type, &e), *back;

        if (k == NULL)
            fail_msg("%s: %s", rows[i].name, e.msg);
        assert_string_equal(key_type_name(rows[i].type), rows[i].name);
        assert_int_equal(key_pem(k, &pem, &e), 0);
        if (!str_starts(buf_str(&pem), str_of(rows[i].header)))
            fail_msg("%s: %s", rows[i].name, pem.p);
        back = load(pem.p);
        assert_int_equal(key_type(back), rows[i].type);
        assert_int_equal(key_pem(back, &again, &e), 0);
        assert_string_equal(pem.p, again.p);
        if (rows[i].type != KEY_P256) {
            uint8_t raw[ES256_LEN];

            assert_int_equal(key_sign_es256(k, STR_LIT("x"), raw, &e), -1);
            assert_int_equal(e.code, ERR_INVALID);
            assert_int_equal(key_jwk(k, &pem, &e), -1);
        }
        key_free(k);
        key_free(back);
        buf_fini(&pem);
        buf_fini(&again);
    }
}

static void refuses_what_is_no_key(void **state)
{
    static const struct {
        const char *text;
        enum err_code code;
    } rows[] = {
        {"", ERR_SYNTAX},
        {"hello", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\n-----END PRIVATE KEY-----\n", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2Vw\n-----END PRIVATE KEY-----\n", ERR_SYNTAX},
        {"-----BEGIN PRIVATE KEY-----\n" /* X448 */
         "MEYCAQAwBQYDK2VvBDoEOMRif2/deHeia7RJ0Uxwu9eHY8zxQJMyZ4+Lu/f7m1AK\n"
         "qIrmqYyZZstz9AkEimIpW4JNYZ+ZhNCW\n"
         "-----END PRIVATE KEY-----\n",
         ERR_INVALID},
        {"-----BEGIN EC PRIVATE KEY-----\n" /* P-521 */
         "MIHcAgEBBEIBwyOqZC6iFum3fRAhEljFUVHow05CoQCLuOVHGpMuxXsBcZOckwFB\n"
         "X1OgLimlrWug8IhbfYMwmUmefPlk3AkHZEGgBwYFK4EEACOhgYkDgYYABAE9tIR9\n"
         "55sqfgn+qF2rDyUdRCe9v7sX/M6qcu46bDU21Il5R6Bvoovq9MSuxMJjSjLSMnzO\n"
         "i4hP9lR1F+nVDCmvkQC3DoKMjIgcj+gFp1DEbDLmZqSi+AlYFjnDUgujPGZXHHpW\n"
         "JJ+UM0vCQ/DoMskmOxzVCcJSA9dC/gYHKKhIc9eQSg==\n"
         "-----END EC PRIVATE KEY-----\n",
         ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e = {0};

        assert_null(key_load(str_of(rows[i].text), &e));
        if (e.code != rows[i].code)
            fail_msg("row %zu: %s", i, e.msg);
    }
}

static void keeps_to_ceilings(void **state)
{
    struct key *k = load(rfc7515_a3);
    struct buf small = BUF_INIT(40);
    struct err e = {0};

    (void)state;
    assert_int_equal(key_pem(k, &small, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(key_jwk(k, &small, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    assert_int_equal(small.len, 0);
    buf_fini(&small);
    key_free(k);
}

static void hashes(void **state)
{
    static const uint8_t abc[] = {0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41, 0x40,
                                  0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17,
                                  0x7a, 0x9c, 0xb4, 0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad};
    static const uint8_t rfc4231_2[] = {0x5b, 0xdc, 0xc1, 0x46, 0xbf, 0x60, 0x75, 0x4e,
                                        0x6a, 0x04, 0x24, 0x26, 0x08, 0x95, 0x75, 0xc7,
                                        0x5a, 0x00, 0x3f, 0x08, 0x9d, 0x27, 0x39, 0x83,
                                        0x9d, 0xec, 0x58, 0xb9, 0x64, 0xec, 0x38, 0x43};
    uint8_t out[SHA256_LEN];

    (void)state;
    sha256(STR_LIT("abc"), out);
    assert_memory_equal(out, abc, sizeof abc);
    sha256((struct str){NULL, 0}, out);
    assert_int_equal(out[0], 0xe3);
    hmac_sha256(STR_LIT("Jefe"), STR_LIT("what do ya want for nothing?"), out);
    assert_memory_equal(out, rfc4231_2, sizeof rfc4231_2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_a_jwk),
        cmocka_unit_test(signs_es256),
        cmocka_unit_test(every_kind_comes_back_from_pem),
        cmocka_unit_test(refuses_what_is_no_key),
        cmocka_unit_test(keeps_to_ceilings),
        cmocka_unit_test(hashes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
