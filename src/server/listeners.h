/* The listening sockets. The main thread opens one a worker for each address (SO_REUSEPORT: the
 * kernel spreads connections over them), before any worker sees them; a reload opens only those
 * whose address is new, all or nothing. From then on each belongs to its worker. */
#ifndef LINTEL_SERVER_LISTENERS_H
#define LINTEL_SERVER_LISTENERS_H

#include "conf/conf.h"

#include <string.h>

/* New sockets for one configuration. fd of worker w for listener i: fds[w * n_listeners + i]; -1
 * where the address is old (each worker has its socket), or could not be bound and need not be. */
struct listeners {
    unsigned n_workers;
    size_t n_listeners;
    int *fds;
    bool *open; /* of a listener: is there a socket, old or new? */
};

/* Opens what conf needs and `old` (NULL: nothing) has not. An implicit listener that cannot be
 * bound is warned about and left out. On any other failure everything new is closed again: -1 with
 * *e set. */
MUST_CHECK int listeners_open(struct listeners *ls, const struct conf *conf, unsigned n_workers,
                              const struct listeners *old, const struct conf *old_conf,
                              struct err *e);

/* The sockets of one worker: given away. */
const int *listeners_of(const struct listeners *ls, unsigned worker);

/* Closes the sockets: for when no worker got them. */
void listeners_close(struct listeners *ls);

/* Frees the tables only. */
void listeners_fini(struct listeners *ls);

static inline bool listeners_same_address(const struct listener_conf *a,
                                          const struct listener_conf *b)
{
    return a->addr_len == b->addr_len && memcmp(&a->addr, &b->addr, a->addr_len) == 0;
}

#endif
