/* metrics: a place for numbers that there are not yet. */
#ifndef LINTEL_HANDLERS_METRICS_H
#define LINTEL_HANDLERS_METRICS_H

#include "conf/directive.h"

extern const struct directive metrics_directives[]; /* ended by a zeroed row */

#endif
