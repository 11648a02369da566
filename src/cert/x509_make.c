/* Certificate requests, and certificates of our own making. Each list of steps is a chain of "||"
 * that stops at the first error code of GnuTLS. */
#include "cert/x509.h"

#include "cert/x509_chain.h"

#include <gnutls/abstract.h>
#include <gnutls/crypto.h>
#include <time.h>

enum {
    SERIAL_LEN = 16,
    KEY_ID_LEN = 64,
    ALPN_LIFE_S = 7 * 86400, /* an order lives so long at most */
    BACKDATE_S = 3600        /* the CA's clock may be behind ours */
};

static const char acme_identifier_oid[] = "1.3.6.1.5.5.7.1.31"; /* RFC 8737 6.1 */

/* A name as GnuTLS wants it for a subjectAltName. */
struct san {
    gnutls_x509_subject_alt_name_t type;
    const void *data;
    unsigned len;
    uint8_t ip[16];
};

static void san_init(struct san *san, struct str name)
{
    size_t ip_len = x509_ip(name, san->ip);

    san->type = ip_len > 0 ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME;
    san->data = ip_len > 0 ? (const void *)san->ip : name.p;
    san->len = (unsigned)(ip_len > 0 ? ip_len : name.len);
}

/* ---- requests ---- */

static int crq_add_name(gnutls_x509_crq_t crq, struct str name, bool first)
{
    struct san san;

    san_init(&san, name);
    return gnutls_x509_crq_set_subject_alt_name(crq, san.type, san.data, san.len,
                                                first ? GNUTLS_FSAN_SET : GNUTLS_FSAN_APPEND);
}

static int crq_fill(gnutls_x509_crq_t crq, gnutls_pubkey_t public, const struct key *k,
                    const struct str *names, size_t n)
{
    int rc = gnutls_x509_crq_set_version(crq, 1);

    for (size_t i = 0; i < n && rc == 0; i++)
        rc = crq_add_name(crq, names[i], i == 0);
    if (rc == 0)
        rc = gnutls_pubkey_import_privkey(public, key_gnutls(k), 0, 0);
    if (rc == 0)
        rc = gnutls_x509_crq_set_pubkey(crq, public);
    return rc != 0 ? rc : gnutls_x509_crq_privkey_sign(crq, key_gnutls(k), key_digest(k), 0);
}

int x509_csr(const struct key *k, const struct str *names, size_t n, struct buf *der, struct err *e)
{
    gnutls_datum_t out = {NULL, 0};
    gnutls_pubkey_t public = NULL;
    gnutls_x509_crq_t crq = NULL;
    int rc = gnutls_x509_crq_init(&crq);

    if (rc == 0)
        rc = gnutls_pubkey_init(&public);
    if (rc == 0)
        rc = crq_fill(crq, public, k, names, n);
    if (rc == 0)
        rc = gnutls_x509_crq_export2(crq, GNUTLS_X509_FMT_DER, &out);
    gnutls_x509_crq_deinit(crq);
    gnutls_pubkey_deinit(public);
    if (rc != 0)
        return err_gnutls(e, rc, "certificate request");
    rc = buf_append(der, out.data, out.size);
    gnutls_free(out.data);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "certificate request: too large");
}

/* ---- certificates ---- */

/* Positive, 127 bits, all but one random: RFC 5280 4.1.2.2. */
static int set_serial(gnutls_x509_crt_t crt)
{
    uint8_t serial[SERIAL_LEN];
    int rc = gnutls_rnd(GNUTLS_RND_NONCE, serial, sizeof serial);

    serial[0] = (serial[0] & 0x3f) | 0x40;
    return rc != 0 ? rc : gnutls_x509_crt_set_serial(crt, serial, sizeof serial);
}

/* subjectKeyIdentifier, and authorityKeyIdentifier as the issuer has the former. */
static int set_key_ids(gnutls_x509_crt_t crt, gnutls_x509_crt_t issuer)
{
    uint8_t id[KEY_ID_LEN];
    size_t len = sizeof id;
    int rc = gnutls_x509_crt_get_key_id(crt, 0, id, &len);

    if (rc == 0)
        rc = gnutls_x509_crt_set_subject_key_id(crt, id, len);
    if (rc != 0 || issuer == crt)
        return rc;
    len = sizeof id;
    if (gnutls_x509_crt_get_subject_key_id(issuer, id, &len, NULL) != 0)
        return 0; /* a root of somebody else's making need not have one */
    return gnutls_x509_crt_set_authority_key_id(crt, id, len);
}

static int set_usage(gnutls_x509_crt_t crt, const struct x509_template *t)
{
    int rc;

    if (t->is_ca) {
        rc = gnutls_x509_crt_set_basic_constraints(crt, 1, t->path_len);
        return rc != 0 ? rc
                       : gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_KEY_CERT_SIGN |
                                                                GNUTLS_KEY_CRL_SIGN);
    }
    rc = gnutls_x509_crt_set_key_usage(crt, GNUTLS_KEY_DIGITAL_SIGNATURE);
    return rc != 0 ? rc : gnutls_x509_crt_set_key_purpose_oid(crt, GNUTLS_KP_TLS_WWW_SERVER, 0);
}

static int set_name(gnutls_x509_crt_t crt, struct str name)
{
    struct san san;

    if (name.len == 0)
        return 0;
    san_init(&san, name);
    return gnutls_x509_crt_set_subject_alt_name(crt, san.type, san.data, san.len, GNUTLS_FSAN_SET);
}

/* The digest as an OCTET STRING inside the extension (RFC 8737 3). */
static int set_acme_identifier(gnutls_x509_crt_t crt, const uint8_t *digest)
{
    uint8_t der[2 + SHA256_LEN] = {0x04, SHA256_LEN};

    if (digest == NULL)
        return 0;
    memcpy(der + 2, digest, SHA256_LEN);
    return gnutls_x509_crt_set_extension_by_oid(crt, acme_identifier_oid, der, sizeof der, 1);
}

static int set_subject_key(gnutls_x509_crt_t crt, const struct key *k)
{
    gnutls_pubkey_t public;
    int rc = gnutls_pubkey_init(&public);

    if (rc != 0)
        return rc;
    rc = gnutls_pubkey_import_privkey(public, key_gnutls(k), 0, 0);
    if (rc == 0)
        rc = gnutls_x509_crt_set_pubkey(crt, public);
    gnutls_pubkey_deinit(public);
    return rc;
}

static int crt_fill(gnutls_x509_crt_t crt, const struct x509_template *t, const struct key *k,
                    gnutls_x509_crt_t issuer)
{
    int rc;

    (void)((rc = gnutls_x509_crt_set_version(crt, 3)) || (rc = set_serial(crt)) ||
           (rc = gnutls_x509_crt_set_activation_time(crt, (time_t)t->not_before_s)) ||
           (rc = gnutls_x509_crt_set_expiration_time(crt, (time_t)t->not_after_s)) ||
           (rc = gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, t->subject,
                                               (unsigned)strlen(t->subject))) ||
           (rc = set_subject_key(crt, k)) || (rc = set_key_ids(crt, issuer)) ||
           (rc = set_usage(crt, t)) || (rc = set_name(crt, t->name)) ||
           (rc = set_acme_identifier(crt, t->acme_digest)));
    return rc;
}

int x509_make(const struct x509_template *t, const struct key *subject_key,
              const struct x509_chain *issuer, const struct key *issuer_key, struct buf *pem,
              struct err *e)
{
    const struct key *signer = issuer == NULL ? subject_key : issuer_key;
    gnutls_datum_t out = {NULL, 0};
    gnutls_x509_crt_t crt = NULL;
    int rc = gnutls_x509_crt_init(&crt);

    if (rc == 0) {
        gnutls_x509_crt_t parent = issuer == NULL ? crt : issuer->certs[0];

        rc = crt_fill(crt, t, subject_key, parent);
        if (rc == 0)
            rc = gnutls_x509_crt_privkey_sign(crt, parent, key_gnutls(signer), key_digest(signer),
                                              0);
    }
    if (rc == 0)
        rc = gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &out);
    gnutls_x509_crt_deinit(crt);
    if (rc != 0)
        return err_gnutls(e, rc, "making a certificate");
    rc = buf_append(pem, out.data, out.size);
    gnutls_free(out.data);
    return rc == 0 ? 0 : err_set(e, ERR_LIMIT, "certificate: too large");
}

int x509_alpn(struct str name, struct str key_authorization, struct buf *cert_pem,
              struct buf *key_pem_out, struct err *e)
{
    int64_t now_s = time(NULL);
    uint8_t digest[SHA256_LEN];
    struct x509_template t = {
        .subject = "ACME challenge",
        .name = name,
        .not_before_s = now_s - BACKDATE_S,
        .not_after_s = now_s + ALPN_LIFE_S,
        .acme_digest = digest,
    };
    struct key *k = key_generate(KEY_P256, e);
    int rc = -1;

    if (k == NULL)
        return -1;
    sha256(key_authorization, digest);
    if (x509_make(&t, k, NULL, NULL, cert_pem, e) == 0 && key_pem(k, key_pem_out, e) == 0)
        rc = 0;
    key_free(k);
    return rc;
}
