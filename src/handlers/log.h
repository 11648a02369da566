/* log_skip, log_append: what the access log says of a request. */
#ifndef LINTEL_HANDLERS_LOG_H
#define LINTEL_HANDLERS_LOG_H

#include "conf/directive.h"

extern const struct directive log_directives[]; /* ended by a zeroed row */

#endif
