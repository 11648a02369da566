/* Braces of one file: each '{' gets its '}', or an error says which one is missing or too many. The
 * steps that follow rely on it. */
#ifndef LINTEL_CONF_BRACES_H
#define LINTEL_CONF_BRACES_H

#include "conf/lexer.h"

/* Sets to_close of every opening brace. Returns -1 after an error in d: where the structure went
 * wrong can only be guessed then, so nothing more should be said of the file. */
MUST_CHECK int braces_match(struct arena *a, struct diag *d, struct lexemes *in);

#endif
