/* Between lexer and parser: each "import" gives way to what it imports, a snippet or files, with
 * its arguments ({args[0]}, conf/import_args.h) and its block ({block}, {blocks.KEY}) put in;
 * snippets,
 * "(name) { ... }" at the top level, are taken away.
 *
 * It works on tokens, before there is a tree: an import may stand at the start of any line. What is
 * imported keeps its own places for messages; a word that is an argument has the place where that
 * argument is written. Imports that lead back to themselves are errors, and what imports make of a
 * file is bounded. */
#ifndef LINTEL_CONF_EXPAND_H
#define LINTEL_CONF_EXPAND_H

#include "conf/import_files.h"

enum {
    /* Words gone through, those of imports and their arguments included: so many, and for each word
     * written in a file so many more, but never more than MAX. */
    EXPAND_TOKENS_BASE = 100000,
    EXPAND_TOKENS_FACTOR = 200,
    EXPAND_TOKENS_MAX = 2 * LEXER_TOKENS_MAX,
    EXPAND_TEXT_MAX = 4 * LEXER_TEXT_MAX, /* bytes of words with arguments put in */
    EXPAND_DEPTH_MAX = 100                /* imports within imports */
};

/* in: the main file, after braces_match(). The result lives in a; the braces in it match. Returns
 * -1 after errors in d that leave too little of the file; other errors leave tokens worth parsing.
 */
MUST_CHECK int expand_run(struct arena *a, struct diag *d, struct import_files *files,
                          struct str file, const struct lexemes *in, struct lexemes *out);

#endif
