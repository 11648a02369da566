/* redir: sends the client elsewhere. */
#ifndef LINTEL_HANDLERS_REDIR_H
#define LINTEL_HANDLERS_REDIR_H

#include "conf/directive.h"

extern const struct directive redir_directives[]; /* ended by a zeroed row */

#endif
