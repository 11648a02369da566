/* The snapshot of all certificates and live challenge answers. The certificate thread builds one
 * whole and publishes it; from then on it is never written. Counted by reference; any thread. */
#ifndef LINTEL_CERT_CERT_SET_H
#define LINTEL_CERT_CERT_SET_H

#include "base/str.h"
#include "conf/conf.h"

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

struct cert_set;

/* One certificate with its key, ready for sessions. Counted by reference, shared between sets, so
 * that a new set costs nothing for the names that did not change. */
struct cred;

/* What a worker needs to know of one name. */
struct cert_entry {
    struct str name;     /* as in cert_need */
    struct cred *cred;   /* NULL: none yet */
    const char *reason;  /* why there is none, one line ("the order failed: ..."); "" if there is */
    bool coming;         /* there is none, but it is being made right now */
    int64_t not_after_s; /* 0 without cred */
    int64_t public_since_s; /* since when the name is served with a certificate of a public ACME CA;
                               0: it is not. The HSTS ramp counts from here. */
};

struct cert_set *cert_set_ref(struct cert_set *s);
void cert_set_unref(struct cert_set *s); /* NULL is fine */

/* Each set that was made has a higher number than those before it. */
uint64_t cert_set_number(const struct cert_set *s);

/* The entry for a name as a client asks for it (lower-cased): exact, else the wildcard of its
 * parent; NULL if none is configured. An IP address is looked up as text without brackets. */
const struct cert_entry *cert_set_find(const struct cert_set *s, struct str name);

/* The configured name nearest to name, for messages; len 0 if none is near. */
struct str cert_set_nearest(const struct cert_set *s, struct str name);

/* The certificate that answers tls-alpn-01 for name at the moment (RFC 8737), or NULL. */
struct cred *cert_set_alpn(const struct cert_set *s, struct str name);

/* The key authorization that answers http-01 for token at the moment (RFC 8555 8.3); len 0: none.
 */
struct str cert_set_http01(const struct cert_set *s, struct str token);

/* The credentials to set in a session; they live as long as the set or a reference does. */
gnutls_certificate_credentials_t cred_gnutls(const struct cred *c);
struct cred *cred_ref(struct cred *c);
void cred_unref(struct cred *c); /* NULL is fine */

/* ---- building one: the certificate thread ---- */

struct cert_set *cert_set_new(void); /* one reference */
/* The strings are copied; cred gets a reference of its own. */
void cert_set_add(struct cert_set *s, const struct cert_entry *entry);
void cert_set_add_alpn(struct cert_set *s, struct str name, struct cred *cred);
void cert_set_add_http01(struct cert_set *s, struct str token, struct str key_authorization);
void cert_set_seal(struct cert_set *s); /* sorts; no add after it */

/* From PEM. Checks that the key belongs to the first certificate. */
struct cred *cred_new(struct str chain_pem, struct str key_pem, struct err *e);

#endif
