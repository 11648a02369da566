/* What becomes of a TLS connection whose ClientHello has been read: which engine, which
 * certificate, or which alert. Pure. */
#ifndef LINTEL_SERVER_DECIDE_H
#define LINTEL_SERVER_DECIDE_H

#include "cert/cert_set.h"
#include "engines/tls_session.h"
#include "server/client_hello.h"

enum tls_way {
    TLS_TO_HTTP1,
    TLS_TO_ACME, /* the responder of tls-alpn-01 */
    TLS_TO_WAIT, /* the name's first certificate is being made, or about to be: the next set tells
                  */
    TLS_REFUSED
};

/* RFC 8446 6 and RFC 7301 3.2. */
enum tls_alert {
    ALERT_DECODE_ERROR = 50,
    ALERT_PROTOCOL_VERSION = 70,
    ALERT_INTERNAL_ERROR = 80,
    ALERT_UNRECOGNIZED_NAME = 112,
    ALERT_NO_APPLICATION_PROTOCOL = 120
};

struct tls_decision {
    enum tls_way way;
    struct tls_choice choice; /* for an engine: lives as long as hello and certs */
    enum tls_alert alert;     /* if refused */
    bool ours;                /* if refused: it is our side that lacks something */
    char why[256];            /* if refused: one line without the peer's bytes but the name */
};

/* Where a connection arrived. */
struct tls_place {
    const struct listener_conf *listener;
    struct str address;       /* our own, as text */
    struct str default_host;  /* decide_default_host(), or another one for clients without a name */
    struct str fallback_host; /* for clients with a name that is not known; len 0: none */
};

/* certs may be NULL: none yet.
 *
 * A client that sends no name is served the site of the address it came to, if there is one, else
 * place->default_host. */
void decide(const struct client_hello *hello, const struct tls_place *place,
            const struct cert_set *certs, struct tls_decision *out);

/* A host of the listener's first site in the file; len 0 if it has none. */
struct str decide_default_host(const struct listener_conf *listener);

/* "TLS 1.2 to 1.3, ALPN h2 http/1.1": what a client offered, for messages. */
void decide_offer(const struct client_hello *hello, char *out, size_t cap);

#endif
