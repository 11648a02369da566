/* JSON Web Signatures, with the keys and vectors of RFC 7515. */
#include "cert/jws.h"

#include "cert/jdoc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>

#define JWK                                                                                        \
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU\","     \
    "\"y\":\"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0\"}"
#define PAYLOAD                                                                                    \
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl" \
    "fQ"
#define MAC_KEY                                                                                    \
    "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"

/* The key of RFC 7515 A.3, as PKCS#8. */
static const char example_pem[] =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";

static struct key *example_key(void)
{
    struct key *key = key_load(str_of(example_pem), NULL);

    assert_non_null(key);
    return key;
}

static void decode(struct str text, struct buf *out)
{
    size_t len;

    *out = BUF_INIT(8192);
    assert_int_equal(buf_reserve(out, BASE64URL_BYTES(text.len)), 0);
    assert_true(base64url_decode(text, (uint8_t *)out->p, out->cap, &len));
    out->len = len;
    out->p[len] = '\0';
}

/* Checks r || s in base64url with GnuTLS's own verification. */
static void assert_es256(const struct key *key, struct str input, struct str signature)
{
    gnutls_datum_t data = {(unsigned char *)input.p, (unsigned)input.len};
    gnutls_datum_t r, s, der;
    gnutls_pubkey_t pub;
    struct buf raw;

    decode(signature, &raw);
    assert_int_equal(raw.len, ES256_LEN);
    r = (gnutls_datum_t){(unsigned char *)raw.p, ES256_LEN / 2};
    s = (gnutls_datum_t){(unsigned char *)raw.p + ES256_LEN / 2, ES256_LEN / 2};
    assert_int_equal(gnutls_encode_rs_value(&der, &r, &s), 0);
    assert_int_equal(gnutls_pubkey_init(&pub), 0);
    assert_int_equal(gnutls_pubkey_import_privkey(pub, key_gnutls(key), 0, 0), 0);
    assert_true(gnutls_pubkey_verify_data2(pub, GNUTLS_SIGN_ECDSA_SHA256, 0, &data, &der) >= 0);
    gnutls_pubkey_deinit(pub);
    gnutls_free(der.data);
    buf_fini(&raw);
}

/* Shows that assert_es256() can be believed. */
static void verifies_rfc7515_a3(void **state)
{
    struct key *key = example_key();

    (void)state;
    assert_es256(key, STR_LIT("eyJhbGciOiJFUzI1NiJ9." PAYLOAD),
                 STR_LIT("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKT"
                         "UJqPP3-Kg6NU1Q"));
    key_free(key);
}

static void macs_as_rfc7515_a1(void **state)
{
    char text[BASE64URL_LEN(SHA256_LEN) + 1];
    uint8_t mac[SHA256_LEN];
    struct buf secret;

    (void)state;
    decode(STR_LIT(MAC_KEY), &secret);
    hmac_sha256(buf_str(&secret), STR_LIT("eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." PAYLOAD),
                mac);
    base64url_encode((struct str){(char *)mac, sizeof mac}, text);
    assert_string_equal(text, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    buf_fini(&secret);
}

struct parts {
    struct buf input; /* header "." payload, as signed */
    struct buf header;
    struct buf payload;
    struct buf signature; /* still base64url */
};

static void take_apart(const struct buf *body, struct parts *p)
{
    struct json_object *o = jdoc_parse(buf_str(body), NULL);

    assert_non_null(o);
    assert_int_equal(json_object_object_length(o), 3);
    decode(jdoc_str(o, "protected"), &p->header);
    decode(jdoc_str(o, "payload"), &p->payload);
    p->input = BUF_INIT(8192);
    p->signature = BUF_INIT(8192);
    assert_int_equal(buf_append_str(&p->input, jdoc_str(o, "protected")), 0);
    assert_int_equal(buf_putc(&p->input, '.'), 0);
    assert_int_equal(buf_append_str(&p->input, jdoc_str(o, "payload")), 0);
    assert_int_equal(buf_append_str(&p->signature, jdoc_str(o, "signature")), 0);
    json_object_put(o);
}

static void free_parts(struct parts *p)
{
    buf_fini(&p->input);
    buf_fini(&p->header);
    buf_fini(&p->payload);
    buf_fini(&p->signature);
}

static const struct {
    struct jws in;
    const char *header;
} examples[] = {
    {{NULL, "https://ca.test/acct/\"1", "n0-nce", "https://ca.test/new", {"{\"a\":1}", 7}},
     "{\"alg\":\"ES256\",\"kid\":\"https://ca.test/acct/\\\"1\",\"nonce\":\"n0-nce\","
     "\"url\":\"https://ca.test/new\"}"},
    {{NULL, NULL, "n", "https://ca.test/x", {NULL, 0}},
     "{\"alg\":\"ES256\",\"jwk\":" JWK ",\"nonce\":\"n\",\"url\":\"https://ca.test/x\"}"},
};

static void signs_with_kid_or_jwk(void **state)
{
    struct key *key = example_key();

    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        struct jws in = examples[i].in;
        struct buf out = BUF_INIT(JWS_MAX);
        struct parts p;

        in.key = key;
        assert_int_equal(jws_sign(&in, &out, NULL), 0);
        take_apart(&out, &p);
        assert_string_equal(p.header.p, examples[i].header);
        assert_true(str_eq(buf_str(&p.payload), in.payload));
        assert_es256(key, buf_str(&p.input), buf_str(&p.signature));
        free_parts(&p);
        buf_fini(&out);
    }
    key_free(key);
}

static void binds_an_external_account(void **state)
{
    struct key *key = example_key();
    struct buf out = BUF_INIT(JWS_MAX), secret;
    uint8_t mac[SHA256_LEN];
    char text[BASE64URL_LEN(SHA256_LEN) + 1];
    struct parts p;

    (void)state;
    assert_int_equal(jws_bind(key, "kid-1", MAC_KEY "==", "https://ca.test/acct", &out, NULL), 0);
    take_apart(&out, &p);
    assert_string_equal(p.header.p,
                        "{\"alg\":\"HS256\",\"kid\":\"kid-1\",\"url\":\"https://ca.test/acct\"}");
    assert_string_equal(p.payload.p, JWK);
    decode(STR_LIT(MAC_KEY), &secret);
    hmac_sha256(buf_str(&secret), buf_str(&p.input), mac);
    base64url_encode((struct str){(char *)mac, sizeof mac}, text);
    assert_string_equal(p.signature.p, text);
    buf_fini(&secret);
    free_parts(&p);
    buf_fini(&out);
    key_free(key);
}

static void refuses_bad_mac_keys(void **state)
{
    static const char *const bad[] = {"", "=", "no base64!", "A", "ab+/"};
    struct key *key = example_key();

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct buf out = BUF_INIT(JWS_MAX);
        struct err e;

        assert_int_equal(jws_bind(key, "k", bad[i], "https://ca.test/acct", &out, &e), -1);
        assert_int_equal(e.code, ERR_SYNTAX);
        assert_int_equal(out.len, 0);
        buf_fini(&out);
    }
    key_free(key);
}

static void keeps_to_the_ceiling(void **state)
{
    struct key *key = example_key();
    struct buf out = BUF_INIT(100);
    const struct jws in = {key, NULL, "n", "https://ca.test/x", {NULL, 0}};
    struct err e;

    (void)state;
    assert_int_equal(jws_sign(&in, &out, &e), -1);
    assert_int_equal(e.code, ERR_LIMIT);
    buf_fini(&out);
    key_free(key);
}

static void refuses_other_keys(void **state)
{
    struct key *key = key_generate(KEY_P384, NULL);
    struct buf out = BUF_INIT(JWS_MAX);
    const struct jws in = {key, NULL, "n", "https://ca.test/x", {NULL, 0}};
    struct err e;

    (void)state;
    assert_non_null(key);
    assert_int_equal(jws_sign(&in, &out, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    buf_fini(&out);
    key_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_rfc7515_a3),   cmocka_unit_test(macs_as_rfc7515_a1),
        cmocka_unit_test(signs_with_kid_or_jwk), cmocka_unit_test(binds_an_external_account),
        cmocka_unit_test(refuses_bad_mac_keys),  cmocka_unit_test(keeps_to_the_ceiling),
        cmocka_unit_test(refuses_other_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
