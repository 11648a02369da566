/* The ACME client (RFC 8555): an account at a CA, shared by all names, and one order for one name
 * after the other or side by side. Everything runs in the certificate thread's loop; storage is
 * read and written on the way (it may block for a disk write), the network never blocks.
 *
 * The life of an order:
 *  1. acme_start(): directory and account first, if nobody has seen to them yet.
 *  2. events.answer(): the owner makes the answer to a challenge known, then acme_answered().
 *  3. events.withdraw(): the answer has been looked at, or is of no use any more.
 *  4. events.issued() or events.failed(): the end, exactly once; the order is freed after it.
 * acme_cancel() ends it at any time without a further event but withdraw(). */
#ifndef LINTEL_CERT_ACME_H
#define LINTEL_CERT_ACME_H

#include "cert/acme_parse.h"
#include "cert/keys.h"
#include "cert/store.h"
#include "io/fetch.h"
#include "io/loop.h"

struct acme_ca;
struct acme;

/* Which account at which CA. Texts "" = none. */
struct acme_ca_conf {
    const char *directory;   /* URL */
    const char *ca_root;     /* PEM file to trust for the CA's own TLS instead of the system's */
    const char *email;       /* contact */
    const char *eab_key_id;  /* external account binding */
    const char *eab_mac_key; /* base64url */
};

/* Nothing is asked or read before the first order. The conf is copied; the rest must outlive it. */
struct acme_ca *acme_ca_new(struct loop *l, struct fetcher *fr, struct store *st,
                            const struct acme_ca_conf *conf);

/* No order may be under way. NULL is fine. */
void acme_ca_free(struct acme_ca *ca);

bool acme_ca_is(const struct acme_ca *ca, const struct acme_ca_conf *conf);

struct acme_events {
    /* Asks for key_authorization to be answered: over tls-alpn-01 with a certificate made of it,
     * over http-01 at the token. acme_answered() may be called later or from within. */
    void (*answer)(void *arg, enum acme_challenge_type type, struct str token,
                   struct str key_authorization);
    void (*withdraw)(void *arg);
    /* The chain has been checked against the name, the key and the clock. url is where the CA
     * keeps it. */
    void (*issued)(void *arg, struct str chain_pem, struct str key_pem, const char *url);
    /* e->code ERR_NETWORK, ERR_TIMEOUT, ERR_IO, ERR_BUSY: the CA has not judged; else it declined.
     * e->retry_ms: what it asked us to wait, or what makes sense for the problem; 0: nothing. */
    void (*failed)(void *arg, const struct err *e);
};

struct acme_spec {
    const char *name; /* host name or IP address; copied */
    enum key_type key_type;
    unsigned challenges; /* 1U << enum acme_challenge_type of each that can be answered */
    const struct acme_events *events;
    void *arg;
};

/* No event comes before this has returned. */
struct acme *acme_start(struct acme_ca *ca, const struct acme_spec *spec);
void acme_answered(struct acme *a);
void acme_cancel(struct acme *a); /* NULL is fine */

#endif
