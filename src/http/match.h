/* Does a row apply to a request? */
#ifndef LINTEL_HTTP_MATCH_H
#define LINTEL_HTTP_MATCH_H

#include "http/exchange.h"

/* All kinds of matchers, NULL at the end: for struct language. */
extern const struct matcher_type *const http_matchers[];

/* A condition may leave variables in the exchange (http/vars.h), such as what an expression caught.
 */
bool matcher_matches(const struct matcher *m, struct exchange *ex);

#endif
