/* What handlers and matchers remember for one exchange, by the name of its placeholder without
 * braces and without "http.": "vars.x", "re.NAME.1", "auth.user.id", "map.x". */
#ifndef LINTEL_HTTP_VARS_H
#define LINTEL_HTTP_VARS_H

#include "http/exchange.h"

/* Both must live as long as the exchange; neither is copied. A variable that is there already gets
 * the new value. */
void vars_set(struct exchange *ex, struct str name, struct str value);

/* The same for a value that the configuration says, and no client: vars_is_own(). */
void vars_set_own(struct exchange *ex, struct str name, struct str value);

/* A variable whose value is found anew each time that it is used; fn may use others. One that is
 * there already stays as it is. *own is false; fn sets it for a value that the configuration says.
 */
typedef struct str vars_function(struct exchange *ex, const void *arg, bool *own);
void vars_set_function(struct exchange *ex, struct str name, vars_function *fn, const void *arg);

/* p == NULL: it was never set. A variable that uses itself is empty there. */
struct str vars_get(struct exchange *ex, struct str name);

/* Whether its value now is one that the configuration says: no client could choose its bytes. */
bool vars_is_own(struct exchange *ex, struct str name);

#endif
