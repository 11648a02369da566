/* The transports for upstreams that speak plain HTTP/1.1 or FastCGI, over TCP or a unix socket,
 * without a library between: small requests cost a third of what they cost by libcurl. One for each
 * loop. Connections are kept and used again. https:// is here for what libcurl does not do:
 * tunnels, and preambles. */
#ifndef LINTEL_IO_DIRECT_H
#define LINTEL_IO_DIRECT_H

#include "io/loop.h"
#include "io/resolve.h"
#include "io/transfer.h"

struct direct;

/* Of the connections that are kept open though nobody uses them. */
struct direct_limits {
    unsigned idle_max;              /* in all; 0: none is kept */
    unsigned idle_max_per_upstream; /* 0: as many as in all */
    unsigned idle_timeout_ms;       /* for so long; 0: two minutes. Those that began with a
                                       preamble: at most a quarter of a minute */
};

struct direct *direct_new(struct loop *l, struct resolver *r, const struct direct_limits *limits);

/* Cancels what is under way: no callback is called. Before its resolver and its loop. */
void direct_free(struct direct *d);

/* What carries transfers; it honours transfer_spec.upgrade and .preamble. */
struct transport *direct_transport(struct direct *d);

/* The same for FastCGI servers: of transfer_spec.params, with the address as in http:// URLs.
 */
struct transport *direct_fastcgi(struct direct *d);

/* Connections that are open and unused. */
unsigned direct_idle(const struct direct *d);

#endif
