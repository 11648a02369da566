/* rewrite, method: set the URI or the method of a request to something else. */
#ifndef LINTEL_HANDLERS_REWRITE_H
#define LINTEL_HANDLERS_REWRITE_H

#include "conf/directive.h"
#include "http/rewrite.h"

extern const struct directive rewrite_directives[]; /* ended by a zeroed row */

/* "path?query" as "rewrite" takes it, of a word or a part of one; a fragment is left out. -1 after
 * directive_error(). */
MUST_CHECK int rewrite_target_set(const struct directive_args *d, const struct token *t,
                                  struct rewrite_target *out);

/* Where the "?" stands that begins the query, or the length. */
size_t rewrite_query_at(struct str target);

/* A method as "method" takes it. -1 after directive_error(). */
MUST_CHECK int rewrite_method_set(const struct directive_args *d, const struct token *t,
                                  struct text *out);

/* What such a text stands for, in capitals and NUL-terminated; p == NULL if that is no token. */
struct str rewrite_method(const struct text *t, struct exchange *ex);

#endif
