/* The embedded local CA: certificates for localhost, *.local, IP addresses and the like, which no
 * public CA would give. Kept in a store where Caddy keeps its own, so that a root that is already
 * trusted by browsers stays so. Certificate thread.
 *
 * 1. root: ECDSA P-256, 3600 days (as Caddy's). Made once, under a lock. Never replaced: people
 * have told their browsers to trust it. A damaged one is an error, not a reason for a new one.
 * 2. intermediate: ECDSA P-256, path length 0, a year at most; made anew by itself when less than
 *    LOCAL_CA_INTERMEDIATE_LEFT_S of it is left or when it does not belong to the root. Caddy's
 *    lives 7 days, which makes each leaf's life depend on a rotation in time; since our root's key
 *    lies beside it in the same folder, a shorter life would protect nothing.
 * 3. leaf: 7 days, no longer than the intermediate. Renewed by the manager like any other. */
#ifndef LINTEL_CERT_LOCAL_CA_H
#define LINTEL_CERT_LOCAL_CA_H

#include "base/buf.h"
#include "base/err.h"
#include "cert/keys.h"
#include "cert/store.h"
#include "cert/store_layout.h"

#include <stdint.h>

enum {
    LOCAL_CA_ROOT_S = 3600 * 86400,
    LOCAL_CA_INTERMEDIATE_S = 365 * 86400,
    LOCAL_CA_INTERMEDIATE_LEFT_S = 30 * 86400,
    LOCAL_CA_LEAF_S = 7 * 86400,
    LOCAL_CA_BACKDATE_S = 3600 /* not_before lies so far back: clocks of clients differ */
};

struct local_ca;

/* Loads the CA from s, which must outlive it, or makes it. now_s: seconds since 1970.
 * ERR_BUSY with retry_ms if another process is making it right now or the clock is not set;
 * ERR_INVALID, naming the file, if the root is damaged or expired; ERR_IO if it cannot be stored.
 */
struct local_ca *local_ca_open(struct store *s, int64_t now_s, struct err *e);
void local_ca_close(struct local_ca *ca); /* NULL is fine */

/* Issues a certificate for name (host name, wildcard or IP address) with a fresh key. Appends the
 * chain (leaf, intermediate) and the key as PEM. Renews the intermediate first if need be, which
 * may give ERR_BUSY or ERR_IO. */
MUST_CHECK int local_ca_issue(struct local_ca *ca, struct str name, enum key_type type,
                              int64_t now_s, struct buf *chain_pem, struct buf *key_pem_out,
                              struct err *e);

/* Whether a chain (leaf, intermediate) leads to the root as it is now; ERR_INVALID if not. */
MUST_CHECK int local_ca_check(const struct local_ca *ca, struct str chain_pem, struct err *e);

/* The root certificate as PEM, and where it is kept ("/var/lib/lintel/pki/.../root.crt"). */
struct str local_ca_root_pem(const struct local_ca *ca);
const char *local_ca_root_path(const struct local_ca *ca);

#endif
