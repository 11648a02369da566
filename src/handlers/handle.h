/* Directives whose block holds directives: handle, route, handle_errors, and invoke for named ones.
 */
#ifndef LINTEL_HANDLERS_HANDLE_H
#define LINTEL_HANDLERS_HANDLE_H

#include "conf/directive.h"

extern const struct directive handle_directives[]; /* ended by a zeroed row */

#endif
