/* root: sets the folder of the site, which file_server serves, and whether symbolic links may lead
 * out of it. */
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
    bool follow_links;
};

/* An absolute path without dots and doubled slashes, and without a slash at its end: of two names
 * of one folder, as of a root and of what is hidden in it, both become the same text. */
struct str root_path_clean(struct arena *a, struct str path);

/* What may stand in the block of a directive that names a folder. */
extern const struct directive root_path_options[];

/* Fills in *out from "<name> <folder> [{ options }]"; relative names begin at the working
 * directory. -1 after directive_error(). */
MUST_CHECK int root_path_set(const struct directive_args *d, struct root_path *out);

/* The folder for this exchange. False if what a client sent would lead somewhere that was not
 * meant: a value that is empty, holds a slash, or makes a segment "..". */
bool root_path_expand(const struct root_path *r, struct exchange *ex, struct folder *out);

#endif
