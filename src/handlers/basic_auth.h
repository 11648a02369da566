/* basic_auth: lets nobody in who cannot name a user and say the password (RFC 7617). */
#ifndef LINTEL_HANDLERS_BASIC_AUTH_H
#define LINTEL_HANDLERS_BASIC_AUTH_H

#include "conf/directive.h"

extern const struct directive basic_auth_directives[]; /* ended by a zeroed row */

#endif
