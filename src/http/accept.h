/* Accept (RFC 9110 12.5.1): which of several media types a client would rather have. Pure
 * functions. */
#ifndef LINTEL_HTTP_ACCEPT_H
#define LINTEL_HTTP_ACCEPT_H

#include "base/str.h"

/* The index of the one of types ("text/html", lower case, n > 0) that has the highest weight; of
 * several, one that is named before one that a wildcard stands for, then the one that the client
 * names first, and then the first of types. If the client accepts none, that as well: an answer is
 * of more use than 406 (12.4.1). value: the field's lines, joined; p == NULL without the field. Of
 * the parameters only "q" counts; elements that do not follow the grammar are passed over. */
size_t accept_choose(struct str value, const struct str *types, size_t n);

/* A qvalue (12.4.2): "0" or "1", perhaps with a point and at most three digits, not above 1; in
 * thousandths. */
bool accept_weight(struct str s, int *weight);

#endif
