/* The values of a field of the request, as matchers see them. */
#ifndef LINTEL_HTTP_MATCH_HEADER_H
#define LINTEL_HTTP_MATCH_HEADER_H

#include "http/exchange.h"

/* The next line of that name, from *at on, which begins with 0. False: there is no further one.
 * Host is the authority of the request. */
bool header_next_value(const struct exchange *ex, struct str name, size_t *at, struct str *value);

#endif
