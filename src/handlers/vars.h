/* "vars": variables of an exchange, for {vars.NAME} and matchers. */
#ifndef LINTEL_HANDLERS_VARS_H
#define LINTEL_HANDLERS_VARS_H

#include "conf/directive.h"

extern const struct directive vars_directives[];

#endif
