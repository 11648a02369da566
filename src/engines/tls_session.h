/* What every TLS session of ours has in common, whichever engine drives it: versions, ciphers,
 * ALPN, certificate, session tickets. */
#ifndef LINTEL_ENGINES_TLS_SESSION_H
#define LINTEL_ENGINES_TLS_SESSION_H

#include "cert/cert_set.h"
#include "io/loop.h"

/* What the front door found out from the ClientHello before the session exists. */
struct tls_choice {
    struct str sni;    /* lower-cased; len 0 if none was sent */
    struct cred *cred; /* the certificate to serve; a reference is taken while in use */
    enum tls_version min_version;
    enum tls_version max_version;
    uint8_t
        ticket_name[16]; /* the key name at the head of the ticket or first PSK identity offered */
    bool has_ticket;
};

enum { TLS_TICKET_LIFETIME_S = 24 * 3600 };

/* Session ticket keys of the process: one is used for new tickets, older ones still open theirs.
 * All workers share them: the main thread rotates, workers get them by mail. Immutable, counted. */
struct tls_tickets;

struct tls_tickets *tls_tickets_new(struct err *e); /* one fresh key */
/* A copy with a fresh key in front and the oldest of more than 4 dropped. */
struct tls_tickets *tls_tickets_rotated(const struct tls_tickets *t, struct err *e);
struct tls_tickets *tls_tickets_ref(struct tls_tickets *t);
void tls_tickets_unref(struct tls_tickets *t); /* NULL is fine */

/* The key (for gnutls_session_ticket_enable_server) that opens a ticket with this key name; the
 * newest if there is none or name is NULL. */
const gnutls_datum_t *tls_tickets_key(const struct tls_tickets *t, const uint8_t *name);

enum tls_alpn { TLS_ALPN_HTTP1, TLS_ALPN_ACME };

/* Sets everything up on a session made by gnutls_init() and not yet shaken hands. alpn is what to
 * offer. Lives as long as the session: tickets, choice->cred (the caller holds references). */
MUST_CHECK int tls_session_setup(gnutls_session_t session, const struct tls_choice *choice,
                                 const struct tls_tickets *tickets, enum tls_alpn alpn,
                                 struct err *e);

/* GnuTLS's. */
const char *tls_session_version(void);

#endif
