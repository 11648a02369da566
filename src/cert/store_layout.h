/* The names of things in a store: the file tree of certmagic and of Caddy's local CA, and a few of
 * our own. Pure functions.
 *
 *   certificates/<ca-key>/<name>/<name>.crt|.key|.json
 *   acme/<ca-key>/users/<email>/<user>.json|.key        "default" without an e-mail address
 *   pki/authorities/local/root.crt|root.key|intermediate.crt|intermediate.key
 *   locks/<lock>.lock
 *   retry/<ca-key>/<name>.json                          ours: when to try a failed name again
 *
 * <ca-key> is the host, port and path of a directory URL in one component:
 * "acme-v02.api.letsencrypt.org-directory", "localhost-14000-dir"; "local" for the local CA. */
#ifndef LINTEL_CERT_STORE_LAYOUT_H
#define LINTEL_CERT_STORE_LAYOUT_H

#include "cert/store.h"

struct store_key {
    char text[STORE_KEY_MAX];
};

enum store_cert_part {
    STORE_CERT_CHAIN, /* .crt: PEM, the leaf first */
    STORE_CERT_KEY,   /* .key: PEM */
    STORE_CERT_META   /* .json: certmagic's {"sans":[...],"issuer_data":{...}}; our own facts
                         ("public_since": seconds since 1970) stand beside its members */
};

enum store_account_part { STORE_ACCOUNT_JSON, STORE_ACCOUNT_KEY };

/* ca is a directory URL, or STORE_LOCAL_CA. name is a host name, "*.example.com" or an IP address.
 * Each returns its key by value; parts too long for a key are cut. */
#define STORE_LOCAL_CA "local"
#define STORE_LOCAL_ROOT "pki/authorities/local/root"                 /* .crt, .key */
#define STORE_LOCAL_INTERMEDIATE "pki/authorities/local/intermediate" /* .crt, .key */
struct store_key store_cert_key(const char *ca, const char *name, enum store_cert_part part);
struct store_key store_cert_folder(const char *ca, const char *name);
struct store_key store_account_key(const char *ca, const char *email, enum store_account_part part);
struct store_key store_retry_key(const char *ca, const char *name);

/* Locks, named as certmagic names them, so that a Caddy on the same folder keeps away. */
struct store_key store_lock_issue(const char *name); /* issue_cert_<name> */
struct store_key store_lock_account(const char *ca, const char *email);
struct store_key store_lock_local_ca(void);

/* One component made safe as certmagic's KeyBuilder.Safe does: trimmed, lower-case, " " to "_",
 * "+" to "_plus_", "*" to "wildcard_", ":" to "-", ".." removed, then everything but letters,
 * digits and "_@.-". Writes at most cap bytes with the NUL. */
void store_safe(struct str text, char *out, size_t cap);

#endif
