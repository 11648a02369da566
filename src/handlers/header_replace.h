/* Find and replace in field values, by POSIX extended regular expressions. One worker. */
#ifndef LINTEL_HANDLERS_HEADER_REPLACE_H
#define LINTEL_HANDLERS_HEADER_REPLACE_H

#include "base/arena.h"
#include "base/err.h"

struct replace;

/* Whether the expression can be compiled; ERR_SYNTAX with the reason. */
MUST_CHECK int replace_check(const char *find, struct err *e);

struct replace *replace_new(const char *find, struct err *e); /* NULL with *e set */
void replace_free(struct replace *r);                         /* NULL is fine */

/* value with every match replaced. In `with`, "$1" to "$9" stand for what the groups matched, "$0"
 * for the whole and "$$" for a dollar. The result is value itself if nothing matched. */
struct str replace_all(const struct replace *r, struct arena *a, struct str value, struct str with);

#endif
