/* An upstream, as configurations name it. */
#ifndef LINTEL_HANDLERS_UPSTREAM_H
#define LINTEL_HANDLERS_UPSTREAM_H

#include "http/exchange.h"

struct upstream {
    const char *name;            /* as written, for messages */
    const char *url;             /* "http://host:port/" */
    struct upstream_names names; /* hostport is that of the url */
    const char *unix_socket;     /* absolute path, or NULL */
    bool secure;                 /* https: the Host field is then the upstream's own */
};

/* Reads one upstream address: "host:port", ":port", "http://host:port", "https://host",
 * "unix//path". Returns 0, or -1 with *e set. Everything lives in a. */
MUST_CHECK int upstream_parse(struct arena *a, struct str text, struct upstream *u, struct err *e);

/* Whether the text ends with a range of ports, "8001-8006"; *rest is what stands before it. */
bool upstream_has_range(struct str text, struct str *rest, unsigned *first, unsigned *last);

#endif
