/* Glob patterns as Go's path.Match reads them, and so Caddy: "*" is any run of characters but "/",
 * "?" one of them, "[a-z]" and "[^a-z]" one of a class, "\x" is x itself. */
#ifndef LINTEL_BASE_GLOB_H
#define LINTEL_BASE_GLOB_H

#include "base/str.h"

/* A pattern that is not valid matches nothing. nocase: ASCII letters are compared without regard to
 * case. No recursion; at most pattern.len * s.len steps. */
bool glob_matches(struct str pattern, struct str s, bool nocase);

/* Whether the brackets are closed and nothing ends with a backslash. */
bool glob_is_valid(struct str pattern);

/* Whether there is anything in it that does not stand for itself. */
bool glob_has_meta(struct str s);

#endif
