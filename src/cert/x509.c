/* Looking into certificate chains, and checking them. Making is in x509_make.c. */
#include "cert/x509.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/date.h"
#include "cert/x509_chain.h"

#include <arpa/inet.h>
#include <gnutls/abstract.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    NAME_MAX_LEN = 256, /* a host name has at most 253 bytes */
    SERIAL_BYTES = 32,  /* RFC 5280 4.1.2.2 allows 20 */
    KEY_ID_MAX = 64
};

size_t x509_ip(struct str name, uint8_t ip[16])
{
    char text[INET6_ADDRSTRLEN];

    if (name.len == 0 || name.len >= sizeof text)
        return 0;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    if (inet_pton(AF_INET, text, ip) == 1)
        return 4;
    return inet_pton(AF_INET6, text, ip) == 1 ? 16 : 0;
}

/* ---- facts ---- */

static struct str ip_text(struct arena *a, const char *bytes, size_t len)
{
    char text[INET6_ADDRSTRLEN];

    if ((len != 4 && len != 16) ||
        inet_ntop(len == 4 ? AF_INET : AF_INET6, bytes, text, sizeof text) == NULL)
        return STR_LIT("");
    return arena_str(a, str_of(text));
}

/* A name with a NUL in it is a trick (CVE-2009-2408) and is passed over. */
static struct str dns_text(struct arena *a, const char *bytes, size_t len)
{
    struct str copy;
    char *p;

    if (memchr(bytes, '\0', len) != NULL)
        return STR_LIT("");
    copy = arena_str(a, (struct str){bytes, len});
    p = (char *)copy.p;
    for (size_t i = 0; i < len; i++)
        p[i] = ascii_lower(p[i]);
    return copy;
}

static void read_names(struct x509_chain *c)
{
    size_t cap = 0;

    for (unsigned i = 0;; i++) {
        char bytes[NAME_MAX_LEN];
        size_t len = sizeof bytes;
        int type = gnutls_x509_crt_get_subject_alt_name(c->certs[0], i, bytes, &len, NULL);
        struct str name = STR_LIT("");

        if (type == GNUTLS_SAN_DNSNAME)
            name = dns_text(c->arena, bytes, len);
        else if (type == GNUTLS_SAN_IPADDRESS)
            name = ip_text(c->arena, bytes, len);
        else if (type < 0 && type != GNUTLS_E_SHORT_MEMORY_BUFFER)
            return;
        if (name.len == 0)
            continue;
        c->names = arena_grow(c->arena, c->names, c->n_names, &cap, sizeof *c->names);
        c->names[c->n_names++] = name;
    }
}

static int read_serial(struct x509_chain *c, struct err *e)
{
    uint8_t bytes[SERIAL_BYTES];
    size_t len = sizeof bytes, skip = 0;
    int rc = gnutls_x509_crt_get_serial(c->certs[0], bytes, &len);

    if (rc != 0)
        return err_set(e, ERR_INVALID, "certificate: serial number: %s", gnutls_strerror(rc));
    while (skip + 1 < len && bytes[skip] == 0)
        skip++;
    for (size_t i = skip; i < len; i++)
        snprintf(c->serial + 2 * (i - skip), 3, "%02x", bytes[i]);
    return 0;
}

static void read_issuer(struct x509_chain *c)
{
    char text[NAME_MAX_LEN];
    size_t len = sizeof text;
    int rc = gnutls_x509_crt_get_issuer_dn_by_oid(c->certs[0], GNUTLS_OID_X520_COMMON_NAME, 0, 0,
                                                  text, &len);

    if (rc != 0) {
        len = sizeof text;
        rc = gnutls_x509_crt_get_issuer_dn(c->certs[0], text, &len);
    }
    c->issuer = arena_strdup(c->arena, rc == 0 ? text : "an unnamed issuer");
}

/* How many certificates the text means to hold. GnuTLS passes over one that is cut off if there is
 * a whole one before it. */
static unsigned count_begins(struct str pem)
{
    static const char mark[] = "-----BEGIN CERTIFICATE-----";
    const char *at = pem.p, *end = pem.p + pem.len;
    unsigned n = 0;

    while ((at = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL) {
        at += sizeof mark - 1;
        n++;
    }
    return n;
}

struct x509_chain *x509_chain_parse(struct str pem, struct err *e)
{
    gnutls_datum_t datum = {(unsigned char *)pem.p, (unsigned)pem.len};
    struct x509_chain *c;
    int rc;

    if (pem.len > X509_PEM_MAX) {
        err_set(e, ERR_LIMIT, "certificate: larger than %d bytes", X509_PEM_MAX);
        return NULL;
    }
    c = xalloc(sizeof *c);
    c->arena = arena_new();
    rc = pem.len == 0
             ? GNUTLS_E_NO_CERTIFICATE_FOUND
             : gnutls_x509_crt_list_import2(&c->certs, &c->n, &datum, GNUTLS_X509_FMT_PEM, 0);
    if (rc < 0 || c->n == 0)
        err_set(e, ERR_SYNTAX, "certificate: %s", gnutls_strerror(rc));
    else if (c->n < count_begins(pem))
        err_set(e, ERR_SYNTAX, "certificate: number %u of the chain is broken", c->n + 1);
    else if (c->n > X509_CHAIN_MAX)
        err_set(e, ERR_LIMIT, "certificate: a chain of %u", c->n);
    else if (read_serial(c, e) == 0) {
        read_names(c);
        read_issuer(c);
        return c;
    }
    x509_chain_free(c);
    return NULL;
}

void x509_chain_free(struct x509_chain *c)
{
    if (c == NULL)
        return;
    for (unsigned i = 0; i < c->n; i++)
        gnutls_x509_crt_deinit(c->certs[i]);
    gnutls_free(c->certs);
    arena_free(c->arena);
    free(c);
}

int64_t x509_not_before_s(const struct x509_chain *c)
{
    return gnutls_x509_crt_get_activation_time(c->certs[0]);
}

int64_t x509_not_after_s(const struct x509_chain *c)
{
    return gnutls_x509_crt_get_expiration_time(c->certs[0]);
}

const char *x509_serial(const struct x509_chain *c)
{
    return c->serial;
}

const char *x509_issuer(const struct x509_chain *c)
{
    return c->issuer;
}

size_t x509_n_names(const struct x509_chain *c)
{
    return c->n_names;
}

struct str x509_name(const struct x509_chain *c, size_t i)
{
    return c->names[i];
}

size_t x509_n_certs(const struct x509_chain *c)
{
    return c->n;
}

/* pattern is a name of a certificate. Its wildcard stands for one whole label, and never for a part
 * of an IP address: an address has no equal but itself, since its text has its own form. */
static bool name_matches(struct str pattern, struct str name)
{
    size_t dot = str_chr(name, '.');
    uint8_t ip[16];

    if (str_eq_nocase(pattern, name))
        return true;
    return str_starts(pattern, STR_LIT("*.")) && dot > 0 && dot < name.len &&
           x509_ip(name, ip) == 0 && str_eq_nocase(str_from(pattern, 1), str_from(name, dot));
}

/* The one text of an address: "::0:1" and "::1" are the same. */
static struct str canonical(struct str name, char text[INET6_ADDRSTRLEN])
{
    uint8_t ip[16];
    size_t len = x509_ip(name, ip);

    if (len == 0)
        return name;
    inet_ntop(len == 4 ? AF_INET : AF_INET6, ip, text, INET6_ADDRSTRLEN);
    return str_of(text);
}

bool x509_covers(const struct x509_chain *c, struct str name)
{
    char text[INET6_ADDRSTRLEN];

    name = canonical(name, text);
    for (size_t i = 0; i < c->n_names; i++)
        if (name_matches(c->names[i], name))
            return true;
    return false;
}

int x509_cert_id(const struct x509_chain *c, char out[X509_CERT_ID_MAX], struct err *e)
{
    uint8_t key_id[KEY_ID_MAX], serial[SERIAL_BYTES];
    size_t key_id_len = sizeof key_id, serial_len = sizeof serial;
    size_t dot;

    if (gnutls_x509_crt_get_authority_key_id(c->certs[0], key_id, &key_id_len, NULL) != 0 ||
        gnutls_x509_crt_get_serial(c->certs[0], serial, &serial_len) != 0 ||
        BASE64URL_LEN(key_id_len) + 1 + BASE64URL_LEN(serial_len) >= X509_CERT_ID_MAX)
        return err_set(e, ERR_INVALID, "certificate: no authorityKeyIdentifier");
    base64url_encode((struct str){(const char *)key_id, key_id_len}, out);
    dot = strlen(out);
    out[dot] = '.';
    base64url_encode((struct str){(const char *)serial, serial_len}, out + dot + 1);
    return 0;
}

/* ---- the check before use ---- */

int x509_chain_key_check(const struct x509_chain *c, const struct key *k, struct err *e)
{
    uint8_t of_cert[KEY_ID_MAX], of_key[KEY_ID_MAX];
    size_t cert_len = sizeof of_cert, key_len = sizeof of_key;
    gnutls_pubkey_t public;
    int rc = gnutls_pubkey_init(&public);

    if (rc != 0)
        return err_gnutls(e, rc, "public key");
    rc = gnutls_pubkey_import_privkey(public, key_gnutls(k), 0, 0);
    if (rc == 0)
        rc = gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, of_key, &key_len);
    if (rc == 0)
        rc = gnutls_x509_crt_get_key_id(c->certs[0], GNUTLS_KEYID_USE_SHA256, of_cert, &cert_len);
    gnutls_pubkey_deinit(public);
    if (rc != 0)
        return err_gnutls(e, rc, "public key");
    if (cert_len != key_len || memcmp(of_cert, of_key, key_len) != 0)
        return err_set(e, ERR_INVALID, "the certificate was not made for this private key");
    return 0;
}

/* What a message calls the certificate at i. */
static const char *role(unsigned i)
{
    return i == 0 ? "the certificate" : "an intermediate certificate";
}

static int check_validity(const struct x509_chain *c, int64_t now_s, struct err *e)
{
    char date[DATE_RFC3339_LEN + 1], now[DATE_RFC3339_LEN + 1];

    date_format_rfc3339(now_s, now);
    for (unsigned i = 0; i < c->n; i++) {
        int64_t from_s = gnutls_x509_crt_get_activation_time(c->certs[i]);
        int64_t to_s = gnutls_x509_crt_get_expiration_time(c->certs[i]);

        if (now_s >= from_s && now_s <= to_s)
            continue;
        date_format_rfc3339(now_s < from_s ? from_s : to_s, date);
        return err_set(e, ERR_INVALID, "%s %s %s (it is %s now: is the clock right?)", role(i),
                       now_s < from_s ? "is not valid before" : "expired on", date, now);
    }
    return 0;
}

/* That issuer signed cert, and may. Dates are checked elsewhere. */
static int check_link(gnutls_x509_crt_t cert, gnutls_x509_crt_t issuer, unsigned i, struct err *e)
{
    gnutls_datum_t reason = {NULL, 0};
    unsigned status = 0;
    int rc;

    if (gnutls_x509_crt_check_issuer(cert, issuer) == 0)
        return err_set(e, ERR_INVALID, "%s is not followed by its issuer in the chain", role(i));
    rc = gnutls_x509_crt_verify(cert, &issuer, 1, GNUTLS_VERIFY_DISABLE_TIME_CHECKS, &status);
    if (rc != 0)
        return err_gnutls(e, rc, "certificate chain");
    if (status == 0)
        return 0;
    gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &reason, 0);
    err_set(e, ERR_INVALID, "%s does not verify against the next one in the chain: %s", role(i),
            reason.data == NULL ? "" : (const char *)reason.data);
    gnutls_free(reason.data);
    return -1;
}

int x509_chain_links_check(const struct x509_chain *c, struct err *e)
{
    for (unsigned i = 0; i + 1 < c->n; i++)
        if (check_link(c->certs[i], c->certs[i + 1], i, e) != 0)
            return -1;
    return 0;
}

int x509_chain_check(const struct x509_chain *c, const struct key *k, const struct str *names,
                     size_t n, int64_t now_s, struct err *e)
{
    for (size_t i = 0; i < n; i++)
        if (!x509_covers(c, names[i]))
            return err_set(e, ERR_INVALID, "the certificate does not cover " STR_FMT,
                           STR_ARG(names[i]));
    if (x509_chain_key_check(c, k, e) != 0 || check_validity(c, now_s, e) != 0)
        return -1;
    return x509_chain_links_check(c, e);
}
