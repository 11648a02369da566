/* The standard form of a configuration: one line for a directive, a tab for each block around it,
 * "{" at the end of its line, "}" alone, at most one blank line. It is that of "caddy fmt".
 * Words, quoted or not, heredocs and comments stay byte for byte; only the white space between them
 * changes, so that the text means what it meant. That holds for all text whose braces are in pairs.
 * Where they are not, text has no meaning yet: braces stuck to words ("a{") are then parted from
 * them, if that makes pairs of all. Formatting twice gives what formatting once gave.
 * Pure functions, for any thread; linear in time. */
#ifndef LINTEL_CONF_FORMAT_H
#define LINTEL_CONF_FORMAT_H

#include "base/buf.h"

enum { FORMAT_INDENT_MAX = 32 }; /* tabs; blocks nested deeper than they may be */

/* Puts the formatted text to out, which is empty. Returns 0, or -1 if out's ceiling is too low. */
MUST_CHECK int format_text(struct str text, struct buf *out);

#endif
