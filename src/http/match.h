/* Does a row apply to a request? */
#ifndef LINTEL_HTTP_MATCH_H
#define LINTEL_HTTP_MATCH_H

#include "http/exchange.h"

/* The kinds of matchers that need nothing but the exchange, NULL at the end; and a list of that one
 * table, for a struct language without others. */
extern const struct matcher_type *const http_matcher_table[];
extern const struct matcher_type *const *const http_matchers[];

/* A condition may leave variables in the exchange (http/vars.h), such as what an expression caught;
 * and a status in ex->match_error, to be answered with instead of going on: the result is then
 * false. */
bool matcher_matches(const struct matcher *m, struct exchange *ex);

/* Whether an expression of it looks at what an upstream has answered: {rp.status_code},
 * {rp.status_text} or {rp.header.*}. */
bool matcher_reads_answer(const struct matcher *m);

#endif
