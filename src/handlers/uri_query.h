/* uri query: what is done to the pairs of a query. */
#ifndef LINTEL_HANDLERS_URI_QUERY_H
#define LINTEL_HANDLERS_URI_QUERY_H

#include "conf/directive.h"
#include "http/exchange.h"

struct query_ops {
    struct query_op *list; /* by kind, as Caddy carries them out */
    size_t n, cap;
};

/* The operations of the arguments of d from index first on, or of its block. -1 after
 * directive_error(). */
MUST_CHECK int query_ops_set(const struct directive_args *d, size_t first, struct query_ops *out);

/* 0, or the status to answer with. */
MUST_CHECK int query_ops_run(const struct query_ops *ops, struct exchange *ex);

#endif
