/* Does a row apply to a request? */
#ifndef LINTEL_HTTP_MATCH_H
#define LINTEL_HTTP_MATCH_H

#include "http/exchange.h"

bool matcher_matches(const struct matcher *m, const struct exchange *ex);

#endif
