/* Texts with placeholders, compiled once at load. */
#ifndef LINTEL_CONF_TEXT_H
#define LINTEL_CONF_TEXT_H

#include "conf/conf.h"

/* "{name}" is a placeholder when a name could be one (letters, digits and ".-_?"); any other "{"
 * is itself, and so are "\{" and "\}" without their backslash. The result lives in a. Returns -1
 * for a placeholder that does not exist. */
MUST_CHECK int text_compile(struct arena *a, struct str source, struct text *out, struct err *e);

#endif
