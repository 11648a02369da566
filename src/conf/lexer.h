/* From the text of a file to its tokens, as Caddy's language has it:
 *  - tokens are parted by spaces and tabs; a line end matters and is kept with the token after it;
 *  - "..." may span lines, \" is a quote in it, any other backslash is itself; `...` takes
 *    everything as it is; both only at the start of a token;
 *  - "#" at the start of a token begins a comment, up to the end of the line;
 *  - a backslash at the end of a line joins the next line to it;
 *  - <<MARKER at the end of a line begins a heredoc: all lines up to one that begins with MARKER,
 *    without the indentation of that one and without the last line end; \< is a < that begins none;
 *  - {$NAME} and {$NAME:default} are replaced by the environment, before anything else is looked
 *    at: a value may be several tokens or lines. But what was opened in the file (a quote, a
 *    heredoc) is closed in the file, and what was opened in a value within that value.
 * A byte order mark is passed over, CR before LF as well; other control bytes are errors. */
#ifndef LINTEL_CONF_LEXER_H
#define LINTEL_CONF_LEXER_H

#include "conf/diag.h"

enum {
    LEXER_TEXT_MAX = 16 * 1024 * 1024, /* bytes of a file */
    LEXER_TOKENS_MAX = 2000000         /* of a file */
};

struct lexeme {
    struct token token;
    bool starts_line; /* the first of its line */
    unsigned
        to_close; /* of an opening brace: how many further its closing one is (conf/braces.h) */
};

struct lexemes {
    struct lexeme *list;
    size_t n;
};

/* Whether it is this word, without quotes: braces and "import". */
static inline bool lexeme_is(const struct lexeme *l, const char *word)
{
    return !l->token.quoted && str_is(l->token.text, word);
}

/* The tokens live in a, except for their file name. Returns -1 after errors in d that leave the
 * rest of the file without meaning; other errors leave tokens that can be parsed. */
MUST_CHECK int lexer_run(struct arena *a, struct diag *d, struct str file, struct str text,
                         struct lexemes *out);

/* ---- of the language, also for what reads a text as it is written (conf/pieces.h) ---- */

/* The bytes of white space beyond ASCII at the start of s, or 0: it comes with text copied from web
 * pages. */
size_t lexer_wide_space_len(struct str s);

/* Whether c may be in the marker of a heredoc. */
static inline bool lexer_is_marker_byte(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
}

#endif
