/* What placeholders are called: Caddy's short and long names. */
#ifndef LINTEL_CONF_PLACEHOLDER_NAMES_H
#define LINTEL_CONF_PLACEHOLDER_NAMES_H

#include "conf/conf.h"
#include "conf/defined.h"

enum found { FOUND_NOTHING, FOUND_PLACEHOLDER, FOUND_MISTAKE };

/* The placeholder called name, with its argument, in *out. A value that is known at load is a
 * literal. FOUND_MISTAKE: *e says what is wrong with the argument. The result lives in a. */
enum found placeholder_find(struct arena *a, struct str name, const struct defined *defined,
                            struct text_part *out, struct err *e);

/* Whether the language itself has a placeholder of that name, usable here or not. */
bool placeholder_is_known(struct str name);

/* Says what is wrong with a name that is none, with the nearest one. Returns -1. */
int placeholder_unknown(struct str name, const struct defined *defined, struct err *e);

#endif
