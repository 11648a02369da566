/* Query strings, as forms make them: "key=value" pairs with "&" between them. */
#ifndef LINTEL_HTTP_QUERY_H
#define LINTEL_HTTP_QUERY_H

#include "base/arena.h"
#include "base/str.h"

/* A pair, decoded. */
struct query_pair {
    struct str key;
    struct str value;
};

/* In the order of the string; the list is in an arena. */
struct query {
    struct query_pair *list;
    size_t n, cap;
};

/* "a=b&c" decoded; "+" is a space. A pair with a bad escape or a semicolon is left out, as in
 * Caddy: programs do not agree about what it means. */
struct query query_parse(struct arena *a, struct str s);

/* Back to a string: sorted by key as in Caddy, pairs of one key in their order. */
struct str query_encode(struct arena *a, struct query *q);

/* The first value of a key; p == NULL if there is none. */
struct str query_get(const struct query *q, struct str key);

void query_add(struct query *q, struct arena *a, struct str key, struct str value);
void query_remove(struct query *q, struct str key);

/* Replaces all pairs of that key by one. */
void query_set(struct query *q, struct arena *a, struct str key, struct str value);

/* The values of a key go to another one, and replace what that had. */
void query_rename(struct query *q, struct str key, struct str to);

/* Escaped for use as a key or a value: a space becomes "+". */
struct str query_escape(struct arena *a, struct str s);

/* Escapes what no query may hold as such (RFC 3986 3.4), and keeps escapes and delimiters. */
struct str query_normal(struct arena *a, struct str s);

#endif
