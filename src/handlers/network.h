/* What tells clients apart: their address, or the network that one subscriber has. Pure. */
#ifndef LINTEL_HANDLERS_NETWORK_H
#define LINTEL_HANDLERS_NETWORK_H

#include "base/str.h"

#include <netinet/in.h>
#include <stdint.h>

enum {
    NETWORK_IPV6_PREFIX = 64
}; /* RFC 6177: one subscriber has as many addresses of it as they like */

/* Of an IPv6 address as text the first prefix bits, 16 bytes kept in *out; any other text as it is.
 */
struct str network_of(struct str address, uint64_t prefix, struct in6_addr *out);

#endif
