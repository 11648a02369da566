/* A worker: one thread with one loop. It owns its listening sockets, its engines, its fetcher and
 * its handlers' states; it is told things by mail only, and tells the main thread by mail. */
#ifndef LINTEL_SERVER_WORKER_H
#define LINTEL_SERVER_WORKER_H

#include "base/budget.h"
#include "base/shared.h"
#include "cert/cert_set.h"
#include "conf/conf.h"
#include "engines/tls_session.h"
#include "handlers/file_cache.h"
#include "io/mailbox.h"
#include "io/offload.h"

struct worker;
struct log_hub; /* server/log_hub.h: takes access log lines to the main thread */

enum worker_news {
    WORKER_PREPARED,  /* a configuration is ready to be taken up, or failed: error */
    WORKER_COMMITTED, /* it is in use */
    WORKER_CERTS,     /* a set of certificates is in use: number */
    WORKER_CROWDED,   /* it has to turn a connection away, and no idle one to close */
    WORKER_ENDED      /* the thread is about to end */
};

/* What a worker tells the main thread. */
struct worker_report {
    struct mail mail;
    struct worker *worker;
    unsigned index; /* of the worker */
    enum worker_news news;
    struct err err;  /* WORKER_PREPARED: code ERR_NONE if all went well */
    uint64_t number; /* WORKER_CERTS */
};

struct worker_params {
    unsigned index, n_workers;
    struct log_hub *hub;
    struct offload *offload;
    struct offload *names; /* for resolvers, whose questions may take long */
    struct shared *shared;
    struct tls_tickets *tickets; /* a reference is taken */
    struct budget *connections;  /* of all workers; lives longer than they */
    unsigned descriptors;        /* that the process may have */
    size_t max_header_size;      /* bytes */
    struct mailbox *home;        /* of the main thread */
    /* Called in the main thread; owner is that of home. */
    void (*on_report)(void *owner, const struct worker_report *r);
};

/* Starts the thread. It does nothing before it has a configuration. */
struct worker *worker_start(const struct worker_params *p, struct err *e);

/* ---- orders: from any thread; references and descriptors are given away ---- */

/* A configuration is taken up in two steps, so that all workers have it or none: prepare starts its
 * handlers and answers WORKER_PREPARED; then commit or abandon. fds[i] is a bound and listening
 * socket for conf->listeners[i], or -1 if the worker has one for that address already, or none. */
void worker_prepare(struct worker *w, struct conf *conf, const int *fds);
void worker_commit(struct worker *w);
void worker_abandon(struct worker *w);

void worker_set_certs(struct worker *w, struct cert_set *set);
void worker_set_tickets(struct worker *w, struct tls_tickets *tickets);

/* Another worker is crowded: idle connections are to make room. */
void worker_make_room(struct worker *w);

/* Stops accepting; connections get grace_ms to end, then the thread ends. A second call can only
 * shorten the time. */
void worker_drain(struct worker *w, uint64_t grace_ms);

/* ---- main thread ---- */

/* What its file cache does: lives as long as w. */
const struct file_cache_stats *worker_file_stats(const struct worker *w);

/* Waits for the thread to end, after worker_drain(), and for what helpers still do for it, and
 * frees w; nobody may give orders any more. Returns how many connections had to be cut. */
unsigned worker_join(struct worker *w);

#endif
