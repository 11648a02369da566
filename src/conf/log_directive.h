/* The log directive of a site. */
#ifndef LINTEL_CONF_LOG_DIRECTIVE_H
#define LINTEL_CONF_LOG_DIRECTIVE_H

#include "conf/build.h"

int log_directive_set(const struct directive_args *d);

#endif
