/* request_body: limits the body of a request. */
#ifndef LINTEL_HANDLERS_REQUEST_BODY_H
#define LINTEL_HANDLERS_REQUEST_BODY_H

#include "conf/directive.h"

extern const struct directive request_body_directives[]; /* ended by a zeroed row */

#endif
