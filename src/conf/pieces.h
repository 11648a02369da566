/* From the text of a configuration to its pieces, as they are written: words with their quotes,
 * escapes and {$NAME}s, braces, comments. The lexer gives what a text means, this what it looks
 * like; it takes any text, and any thread may use it. */
#ifndef LINTEL_CONF_PIECES_H
#define LINTEL_CONF_PIECES_H

#include "base/str.h"

enum piece_kind {
    PIECE_NONE, /* what stands before the first */
    PIECE_WORD,
    PIECE_OPEN,
    PIECE_CLOSE,
    PIECE_COMMENT,
    PIECE_CONTINUATION, /* a backslash and the line end it takes away */
    PIECE_END
};

struct piece {
    enum piece_kind kind;
    struct str text;
    size_t newlines; /* line ends since the piece before */
    bool spaced;     /* there was white space since then */
    bool ends_line;  /* a line end, not a blank, is right behind it */
};

/* Which braces are parted from words they are stuck to. A text whose braces are in pairs means
 * something with SPLIT_NONE, and is not to be split. */
enum split {
    SPLIT_NONE,
    SPLIT_CLOSES, /* those of "}}" */
    SPLIT_ALL     /* those of "a{" and "b}c", too; not of "a{b}" and "a\{" */
};

struct pieces {
    struct str rest;
    enum split split;
    const char *no_environment; /* no "{$" before it is closed */
    /* The word that is being split, which ends at word_end; NULL if none is. */
    const char *word_end;
    const char *tail; /* where the "{"s at its end begin */
    bool only_closes;
};

/* The text is that behind a byte order mark. */
void pieces_init(struct pieces *s, struct str text, enum split split);

/* After the last piece: PIECE_END, again and again. */
struct piece pieces_next(struct pieces *s);

/* Whether the piece, a word now, would begin a heredoc if a line end came right behind it. */
bool piece_begins_heredoc(const struct piece *p);

#endif
