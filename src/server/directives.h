/* Every directive there is, besides those of conf/ itself. */
#ifndef LINTEL_SERVER_DIRECTIVES_H
#define LINTEL_SERVER_DIRECTIVES_H

#include "conf/directive.h"

/* The handlers' tables of rows, NULL at the end: for conf_load(). */
extern const struct directive *const server_directives[];

#endif
