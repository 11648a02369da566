/* JSON Web Signatures as ACME wants them (RFC 8555 6.2): flattened (RFC 7515 7.2.2), ES256 with
 * the account key, and the HS256 one of an external account binding. Certificate thread. */
#ifndef LINTEL_CERT_JWS_H
#define LINTEL_CERT_JWS_H

#include "base/buf.h"
#include "cert/keys.h"

enum { JWS_MAX = 16 * 1024 }; /* a sensible ceiling for a whole request body */

struct jws {
    const struct key *key; /* P-256 */
    const char *kid;       /* the account's URL; NULL: the public key itself goes along as jwk */
    const char *nonce;
    const char *url;    /* the one the request goes to */
    struct str payload; /* JSON; len 0 is POST-as-GET (RFC 8555 6.3) */
};

/* Appends the signed request body to out. */
MUST_CHECK int jws_sign(const struct jws *in, struct buf *out, struct err *e);

/* Appends the externalAccountBinding object (RFC 8555 7.3.4) that binds key to the account key_id
 * of the CA. mac_key is base64url, padded or not, as CAs hand it out; url is newAccount's. */
MUST_CHECK int jws_bind(const struct key *key, const char *key_id, const char *mac_key,
                        const char *url, struct buf *out, struct err *e);

#endif
