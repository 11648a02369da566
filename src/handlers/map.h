/* "map": placeholders whose values follow from another value. */
#ifndef LINTEL_HANDLERS_MAP_H
#define LINTEL_HANDLERS_MAP_H

#include "conf/directive.h"

extern const struct directive map_directives[];

#endif
