/* Words for a configuration that a program writes: whatever bytes a value has, the word means just
 * that value. What the lexer and conf/text.h take away is put in. */
#ifndef LINTEL_CONF_QUOTE_H
#define LINTEL_CONF_QUOTE_H

#include "base/buf.h"

/* Appends value as one quoted word. CR before LF is lost, as in any configuration. -1: ERR_INVALID
 * for another control byte, which no configuration can have; ERR_LIMIT; b is then of no use. */
MUST_CHECK int quote_word(struct buf *b, struct str value, struct err *e);

/* The same for a word that is compiled by text_compile(): placeholders are those that are called by
 * their long names, as in Caddy outside of a Caddyfile, "\{" and "\}" braces; any other brace is
 * itself. */
MUST_CHECK int quote_text(struct buf *b, struct str value, struct err *e);

#endif
