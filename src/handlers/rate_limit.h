/* rate_limit: lets each client, or whatever else a key says, come only so often. */
#ifndef LINTEL_HANDLERS_RATE_LIMIT_H
#define LINTEL_HANDLERS_RATE_LIMIT_H

#include "conf/directive.h"

extern const struct directive rate_limit_directives[]; /* ended by a zeroed row */

#endif
