/* encode: responses compressed as the client accepts it (RFC 9110 8.4). */
#ifndef LINTEL_HANDLERS_ENCODE_H
#define LINTEL_HANDLERS_ENCODE_H

#include "conf/directive.h"

extern const struct directive encode_directives[]; /* ended by a zeroed row */

#endif
