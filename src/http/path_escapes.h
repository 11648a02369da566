/* Path patterns that say what is to be escaped: "/a%2Fb" is "/a%2Fb" only, and not "/a/b". */
#ifndef LINTEL_HTTP_PATH_ESCAPES_H
#define LINTEL_HTTP_PATH_ESCAPES_H

#include "base/arena.h"

/* Whether the path of a target, still escaped, matches. Where the pattern has an escape, that of
 * the path stays; elsewhere it is decoded. "%*" is a star for a span that stays escaped, in which
 * "%2F" is no slash. As Caddy does it: a span ends where the character after the star comes first.
 */
bool path_escapes_match(struct arena *a, struct str pattern, struct str raw);

/* path with its "." and ".." segments resolved and, unless the slashes are kept, no empty ones. */
struct str path_without_dots(struct arena *a, struct str path, bool keep_slashes);

#endif
