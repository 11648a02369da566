/* What handlers and matchers remember for one exchange, by the name of its placeholder without
 * braces and without "http.": "vars.x", "re.NAME.1", "auth.user.id", "map.x". */
#ifndef LINTEL_HTTP_VARS_H
#define LINTEL_HTTP_VARS_H

#include "http/exchange.h"

/* Both must live as long as the exchange; neither is copied. A variable that is there already gets
 * the new value. */
void vars_set(struct exchange *ex, struct str name, struct str value);

/* p == NULL: it was never set. */
struct str vars_get(const struct exchange *ex, struct str name);

#endif
