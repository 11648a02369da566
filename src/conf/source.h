/* A directive as it was written, kept for "lintel adapt". */
#ifndef LINTEL_CONF_SOURCE_H
#define LINTEL_CONF_SOURCE_H

#include "base/arena.h"
#include "conf/directive.h"

/* The words of a node from index first on and its block, as one line: "path /a \"b c\"",
 * "not { path /a; method GET }". In a. */
struct str source_line(struct arena *a, const struct node *node, size_t first);

/* The arguments of a directive, and all that is in its block. */
struct source {
    const struct str *arguments;
    size_t n_arguments;
    const struct str *lines; /* of the block, each as source_line() has it */
    size_t n_lines;
};

/* Everything is copied to a. */
const struct source *source_keep(struct arena *a, const struct directive_args *d);

#endif
