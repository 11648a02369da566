/* Texts with placeholders, compiled once at load. */
#ifndef LINTEL_CONF_TEXT_H
#define LINTEL_CONF_TEXT_H

#include "conf/conf.h"
#include "conf/defined.h"

/* "{name}" is a placeholder when a name could be one (letters, digits and ".-_?[]"), or is one with
 * any other bytes but blanks, quotes, braces and backslashes; any other "{" is itself, and so are
 * "\{" and "\}" without their backslash. defined: the names that the file itself defines; may be
 * NULL. What stays the same while the process runs, as {env.HOME}, is put in as it is now: this may
 * read files. The result lives in a. Returns -1 for a placeholder that does not exist. */
MUST_CHECK int text_compile(struct arena *a, struct str source, const struct defined *defined,
                            struct text *out, struct err *e);

/* The same for what replaces the matches of a regular expression: "${1}" and "${name}", which are
 * the expression's groups, stay as they are. */
MUST_CHECK int text_compile_replacement(struct arena *a, struct str source,
                                        const struct defined *defined, struct text *out,
                                        struct err *e);

#endif
