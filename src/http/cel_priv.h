/* What the files of the expression language share. */
#ifndef LINTEL_HTTP_CEL_PRIV_H
#define LINTEL_HTTP_CEL_PRIV_H

#include "base/regex.h"
#include "http/cel.h"

/* ---- values and types ---- */

enum cel_type {
    CEL_BOOL,
    CEL_INT,
    CEL_STRING,
    CEL_LIST,
    CEL_NULL,
    CEL_DYN, /* of a placeholder: text, which is a number or a truth value where one is needed */
    CEL_MAP, /* only as an argument of a matcher */
    CEL_ERROR
};

struct cel_value {
    enum cel_type type;
    int64_t number;  /* CEL_INT; CEL_BOOL: 0 or 1; CEL_ERROR: the status to answer with */
    struct str text; /* CEL_STRING, CEL_DYN */
};

/* ---- the tree ---- */

enum cel_kind {
    CEL_LITERAL, /* value */
    CEL_TEXT,    /* a placeholder: text, and its source in value.text */
    CEL_ITEMS,   /* a list: kids; a map: keys and values in turn */
    CEL_MATCHER, /* matcher */
    CEL_CALL,    /* function, kids, the first one the target */
    CEL_NOT,
    CEL_MINUS,
    CEL_AND, /* kids: any number */
    CEL_OR,
    CEL_COND,
    CEL_EQ,
    CEL_NE,
    CEL_LT,
    CEL_LE,
    CEL_GT,
    CEL_GE,
    CEL_IN,
    CEL_ADD,
    CEL_SUB,
    CEL_MUL,
    CEL_DIV,
    CEL_MOD
};

struct cel_function; /* cel_functions.c */

struct cel_node {
    enum cel_kind kind;
    enum cel_type type;
    size_t at; /* in the expression */
    struct cel_value value;
    struct text text;
    struct matcher matcher;
    const struct cel_function *function;
    const struct regex *regex; /* of matches() */
    struct cel_node **kids;
    size_t n, cap;
};

/* ---- words ---- */

enum cel_word_kind {
    CEL_WORD_END,
    CEL_WORD_NAME,
    CEL_WORD_STRING, /* text: without quotes, escapes resolved */
    CEL_WORD_INT,
    CEL_WORD_PLACEHOLDER, /* text: with its braces */
    CEL_WORD_SIGN         /* text: the sign */
};

struct cel_word {
    enum cel_word_kind kind;
    size_t at;
    struct str text;
    int64_t number;
};

/* ---- compiling ---- */

/* A part of the expression that is one argument of the directive. */
struct cel_segment {
    size_t at;
    const struct token *token;
    bool quoted; /* with the quotes around it, as it is one of several */
};

struct cel_compiler {
    const struct directive_args *d;
    struct str text;
    struct cel_segment *segments;
    size_t n_segments;
    size_t at;            /* what comes behind the word at hand */
    struct cel_word word; /* the one at hand */
    unsigned depth;
    unsigned nodes;
};

/* Reports at a place of the expression. Returns -1. */
int cel_error(const struct cel_compiler *c, size_t at, const char *fmt, ...) PRINTF_LIKE(3, 4);

/* A token with that text, as if it stood at that place. */
struct token cel_token(const struct cel_compiler *c, size_t at, struct str text);

/* cel_lex.c: takes the next word to c->word. -1 after an error. */
MUST_CHECK int cel_next(struct cel_compiler *c);

/* cel_parse.c: "a condition", "a number"... */
const char *cel_type_name(enum cel_type type);

/* cel_functions.c: makes n, whose kids are the arguments, the call of a method ("x.startsWith(y)",
 * the target first), of a function or of a matcher. */
MUST_CHECK int cel_make_method(struct cel_compiler *c, struct cel_node *n, struct str name);
MUST_CHECK int cel_make_call(struct cel_compiler *c, struct cel_node *n, struct str name);

struct cel_value cel_call(const struct cel_node *n, const struct cel_value *args, struct arena *a);

/* cel_matchers.c: the same for a matcher. False in *is_matcher: there is none of that name. */
MUST_CHECK int cel_make_matcher(struct cel_compiler *c, struct cel_node *n, struct str name,
                                bool *is_matcher);

/* cel_eval.c: what a value is as text, as a number (false: it is none). */
struct str cel_text_of(const struct cel_value *v, struct arena *a);
bool cel_number_of(const struct cel_value *v, int64_t *number);

#endif
