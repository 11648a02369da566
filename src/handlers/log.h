/* log_append, log_name, log_skip: what the access logs say of a request, and which of them. */
#ifndef LINTEL_HANDLERS_LOG_H
#define LINTEL_HANDLERS_LOG_H

#include "conf/directive.h"

extern const struct directive log_directives[]; /* ended by a zeroed row */

#endif
