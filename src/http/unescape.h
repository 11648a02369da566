/* Percent-decoding (RFC 3986 2.1) where nothing else is to be done. */
#ifndef LINTEL_HTTP_UNESCAPE_H
#define LINTEL_HTTP_UNESCAPE_H

#include "base/arena.h"

/* s decoded: s itself if there is nothing to decode. plus: "+" is a space, as in forms. False: an
 * escape is none. */
bool unescape(struct arena *a, struct str s, bool plus, struct str *out);

#endif
