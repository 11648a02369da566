/* From the drafts of a load to the configuration: rows in order, listeners with their hosts, the
 * certificates needed. */
#ifndef LINTEL_CONF_COMPILE_H
#define LINTEL_CONF_COMPILE_H

#include "conf/build.h"

/* What the options are before the file says anything. */
void compile_defaults(struct conf_builder *b);

/* The whole configuration, in b->arena, with one reference and no path. What is wrong goes to
 * b->diag; the result is then not to be used. */
struct conf *compile_run(struct conf_builder *b);

#endif
