/* Private keys: made, loaded, written, and used as ACME wants them (JWK, thumbprint, ES256).
 * Certificate thread; a struct key may be used by one thread at a time. */
#ifndef LINTEL_CERT_KEYS_H
#define LINTEL_CERT_KEYS_H

#include "base/base64.h"
#include "base/buf.h"
#include "base/err.h"
#include "conf/conf.h"

#include <gnutls/gnutls.h>
#include <stdint.h>

struct key;

enum {
    KEY_PEM_MAX = 16 * 1024, /* ceiling for a buf that holds one private key */
    SHA256_LEN = 32,
    ES256_LEN = 64, /* r and s, 32 bytes each (RFC 7518 3.4) */
    KEY_THUMBPRINT_LEN = BASE64URL_LEN(SHA256_LEN)
};

/* A fresh key; RSA 4096 takes about a second. NULL with *e set if GnuTLS fails. */
struct key *key_generate(enum key_type type, struct err *e);

/* From PEM without a password: PKCS#8, "EC PRIVATE KEY" or "RSA PRIVATE KEY". ERR_SYNTAX if it is
 * none of them; ERR_INVALID if it is of a kind that enum key_type has not. */
struct key *key_load(struct str pem, struct err *e);

/* Wipes and frees. NULL is fine. */
void key_free(struct key *k);

enum key_type key_type(const struct key *k);

/* "p256", "rsa2048", ...: as the configuration writes it. */
const char *key_type_name(enum key_type type);

/* Appends the PEM text, in the form Caddy writes. Use BUF_INIT(KEY_PEM_MAX): buf_fini wipes it. */
MUST_CHECK int key_pem(const struct key *k, struct buf *out, struct err *e);

/* Appends the public part as JSON text, the members in the order and form of RFC 7638 3:
 * {"crv":"P-256","kty":"EC","x":"...","y":"..."}. P-256 keys only (ERR_INVALID). */
MUST_CHECK int key_jwk(const struct key *k, struct buf *json, struct err *e);

/* The JWK thumbprint (RFC 7638) as base64url text with a NUL. P-256 keys only. */
MUST_CHECK int key_thumbprint(const struct key *k, char out[KEY_THUMBPRINT_LEN + 1], struct err *e);

/* The ES256 signature of data as JOSE wants it: r || s, fixed length. P-256 keys only. */
MUST_CHECK int key_sign_es256(const struct key *k, struct str data, uint8_t out[ES256_LEN],
                              struct err *e);

/* Cannot fail. */
void sha256(struct str data, uint8_t out[SHA256_LEN]);
void hmac_sha256(struct str secret, struct str data, uint8_t out[SHA256_LEN]);

/* For cert/x509.c: the GnuTLS object, owned by k; and the hash to sign certificates with. */
gnutls_privkey_t key_gnutls(const struct key *k);
gnutls_digest_algorithm_t key_digest(const struct key *k);

/* err_set(e, ERR_TLS, "<what>: <GnuTLS's words>"); returns -1. */
int err_gnutls(struct err *e, int code, const char *what);

#endif
