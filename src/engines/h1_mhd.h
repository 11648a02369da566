/* HTTP/1.1 by libmicrohttpd: one engine for plain and one for TLS connections, each an MHD daemon
 * without a listen socket, driven by the worker's loop. */
#ifndef LINTEL_ENGINES_H1_MHD_H
#define LINTEL_ENGINES_H1_MHD_H

#include "base/budget.h"
#include "engines/tls_session.h"
#include "http/service.h"

struct h1_engine;

struct h1_params {
    struct loop *loop;
    bool tls;
    struct tls_tickets *tickets; /* NULL if not tls; the engine takes a reference of its own */
    struct budget *places;       /* of the connections of the process */
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

/* Gives the engine an accepted, non-blocking socket, which it closes in every case, and with it one
 * of the places, taken before, which is given back when that happens. For TLS, choice says which
 * certificate to serve (tls_session.h); otherwise NULL. */
void h1_engine_add(struct h1_engine *en, int fd, const struct sockaddr *peer, socklen_t peer_len,
                   const struct listener_conf *listener, const struct tls_choice *choice);

/* The same for one that there is no place for: it is heard for a moment, and answered 503. False:
 * there are as many of them as may be, and the socket stays the caller's. */
MUST_CHECK bool h1_engine_add_surplus(struct h1_engine *en, int fd, const struct sockaddr *peer,
                                      socklen_t peer_len, const struct listener_conf *listener,
                                      const struct tls_choice *choice);

/* Since when (loop_now_ms) the connection has been idle that is so for longest; UINT64_MAX: none
 * is. */
uint64_t h1_engine_idle_since(const struct h1_engine *en);

/* Closes it. False: there is none. */
bool h1_engine_close_idle(struct h1_engine *en);

/* Closes the connection whose request header takes longest, unless it has only just come. False:
 * there is none. */
bool h1_engine_close_slow(struct h1_engine *en);

/* No keep-alive from now on: idle connections are closed, others after the response at hand. */
void h1_engine_drain(struct h1_engine *en);

unsigned h1_engine_connections(const struct h1_engine *en);

/* Frees what is kept for requests to come. */
void h1_engine_rest(struct h1_engine *en);

/* libmicrohttpd's. */
const char *h1_engine_version(void);

#endif
