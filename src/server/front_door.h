/* The way in for TLS connections: looks at the ClientHello while it is still in the socket, then
 * gives the socket to the engine that is to have it, or refuses it with an alert and one readable
 * line in the log. Worker's thread. */
#ifndef LINTEL_SERVER_FRONT_DOOR_H
#define LINTEL_SERVER_FRONT_DOOR_H

#include "engines/acme_alpn.h"
#include "engines/h1_mhd.h"
#include "server/places.h"

struct front_door;

struct front_door_params {
    struct loop *loop;
    struct h1_engine *http1;
    struct acme_alpn *acme;
    struct places *places;
};

struct front_door *front_door_new(const struct front_door_params *p);
void front_door_free(struct front_door *d); /* NULL is fine; closes what is pending */

/* conf must live until the next call. Pending connections, whose hello is not whole, go on if their
 * listener's address is still there; beyond max_pending of them, the oldest is closed. */
void front_door_set_conf(struct front_door *d, const struct conf *conf, unsigned max_pending);

/* Takes a reference of its own. */
void front_door_set_certs(struct front_door *d, struct cert_set *certs);

/* Gives it an accepted, non-blocking socket of a TLS listener, which it closes in every case. */
void front_door_add(struct front_door *d, int fd, const struct sockaddr *peer, socklen_t peer_len,
                    const struct listener_conf *listener);

#endif
