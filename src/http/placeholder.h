/* Expands a compiled text for one exchange. */
#ifndef LINTEL_HTTP_PLACEHOLDER_H
#define LINTEL_HTTP_PLACEHOLDER_H

#include "http/exchange.h"

/* Lives as long as the exchange, without a NUL at its end; p is never NULL. Nothing is copied where
 * the text is a constant or one placeholder. What clients sent may be in it, any bytes: whoever
 * makes a field value of it calls fields_clean_value(). */
struct str text_expand(const struct text *t, struct exchange *ex);

#endif
