/* root: sets the folder of the site, which file_server serves. */
#ifndef LINTEL_HANDLERS_ROOT_H
#define LINTEL_HANDLERS_ROOT_H

#include "conf/directive.h"
#include "http/exchange.h"

extern const struct directive root_directives[]; /* ended by a zeroed row */

/* A folder's name, perhaps with placeholders. */
struct root_path {
    struct str constant; /* absolute, without a "/" at its end; len 0: expand text */
    const char *base;    /* what goes before the expanded text */
    struct text text;
};

/* Fills in *out; relative names begin at the working directory. -1 after directive_error(). */
MUST_CHECK int root_path_set(const struct directive_args *d, const struct token *t,
                             struct root_path *out);

/* The folder for this exchange, NUL-terminated. False if what a client sent would lead somewhere
 * that was not meant: a value that is empty, holds a slash, or makes a segment "..". */
bool root_path_expand(const struct root_path *r, struct exchange *ex, struct str *out);

#endif
