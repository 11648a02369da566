/* Which script a request is for, and what is left of its path. */
#ifndef LINTEL_HANDLERS_FASTCGI_SCRIPT_H
#define LINTEL_HANDLERS_FASTCGI_SCRIPT_H

#include "handlers/fastcgi_conf.h"

struct fastcgi_script {
    struct str root;      /* absolute */
    struct str name;      /* begins with "/"; len 0: there are no scripts */
    struct str path_info; /* len 0, or begins with "/" */
    struct str query;     /* p == NULL: none */
};

/* Looks at a target in origin-form: as it was rewritten for the upstream, or NULL for that of the
 * exchange. A script is a regular file below the root: of other names, servers make something of
 * their own (PHP takes "/photo.jpg/x.php" for the script photo.jpg). Where a root was given that is
 * not the site's, the server may see other files than we: then what is not there may be run, but
 * not what is something else, there or below the root of the site. Returns 0, or the status to
 * answer with: 400, 403 or 404. Blocks as file systems do; what is in out lives as long as ex. */
MUST_CHECK int fastcgi_script_find(const struct fastcgi_conf *c, struct exchange *ex,
                                   const char *target, struct fastcgi_script *out);

/* A path that begins with "/", below the root; NUL-terminated. */
struct str fastcgi_script_below(struct arena *a, struct str root, struct str path);

#endif
