/* Accept-Encoding (RFC 9110 12.5.3): which content coding a client wants. Pure functions. */
#ifndef LINTEL_HTTP_ACCEPT_ENCODING_H
#define LINTEL_HTTP_ACCEPT_ENCODING_H

#include "base/str.h"

enum { ACCEPT_CODINGS_MAX = 8 };

/* The index of the one of codings (at most ACCEPT_CODINGS_MAX, lower case) that has the highest
 * weight, of several the first; n if there is none, or if the client would rather have the content
 * as it is. value: the field's lines, joined; p == NULL without the field, which asks for nothing.
 * Elements that do not follow the grammar are passed over; of a coding that is named more than
 * once, the first is taken. "x-gzip" is "gzip" (8.4.1.3). */
size_t accept_encoding_choose(struct str value, const struct str *codings, size_t n);

#endif
