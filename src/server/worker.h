/* A worker: one thread with one loop. It owns its listening sockets, its engines, its fetcher and
 * its handlers' states; it is told things by mail only. */
#ifndef LINTEL_SERVER_WORKER_H
#define LINTEL_SERVER_WORKER_H

#include "cert/cert_set.h"
#include "conf/conf.h"
#include "engines/tls_session.h"

struct worker;
struct log_hub; /* server/log_hub.h: takes access log lines to the main thread */

struct worker *worker_start(unsigned index, struct log_hub *hub, struct err *e);

/* Each may be called from the main or certificate thread; references and descriptors are given
 * away. fds[i] is a bound and listening socket for conf->listeners[i], or -1 if the worker has one
 * for the same address already (it then keeps it). done is posted back when all is in place. */
void worker_set_conf(struct worker *w, struct conf *conf, const int *fds, size_t n_fds);
void worker_set_certs(struct worker *w, struct cert_set *set);
void worker_set_tickets(struct worker *w, struct tls_tickets *tickets);

/* Stops accepting; connections get grace_ms to end. */
void worker_drain(struct worker *w, uint64_t grace_ms);

/* Waits for the thread to end and frees w. Returns how many connections had to be cut. */
unsigned worker_join(struct worker *w);

#endif
