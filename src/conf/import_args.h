/* Arguments of an import in what it imports: {args[0]} anywhere in a word; {args[:]}, {args[1:]},
 * {args[:2]} and {args[1:2]} as words of their own; {args.0}, the old way to write {args[0]}. */
#ifndef LINTEL_CONF_IMPORT_ARGS_H
#define LINTEL_CONF_IMPORT_ARGS_H

#include "conf/diag.h"

struct import_args {
    const struct token *list;
    size_t n;
    const struct token *at; /* the import that passes them, for messages */
};

/* What of the arguments a word stands for. */
struct args_range {
    size_t from, to; /* the arguments from <= i < to */
};

enum args_kind {
    ARGS_NONE,  /* nothing of it */
    ARGS_RANGE, /* the word as a whole is so many arguments */
    ARGS_PART,  /* some of it is to be replaced: import_args_replace() */
    ARGS_WRONG  /* after an error in d */
};

enum args_kind import_args_look(struct diag *d, const struct token *t,
                                const struct import_args *args, struct args_range *out);

/* Appends the text of an ARGS_PART token, with its arguments in their places. Returns -1 after an
 * error in d; a full buffer is one. */
MUST_CHECK int import_args_replace(struct diag *d, const struct token *t,
                                   const struct import_args *args, struct buf *out);

#endif
