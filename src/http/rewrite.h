/* Changes of a request's URI. raw_path, path and query stay consistent, and the original is kept.
 * What a client sent cannot do more than it may where it is put: in a path it brings neither a
 * query nor "..", in a query no further pair. One worker.
 *
 * Each function returns 0, or the status to answer with, and the URI is as it was: 400 for what
 * makes no path, 414 for what grows beyond REWRITE_MAX. */
#ifndef LINTEL_HTTP_REWRITE_H
#define LINTEL_HTTP_REWRITE_H

#include "http/exchange.h"

enum { REWRITE_MAX = 64 * 1024 }; /* bytes of a path or a query */

/* What "rewrite" makes of a URI: the parts that are given, compiled. */
struct rewrite_target {
    bool has_path;
    bool has_query; /* "?" was there */
    struct text path;
    struct text query;
};

/* The value of a placeholder is escaped where it is put; {uri} is a path and a query itself: the
 * query goes where the target has an empty one ("/new{uri}?"), and nowhere else. In the target's
 * query, {query} in the place of a key stands for its pairs. */
MUST_CHECK int rewrite_set(struct exchange *ex, const struct rewrite_target *t);

/* What rewrite_set() would make of the URI, as a request target, NUL-terminated; that of the
 * exchange stays. */
MUST_CHECK int rewrite_aside(struct exchange *ex, const struct rewrite_target *t,
                             const char **target);

/* The URI as a request target in origin-form, NUL-terminated. */
const char *rewrite_origin_form(struct exchange *ex);

/* Of the path, at its beginning or its end; it is there also in another case, or escaped. An escape
 * in it means this very escape. "//" in it keeps the path's double slashes, which are one else. */
MUST_CHECK int rewrite_strip_prefix(struct exchange *ex, struct str prefix);
MUST_CHECK int rewrite_strip_suffix(struct exchange *ex, struct str suffix);

/* Every find in the path and in the query by with; at most limit in each, 0: all. */
MUST_CHECK int rewrite_replace(struct exchange *ex, const struct text *find,
                               const struct text *with, size_t limit);

/* The path, escaped, as changes are made to it: without dot segments, and without double slashes
 * unless they are to be kept. */
struct str rewrite_path(struct exchange *ex, bool keep_slashes);

/* Sets the path, or the query, to what became of it. */
MUST_CHECK int rewrite_set_path(struct exchange *ex, struct str raw);
MUST_CHECK int rewrite_set_query(struct exchange *ex, struct str query);

/* The text with the values of its placeholders escaped for a path, or for a query. */
struct str rewrite_expand_path(struct exchange *ex, const struct text *t);
struct str rewrite_expand_query(struct exchange *ex, const struct text *t);

#endif
