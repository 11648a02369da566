/* What people write who know another server: for messages only. */
#ifndef LINTEL_CONF_FOREIGN_H
#define LINTEL_CONF_FOREIGN_H

#include "base/str.h"

/* What to write in the place of a word of nginx, of Apache or of Caddy's first version: "write
 * 'reverse_proxy HOST:PORT'". NULL: it is none of these. */
const char *foreign_instead(struct str word);

/* What to write in the place of the first variable of nginx in a text, such as "$request_uri".
 * *variable is where it stands. NULL: there is none. */
const char *foreign_variable(struct str text, struct str *variable);

/* Whether a plugin of Caddy has a directive or option of that name. */
bool foreign_is_plugin(struct str word);

#endif
