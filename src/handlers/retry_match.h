/* lb_retry_match: which requests are sent to an upstream again, and after which answers. */
#ifndef LINTEL_HANDLERS_RETRY_MATCH_H
#define LINTEL_HANDLERS_RETRY_MATCH_H

#include "conf/directive.h"
#include "http/exchange.h"

struct retry_match {
    struct matcher matcher;
    bool of_answer; /* it looks at an upstream's answer as well: {rp.status_code} */
};

struct retry_matches {
    struct retry_match *list;
    size_t n; /* 0: requests are repeated by their method, and never for their answer */
    size_t cap;
};

/* Adds the matcher of the directive at hand. Returns 0, or -1 after an error was told. */
MUST_CHECK int retry_match_add(const struct directive_args *d, struct retry_matches *m);

/* No answer has come, or not all of it: whether the request, which an upstream may have acted upon,
 * is sent again all the same. method: with which it was sent. */
bool retry_match_failure(const struct retry_matches *m, struct exchange *ex, struct str method);

/* ex->answer has come: whether somebody else is to be asked for a better one. */
bool retry_match_answer(const struct retry_matches *m, struct exchange *ex);

#endif
