/* Connections that may begin with a PROXY header (io/proxy_header.h): it is taken off, and the
 * connection is handed on as the client's that it names. Who may say so is said in the
 * configuration. Worker's thread. */
#ifndef LINTEL_SERVER_PROXY_DOOR_H
#define LINTEL_SERVER_PROXY_DOOR_H

#include "server/acceptor.h"

struct proxy_door;

/* take gets what goes on. */
struct proxy_door *proxy_door_new(struct loop *l, acceptor_take take, void *arg);
void proxy_door_free(struct proxy_door *d); /* closes what waits; NULL is fine */

/* The policy lives as long as conf, which must live until the next change. Connections whose
 * listener conf has not are closed; and beyond max_pending whose header is awaited, the oldest. */
void proxy_door_set_conf(struct proxy_door *d, const struct conf *conf, unsigned max_pending);

/* As acceptor_take, for a configuration with the policy. */
void proxy_door_add(struct proxy_door *d, int fd, const struct sockaddr *peer, socklen_t peer_len,
                    const struct listener_conf *listener);

#endif
