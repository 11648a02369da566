/* The PROXY protocol: what a proxy says of its client at the beginning of a connection, as text
 * (version 1) or binary (version 2). Defined by HAProxy's doc/proxy-protocol.txt, of which the
 * sections are cited. Pure functions. */
#ifndef LINTEL_IO_PROXY_HEADER_H
#define LINTEL_IO_PROXY_HEADER_H

#include "base/str.h"

#include <stdint.h>
#include <sys/socket.h>

/* Of a header: more than any address needs, with room for what version 2 may add to it. */
enum { PROXY_HEADER_MAX = 2048, PROXY_HEADER_ROOM = 107 };

enum proxy_header_verdict {
    PROXY_HEADER_MORE, /* so far it may become one */
    PROXY_HEADER_NONE, /* something else begins here */
    PROXY_HEADER_BAD,  /* it begins like one, and is none */
    PROXY_HEADER_DONE
};

struct proxy_header {
    size_t len;    /* bytes of it */
    bool has_addr; /* else the connection is the proxy's own, or of no Internet family */
    struct sockaddr_storage from, to;
    socklen_t addr_len; /* of each */
};

/* Looks at the first bytes of a connection. */
enum proxy_header_verdict proxy_header_parse(const uint8_t *p, size_t n, struct proxy_header *out);

/* Writes one, of version 1 or 2; an address that is not of an Internet family, or both not of the
 * same, makes it UNKNOWN or LOCAL. Returns its length. */
size_t proxy_header_format(unsigned version, const struct sockaddr *from, const struct sockaddr *to,
                           uint8_t out[PROXY_HEADER_ROOM]);

#endif
