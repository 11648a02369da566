#include "cert/keys.h"

#include "base/alloc.h"

#include <assert.h>
#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <gnutls/x509.h>
#include <stdlib.h>

enum { COORDINATE_LEN = 32 }; /* of P-256 (RFC 7518 6.2.1.2) */

struct key {
    gnutls_x509_privkey_t x509;
    gnutls_privkey_t privkey; /* refers to x509 */
    enum key_type type;
};

/* The closed set of kinds. bits is what GnuTLS wants for generation: a curve or a size. */
static const struct key_kind {
    const char *name;
    gnutls_pk_algorithm_t algorithm;
    gnutls_ecc_curve_t curve;         /* INVALID for RSA */
    unsigned bits;                    /* 0 for curves */
    gnutls_digest_algorithm_t digest; /* to sign with; Ed25519 has its own (RFC 8032 5.1) */
} kinds[] = {
    [KEY_P256] = {"p256", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP256R1, 0, GNUTLS_DIG_SHA256},
    [KEY_P384] = {"p384", GNUTLS_PK_ECDSA, GNUTLS_ECC_CURVE_SECP384R1, 0, GNUTLS_DIG_SHA384},
    [KEY_RSA2048] = {"rsa2048", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, 2048, GNUTLS_DIG_SHA256},
    [KEY_RSA3072] = {"rsa3072", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, 3072, GNUTLS_DIG_SHA256},
    [KEY_RSA4096] = {"rsa4096", GNUTLS_PK_RSA, GNUTLS_ECC_CURVE_INVALID, 4096, GNUTLS_DIG_SHA256},
    [KEY_ED25519] = {"ed25519", GNUTLS_PK_EDDSA_ED25519, GNUTLS_ECC_CURVE_ED25519, 0,
                     GNUTLS_DIG_SHA512},
};

int err_gnutls(struct err *e, int code, const char *what)
{
    return err_set(e, ERR_TLS, "%s: %s", what, gnutls_strerror(code));
}

static struct key *key_new(void)
{
    struct key *k = xalloc(sizeof *k);

    if (gnutls_x509_privkey_init(&k->x509) != 0 || gnutls_privkey_init(&k->privkey) != 0)
        abort(); /* as xalloc: they fail for want of memory only */
    return k;
}

void key_free(struct key *k)
{
    if (k == NULL)
        return;
    gnutls_privkey_deinit(k->privkey);
    gnutls_x509_privkey_deinit(k->x509); /* wipes the numbers */
    free(k);
}

/* Makes the abstract key, which signs, from the X.509 key, which knows PEM. */
static int bind_abstract(struct key *k, struct err *e)
{
    int rc = gnutls_privkey_import_x509(k->privkey, k->x509, 0);

    return rc == 0 ? 0 : err_gnutls(e, rc, "private key");
}

struct key *key_generate(enum key_type type, struct err *e)
{
    const struct key_kind *kind = &kinds[type];
    struct key *k = key_new();
    unsigned bits = kind->bits != 0 ? kind->bits : GNUTLS_CURVE_TO_BITS(kind->curve);
    int rc = gnutls_x509_privkey_generate(k->x509, kind->algorithm, bits, 0);

    k->type = type;
    if (rc != 0)
        err_gnutls(e, rc, "key generation");
    else if (bind_abstract(k, e) == 0)
        return k;
    key_free(k);
    return NULL;
}

/* Which of our kinds a loaded key is. RSA of odd sizes counts as the largest one it reaches. */
static int find_type(struct key *k, struct err *e)
{
    unsigned bits;
    int algorithm = gnutls_x509_privkey_get_pk_algorithm2(k->x509, &bits);
    gnutls_ecc_curve_t curve = GNUTLS_ECC_CURVE_INVALID;
    bool found = false;

    if (algorithm != GNUTLS_PK_RSA)
        gnutls_x509_privkey_export_ecc_raw(k->x509, &curve, NULL, NULL, NULL);
    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (kinds[i].algorithm == (gnutls_pk_algorithm_t)algorithm && kinds[i].curve == curve &&
            kinds[i].bits <= bits) {
            k->type = (enum key_type)i;
            found = true;
        }
    return found ? 0 : err_set(e, ERR_INVALID, "private key: of a kind that is not supported");
}

struct key *key_load(struct str pem, struct err *e)
{
    gnutls_datum_t datum = {(unsigned char *)pem.p, (unsigned)pem.len};
    struct key *k;
    int rc;

    if (pem.len == 0 || pem.len > KEY_PEM_MAX) {
        err_set(e, ERR_SYNTAX, "private key: %s", pem.len == 0 ? "empty" : "too large");
        return NULL;
    }
    k = key_new();
    rc = gnutls_x509_privkey_import2(k->x509, &datum, GNUTLS_X509_FMT_PEM, NULL, GNUTLS_PKCS_PLAIN);
    if (rc != 0)
        err_set(e, ERR_SYNTAX, "private key: %s", gnutls_strerror(rc));
    else if (find_type(k, e) == 0 && bind_abstract(k, e) == 0)
        return k;
    key_free(k);
    return NULL;
}

enum key_type key_type(const struct key *k)
{
    return k->type;
}

const char *key_type_name(enum key_type type)
{
    return kinds[type].name;
}

gnutls_privkey_t key_gnutls(const struct key *k)
{
    return k->privkey;
}

gnutls_digest_algorithm_t key_digest(const struct key *k)
{
    return kinds[k->type].digest;
}

static void wipe(gnutls_datum_t *d)
{
    if (d->data != NULL)
        explicit_bzero(d->data, d->size);
    gnutls_free(d->data);
    d->data = NULL;
}

/* GnuTLS has no older form than PKCS#8 for Ed25519, but labels it "UNKNOWN" when asked for one. */
static int export_pem(const struct key *k, gnutls_datum_t *pem)
{
    if (k->type == KEY_ED25519)
        return gnutls_x509_privkey_export2_pkcs8(k->x509, GNUTLS_X509_FMT_PEM, NULL,
                                                 GNUTLS_PKCS_PLAIN, pem);
    return gnutls_x509_privkey_export2(k->x509, GNUTLS_X509_FMT_PEM, pem);
}

int key_pem(const struct key *k, struct buf *out, struct err *e)
{
    gnutls_datum_t pem = {NULL, 0};
    int rc = export_pem(k, &pem);

    if (rc != 0)
        return err_gnutls(e, rc, "private key");
    rc = buf_append(out, pem.data, pem.size);
    wipe(&pem);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "private key: larger than %zu bytes", out->max);
}

/* An unsigned number at fixed length: GnuTLS gives it with a leading zero or without its own
 * leading zeros, depending on its value. */
static void fixed_length(const gnutls_datum_t *number, uint8_t out[COORDINATE_LEN])
{
    const uint8_t *p = number->data;
    size_t len = number->size;

    while (len > 0 && *p == 0) {
        p++;
        len--;
    }
    assert(len <= COORDINATE_LEN);
    memset(out, 0, COORDINATE_LEN - len);
    if (len > 0)
        memcpy(out + COORDINATE_LEN - len, p, len);
}

static int require_p256(const struct key *k, struct err *e)
{
    return k->type == KEY_P256 ? 0 : err_set(e, ERR_INVALID, "not a P-256 key");
}

int key_jwk(const struct key *k, struct buf *json, struct err *e)
{
    char x64[BASE64URL_LEN(COORDINATE_LEN) + 1], y64[sizeof x64];
    uint8_t fixed[COORDINATE_LEN];
    gnutls_datum_t x, y;
    int rc;

    if (require_p256(k, e) != 0)
        return -1;
    rc = gnutls_x509_privkey_export_ecc_raw(k->x509, NULL, &x, &y, NULL);
    if (rc != 0)
        return err_gnutls(e, rc, "public key");
    fixed_length(&x, fixed);
    base64url_encode((struct str){(const char *)fixed, sizeof fixed}, x64);
    fixed_length(&y, fixed);
    base64url_encode((struct str){(const char *)fixed, sizeof fixed}, y64);
    gnutls_free(x.data);
    gnutls_free(y.data);
    if (buf_printf(json, "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", x64,
                   y64) != 0)
        return err_set(e, ERR_LIMIT, "public key: larger than %zu bytes", json->max);
    return 0;
}

int key_thumbprint(const struct key *k, char out[KEY_THUMBPRINT_LEN + 1], struct err *e)
{
    struct buf json = BUF_INIT(512);
    uint8_t digest[SHA256_LEN];
    int rc = key_jwk(k, &json, e);

    if (rc == 0) {
        sha256(buf_str(&json), digest);
        base64url_encode((struct str){(const char *)digest, sizeof digest}, out);
    }
    buf_fini(&json);
    return rc;
}

int key_sign_es256(const struct key *k, struct str data, uint8_t out[ES256_LEN], struct err *e)
{
    gnutls_datum_t text = {(unsigned char *)data.p, (unsigned)data.len};
    gnutls_datum_t der = {NULL, 0}, r, s;
    int rc;

    if (require_p256(k, e) != 0)
        return -1;
    rc = gnutls_privkey_sign_data2(k->privkey, GNUTLS_SIGN_ECDSA_SHA256, 0, &text, &der);
    if (rc != 0)
        return err_gnutls(e, rc, "signature");
    rc = gnutls_decode_rs_value(&der, &r, &s);
    gnutls_free(der.data);
    if (rc != 0)
        return err_gnutls(e, rc, "signature");
    fixed_length(&r, out);
    fixed_length(&s, out + COORDINATE_LEN);
    gnutls_free(r.data);
    gnutls_free(s.data);
    return 0;
}

void sha256(struct str data, uint8_t out[SHA256_LEN])
{
    int rc = gnutls_hash_fast(GNUTLS_DIG_SHA256, data.len == 0 ? "" : data.p, data.len, out);

    if (rc != 0)
        abort(); /* want of memory, or a GnuTLS without SHA-256 */
}

void hmac_sha256(struct str secret, struct str data, uint8_t out[SHA256_LEN])
{
    int rc = gnutls_hmac_fast(GNUTLS_MAC_SHA256, secret.len == 0 ? "" : secret.p, secret.len,
                              data.len == 0 ? "" : data.p, data.len, out);

    if (rc != 0)
        abort();
}
