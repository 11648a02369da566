/* The tls directive of a site. */
#ifndef LINTEL_CONF_TLS_DIRECTIVE_H
#define LINTEL_CONF_TLS_DIRECTIVE_H

#include "conf/directive.h"

int tls_directive_set(const struct directive_args *d);

#endif
