/* Site addresses: [scheme://]host[:port], a part of it, or "" for what is left out. */
#ifndef LINTEL_CONF_ADDRESS_H
#define LINTEL_CONF_ADDRESS_H

#include "base/idna.h"
#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum address_scheme { SCHEME_NONE, SCHEME_HTTP, SCHEME_HTTPS };

enum host_kind {
    HOST_ANY, /* no host in the address */
    HOST_NAME,
    HOST_WILDCARD, /* "*.example.com" */
    HOST_IP
};

enum { HOST_LEN_MAX = IDNA_NAME_MAX }; /* as text without the last dot */

struct address {
    enum address_scheme scheme;
    enum host_kind kind;
    bool local; /* known to this machine or network only: no public CA certifies it */
    char host[HOST_LEN_MAX +
              1]; /* lower-cased, with A-labels; an IP address in its canonical form, no brackets */
    uint16_t port; /* 0: not written */
};

/* Returns 0, or -1 with the reason in e. */
MUST_CHECK int address_parse(struct str text, struct address *out, struct err *e);

#endif
