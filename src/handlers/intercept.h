/* intercept: what handlers that come after it have answered may be answered otherwise. */
#ifndef LINTEL_HANDLERS_INTERCEPT_H
#define LINTEL_HANDLERS_INTERCEPT_H

#include "conf/directive.h"

extern const struct directive intercept_directives[]; /* ended by a zeroed row */

#endif
