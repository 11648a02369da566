/* Directives that end a request badly: error and abort. */
#ifndef LINTEL_HANDLERS_ERROR_H
#define LINTEL_HANDLERS_ERROR_H

#include "conf/directive.h"

extern const struct directive error_directives[]; /* ended by a zeroed row */

#endif
