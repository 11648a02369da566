/* Expands a compiled text for one exchange. */
#ifndef LINTEL_HTTP_PLACEHOLDER_H
#define LINTEL_HTTP_PLACEHOLDER_H

#include "http/exchange.h"

/* In the exchange's arena, or the constant itself: no copy when there is nothing to expand. */
struct str text_expand(const struct text *t, struct exchange *ex);

#endif
