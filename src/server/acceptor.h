/* A worker's listening sockets: accepts connections and hands them on. Worker's thread. */
#ifndef LINTEL_SERVER_ACCEPTOR_H
#define LINTEL_SERVER_ACCEPTOR_H

#include "conf/conf.h"
#include "io/loop.h"

struct acceptor;

/* Takes the socket (non-blocking, close-on-exec) and closes it in every case. */
typedef void (*acceptor_take)(void *arg, int fd, const struct sockaddr *peer, socklen_t peer_len,
                              const struct listener_conf *listener);

struct acceptor *acceptor_new(struct loop *l, acceptor_take take, void *arg, struct err *e);
void acceptor_free(struct acceptor *a); /* NULL is fine; closes what is still open */

/* First half of a change: accepts what is queued at the listeners that conf has not, and closes
 * them. They still belong to the configuration before. */
void acceptor_retire(struct acceptor *a, const struct conf *conf);

/* Second half: fds[i] is a new socket for conf->listeners[i], or -1 if there is one for the same
 * address already, or none at all. conf must live until the next change. */
void acceptor_set(struct acceptor *a, const struct conf *conf, const int *fds);

/* Accepts what is queued, then closes every listener. */
void acceptor_stop(struct acceptor *a);

#endif
