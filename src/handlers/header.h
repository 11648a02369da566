/* header: sets, adds, deletes, defaults and rewrites fields of the response. */
#ifndef LINTEL_HANDLERS_HEADER_H
#define LINTEL_HANDLERS_HEADER_H

#include "conf/directive.h"

extern const struct directive header_directives[]; /* ended by a zeroed row */

#endif
