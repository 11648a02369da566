/* respond: answers with a fixed status and a short text. */
#ifndef LINTEL_HANDLERS_RESPOND_H
#define LINTEL_HANDLERS_RESPOND_H

#include "conf/directive.h"

extern const struct directive respond_directives[]; /* ended by a zeroed row */

#endif
