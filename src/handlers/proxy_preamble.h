/* What connections to upstreams begin with, if the transport says "proxy_protocol": a header of the
 * PROXY protocol, that tells an upstream whose requests will come. */
#ifndef LINTEL_HANDLERS_PROXY_PREAMBLE_H
#define LINTEL_HANDLERS_PROXY_PREAMBLE_H

#include "http/exchange.h"

/* Of a connection for the client of the exchange, in its arena. Of an older proxy between, which is
 * trusted, the client's address is what it tells, and the port 0. Version 1 or 2; 0: none. */
struct str proxy_preamble_of(struct exchange *ex, unsigned version);

/* Of a connection of our own: for nobody. */
struct str proxy_preamble_own(struct arena *a, unsigned version);

#endif
