/* Answers tls-alpn-01 (RFC 8737 3): a handshake with the challenge certificate, then close. */
#ifndef LINTEL_ENGINES_ACME_ALPN_H
#define LINTEL_ENGINES_ACME_ALPN_H

#include "engines/tls_session.h"

struct acme_alpn;

/* At most max sessions at once; one takes at most 10 s. */
struct acme_alpn *acme_alpn_new(struct loop *l, unsigned max, struct err *e);
void acme_alpn_free(struct acme_alpn *a); /* closes what is under way */

/* Gives it an accepted, non-blocking socket, which it closes in every case. */
void acme_alpn_add(struct acme_alpn *a, int fd, const struct tls_choice *choice);

#endif
