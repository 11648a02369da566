/* Vary (RFC 9110 12.5.5): which fields of requests a response depends on. */
#ifndef LINTEL_HTTP_VARY_H
#define LINTEL_HTTP_VARY_H

#include "http/exchange.h"

/* Adds name to the Vary field of ex's response, unless it is there, or "*" is. all: the response's
 * fields, with those of a prepared one. */
void vary_add(struct exchange *ex, const struct fields *all, struct str name);

#endif
