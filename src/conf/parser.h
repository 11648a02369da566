/* From tokens whose braces match (conf/braces.h) to a tree: top-level blocks (global options,
 * sites) of directives of blocks. The parser knows braces and lines, and no directive. */
#ifndef LINTEL_CONF_PARSER_H
#define LINTEL_CONF_PARSER_H

#include "conf/lexer.h"

enum { PARSER_DEPTH_MAX = 32 }; /* of nested blocks */

struct nodes {
    struct node *list;
    size_t n;
};

/* The top-level blocks in file order. The words of one are its addresses, without their commas; the
 * block of global options has none. Each node's words[0] is there otherwise. A site without braces
 * has the rest of the file as children, and no has_block.
 * The tree lives in a and points to the tokens. Returns -1 if blocks are nested too deep; other
 * errors in d leave a tree worth looking at. */
MUST_CHECK int parser_run(struct arena *a, struct diag *d, const struct lexemes *in,
                          struct nodes *out);

#endif
