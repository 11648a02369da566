/* What the matchers of variables look at: a variable by its name, or the value of a placeholder. */
#ifndef LINTEL_HTTP_MATCH_VARS_H
#define LINTEL_HTTP_MATCH_VARS_H

#include "conf/directive.h"
#include "http/exchange.h"

struct variable {
    struct str name;  /* in http/vars.h; len 0: it is the placeholder */
    struct text text; /* the placeholder */
    struct str source;
};

/* "name" or "{placeholder}". -1 after directive_error(). */
MUST_CHECK int variable_set(const struct directive_args *d, const struct token *t,
                            struct variable *out);

/* "" if it was never set. */
struct str variable_get(const struct variable *v, struct exchange *ex);

#endif
