/* Whether a text is JSON. Without state; any thread. */
#ifndef LINTEL_BASE_IS_JSON_H
#define LINTEL_BASE_IS_JSON_H

#include "base/str.h"

/* An object or an array as RFC 8259 has it, with nothing but white space around it. Not so if it is
 * nested deeper than 32: then nobody wrote it by hand. One pass over the text, no memory. */
bool is_json(struct str s);

#endif
