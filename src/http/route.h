/* The way of an exchange through the rows of its site: a stack of routes, each with the row that
 * comes next. A handler that answers NEXT lets the row after it run; one with a block of directives
 * enters that block's route first, after which its own route goes on. */
#ifndef LINTEL_HTTP_ROUTE_H
#define LINTEL_HTTP_ROUTE_H

#include "http/handler.h"

enum { ROUTE_DEPTH_MAX = 64 }; /* of routes entered: named routes may invoke each other */

/* Begins at the first row of a route, and runs until a row takes the exchange. Without one the
 * answer is an empty 200, as in Caddy: nothing was said against the request. */
void route_start(struct exchange *ex, const struct route *r);

/* Makes the rows of r the next ones to run. For a handler that then answers with the result: NEXT,
 * or TAKEN when it answered 500 as the depth was exceeded. */
MUST_CHECK enum verdict route_enter(struct exchange *ex, const struct route *r);

/* Runs a route and nothing after it, for one that has taken a response back: where no row of it
 * answers, exchange_respond_unanswered() follows. */
void route_detour(struct exchange *ex, const struct route *r);

/* Goes on with the next row, for a handler that took the exchange and lets go of it later. */
void route_continue(struct exchange *ex);

/* Answers an error: by the rows of handle_errors if the site has some, once an exchange, or else by
 * the built-in page. message is for {err.message} and lives as long as ex; p == NULL: that of the
 * status. */
void route_fail(struct exchange *ex, int status, struct str message);

#endif
