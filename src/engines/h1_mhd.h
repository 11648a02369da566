/* HTTP/1.1 by libmicrohttpd: one engine for plain and one for TLS connections, each an MHD daemon
 * without a listen socket, driven by the worker's loop. */
#ifndef LINTEL_ENGINES_H1_MHD_H
#define LINTEL_ENGINES_H1_MHD_H

#include "engines/tls_session.h"
#include "http/service.h"

struct h1_engine;

struct h1_params {
    struct loop *loop;
    bool tls;
    struct tls_tickets *tickets; /* NULL if not tls; the engine takes a reference of its own */
    unsigned max_connections;
    size_t max_header_size; /* of one request, in bytes: conf's option when the process started */
};

/* SIGPIPE must be ignored by the process. */
struct h1_engine *h1_engine_new(const struct h1_params *p, struct err *e);

/* Closes every connection at once and frees the engine; all handlers' states must still live. */
void h1_engine_free(struct h1_engine *en);

/* What later connections and requests use; the engine takes a reference of its own. */
void h1_engine_set_service(struct h1_engine *en, struct service *s);

/* What later TLS handshakes use; the engine takes a reference of its own. */
void h1_engine_set_tickets(struct h1_engine *en, struct tls_tickets *tickets);

/* Gives the engine an accepted, non-blocking socket, which it closes in every case. For TLS, choice
 * says which certificate to serve (tls_session.h); otherwise NULL. */
void h1_engine_add(struct h1_engine *en, int fd, const struct sockaddr *peer, socklen_t peer_len,
                   const struct listener_conf *listener, const struct tls_choice *choice);

/* No keep-alive from now on: idle connections are closed, others after the response at hand. */
void h1_engine_drain(struct h1_engine *en);

unsigned h1_engine_connections(const struct h1_engine *en);

/* libmicrohttpd's. */
const char *h1_engine_version(void);

#endif
