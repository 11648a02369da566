/* Certificates as things to look into, to ask for (CSR) and, for tls-alpn-01, to make.
 * Certificate thread. */
#ifndef LINTEL_CERT_X509_H
#define LINTEL_CERT_X509_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "cert/keys.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    X509_CHAIN_MAX = 16,          /* certificates in one chain */
    X509_PEM_MAX = 128 * 1024,    /* ceiling for a buf that holds a chain */
    X509_SERIAL_MAX = 2 * 32 + 1, /* hexadecimal text with its NUL */
    X509_CERT_ID_MAX = 128        /* RFC 9773 4.1, with its NUL */
};

/* Appends a PKCS#10 request (RFC 2986) in DER, signed with k, for n names: host names
 * ("*.example.com" included) become dNSName, IP addresses (without brackets) iPAddress. The
 * subject is empty: CAs take the names from the extension. */
MUST_CHECK int x509_csr(const struct key *k, const struct str *names, size_t n, struct buf *der,
                        struct err *e);

/* ---- chains ---- */

struct x509_chain; /* the leaf first, then its issuers */

/* From PEM; other blocks and text between are passed over. ERR_SYNTAX if there is no certificate or
 * one that is damaged, ERR_LIMIT if there are more than X509_CHAIN_MAX. */
struct x509_chain *x509_chain_parse(struct str pem, struct err *e);
void x509_chain_free(struct x509_chain *c); /* NULL is fine */

/* Facts of the leaf; texts live as long as c. Names are lower-cased, IP addresses in inet_ntop's
 * form. Of names there are those of the subjectAltName only (RFC 9525 6.1). */
int64_t x509_not_before_s(const struct x509_chain *c);
int64_t x509_not_after_s(const struct x509_chain *c); /* the last second it is valid */
const char *x509_serial(const struct x509_chain *c);  /* lower-case hexadecimal */
const char *x509_issuer(const struct x509_chain *c);  /* its common name, or the whole DN */
size_t x509_n_names(const struct x509_chain *c);
struct str x509_name(const struct x509_chain *c, size_t i);
size_t x509_n_certs(const struct x509_chain *c);

/* Whether the leaf is good for name: exactly, or by a wildcard for its first label (RFC 9525 6.3).
 * A name that is a wildcard itself must be there as it is. */
bool x509_covers(const struct x509_chain *c, struct str name);

/* The unique identifier of RFC 9773 4.1 with a NUL. ERR_INVALID if the leaf has no
 * authorityKeyIdentifier. */
MUST_CHECK int x509_cert_id(const struct x509_chain *c, char out[X509_CERT_ID_MAX], struct err *e);

/* Whether k is the key of the leaf; ERR_INVALID if not. */
MUST_CHECK int x509_chain_key_check(const struct x509_chain *c, const struct key *k, struct err *e);

/* Whether each certificate is signed by the next one; ERR_INVALID if not. */
MUST_CHECK int x509_chain_links_check(const struct x509_chain *c, struct err *e);

/* To be called before a chain is stored or served: it covers every name, k is the key of the leaf,
 * now_s lies within the validity of each certificate, and each is signed by the next one. The last
 * one need not be a root. ERR_INVALID with the reason in words. */
MUST_CHECK int x509_chain_check(const struct x509_chain *c, const struct key *k,
                                const struct str *names, size_t n, int64_t now_s, struct err *e);

/* ---- tls-alpn-01 ---- */

/* Makes the certificate of RFC 8737 3 for name (a host name or an IP address, RFC 8738) with a
 * fresh P-256 key: self-signed, one subjectAltName, the critical acmeIdentifier extension with the
 * SHA-256 of key_authorization. Both are appended as PEM, fit for cred_new(). */
MUST_CHECK int x509_alpn(struct str name, struct str key_authorization, struct buf *cert_pem,
                         struct buf *key_pem_out, struct err *e);

/* ---- making certificates: for tls-alpn-01 and cert/local_ca.c ---- */

struct x509_template {
    const char *subject; /* common name, at most 64 bytes */
    struct str name;     /* subjectAltName; len 0: none */
    int64_t not_before_s;
    int64_t not_after_s;
    bool is_ca;
    int path_len;               /* of a CA: how many CAs may stand below it */
    const uint8_t *acme_digest; /* SHA256_LEN bytes for acmeIdentifier, or NULL */
};

/* Makes a certificate for subject_key as t says and appends it as PEM. issuer (its first
 * certificate) and issuer_key sign; both NULL: self-signed. The serial number is random. */
MUST_CHECK int x509_make(const struct x509_template *t, const struct key *subject_key,
                         const struct x509_chain *issuer, const struct key *issuer_key,
                         struct buf *pem, struct err *e);

/* The text of an IP address (without brackets) in network order: 4, 16 or, if it is none, 0. */
size_t x509_ip(struct str name, uint8_t ip[16]);

#endif
