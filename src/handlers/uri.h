/* uri: changes parts of the URI of a request. */
#ifndef LINTEL_HANDLERS_URI_H
#define LINTEL_HANDLERS_URI_H

#include "conf/directive.h"

extern const struct directive uri_directives[]; /* ended by a zeroed row */

#endif
