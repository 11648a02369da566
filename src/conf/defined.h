/* The placeholders that a configuration itself defines: the destinations of map. They are gathered
 * before anything is compiled, so that one that nobody sets is an error. One load's; main thread.
 */
#ifndef LINTEL_CONF_DEFINED_H
#define LINTEL_CONF_DEFINED_H

#include "base/arena.h"

#include <stdbool.h>

struct conf_builder;
struct nearest;
struct nodes;

struct defined {
    struct str *table; /* hashed; p == NULL: an empty place */
    size_t n, cap;     /* cap is a power of two, or 0 */
};

/* Walks the tree for directives whose row says that they define some (struct directive: defines),
 * and puts the names in b->defined. */
void defined_gather(struct conf_builder *b, const struct nodes *top);

bool defined_has(const struct defined *d, struct str name);
void defined_offer(const struct defined *d, struct nearest *n);

/* What http/vars.h calls the placeholder of that name. */
struct str defined_variable(struct arena *a, struct str name);

/* The name of a destination: "{name}" without its braces; p == NULL if it is none. */
struct str defined_name(struct str word);

#endif
