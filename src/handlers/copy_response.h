/* copy_response, copy_response_headers: what an upstream has answered, sent on by the directives of
 * handle_response. */
#ifndef LINTEL_HANDLERS_COPY_RESPONSE_H
#define LINTEL_HANDLERS_COPY_RESPONSE_H

#include "conf/directive.h"

extern const struct directive copy_response_directives[]; /* ended by a zeroed row */

#endif
