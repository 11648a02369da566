/* Every directive and matcher there is, besides the directives of conf/ itself. */
#ifndef LINTEL_SERVER_DIRECTIVES_H
#define LINTEL_SERVER_DIRECTIVES_H

#include "conf/directive.h"

extern const struct language server_language; /* for conf_load() */

#endif
