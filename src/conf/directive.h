/* Directives are rows: a closed table per folder says what a directive is called, where it may
 * stand, how many arguments it takes and which function stores it. Parsing never runs the server.
 */
#ifndef LINTEL_CONF_DIRECTIVE_H
#define LINTEL_CONF_DIRECTIVE_H

#include "conf/describe.h"

/* A word of the file, with where it stood. */
struct token {
    struct str text; /* quotes and escapes already resolved */
    struct str file;
    unsigned line;   /* from 1 */
    unsigned column; /* from 1, in characters */
    bool quoted;     /* "..." or `...`: never a brace */
};

/* A directive or subdirective as parsed: its words (words[0] is its name), and its block. */
struct node {
    const struct token *words;
    size_t n_words;
    const struct node *children; /* in file order */
    size_t n_children;
    bool has_block;
    struct token close; /* the closing brace */
};

enum place {
    IN_GLOBAL = 1,   /* the block of global options */
    IN_SITE = 2,     /* directly in a site block, sets something of the site */
    IN_HANDLERS = 4, /* makes a handler row: a matcher may come first */
    IN_ERRORS = 8    /* directly in a site block, makes a row of the site's route for errors */
};

struct conf_builder; /* conf/build.h */
struct regex;        /* base/regex.h */

/* What a set function works with. Tokens and nodes live only as long as the load: what a target
 * keeps of them must be copied (directive_cstr, directive_str, directive_text). */
struct directive_args {
    struct conf_builder *builder;
    struct arena *arena;      /* of the configuration */
    const struct node *node;  /* the directive whole */
    const struct token *args; /* its arguments: words[1..] without the matcher */
    size_t n_args;
    const struct token *matcher; /* the matcher as written, or NULL */
    struct matcher
        *row_matcher; /* IN_HANDLERS, IN_ERRORS: what it was compiled to; may be changed */
    void *
        target; /* IN_HANDLERS, IN_ERRORS: the zeroed conf of the handler; IN_SITE: struct site *;
                   IN_GLOBAL: struct global * (conf/build.h); matchers: the conf of the condition */
};

struct directive {
    const char *name;
    unsigned places;
    int min_args;
    int max_args;                    /* -1: any number */
    bool block;                      /* may have a block */
    const struct handler_type *type; /* IN_HANDLERS: what its row runs */
    size_t conf_size;                /* bytes of target when IN_HANDLERS */
    /* Returns 0, or -1 after directive_error(): the loader goes on and gathers further errors. */
    int (*set)(const struct directive_args *d);
    const char *help; /* "redirect to <to> [code], default 302" */
    enum row_group group;
    bool no_matcher;  /* IN_HANDLERS: its first argument is none, whatever it looks like */
    bool repeats;     /* may stand more than once in a block, where it makes no handler row */
    unsigned defines; /* arguments from this index on define placeholders: "{name}"; 0: none do */
    bool own;         /* of two that say the same each has a handler, and so a state, of its own */
    /* Optional: tells what conf (conf_size bytes) says, defaults filled in. */
    void (*describe)(const void *conf, struct describer *out);
    const struct directive *options; /* optional: the rows of its block */
};

/* A word that Caddy has and Lintel has not. A table of them ends with a zero row. */
struct refused {
    const char *name;
    const char *instead; /* what to do, or why it is not needed; NULL: it is yet to come */
};

struct exchange; /* http/exchange.h */

/* A kind of matcher. Its row: name, counts, block, conf_size, set and help; several lines of it in
 * one matcher are given to set with the same target, unless it repeats: then each is a condition of
 * its own. */
struct matcher_type {
    struct directive row;
    bool (*match)(const void *conf, struct exchange *ex);
};

/* All words that a configuration may use, besides conf's own. Each list ends with NULL, each table
 * of rows with a zero row, each table of matchers with NULL. */
struct language {
    const struct directive *const *directives;
    const struct matcher_type *const *const *matchers; /* "path" is one of them */
    bool keep_source; /* for people who want to read what was compiled; costs memory */
};

/* Reports at a token: "file:line:column: message", the line and a caret. Returns -1. */
int directive_error(const struct directive_args *d, const struct token *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* Reports e->msg at the byte e->at of the token's text, if it stands there in the file as it is. */
int directive_error_in(const struct directive_args *d, const struct token *at, const struct err *e);

/* The same as directive_error() for what is no error. */
void directive_warn(const struct directive_args *d, const struct token *at, const char *fmt, ...)
    PRINTF_LIKE(3, 4);

/* The line of at holds a secret: messages do not show it. */
void directive_secret(const struct directive_args *d, const struct token *at);

/* The place of the byte at offset in the text of a token, which may have several lines. */
struct token directive_place(const struct directive_args *d, const struct token *t, size_t offset);

/* "unknown <what> 'word'", with the nearest of the valid words (an array ended by NULL) if one is
 * near, or else all of them if they are few. */
int directive_unknown(const struct directive_args *d, const struct token *at, const char *what,
                      const char *const *valid);

/* Runs the rows of a subdirective table (ended by a zero row; places and type unused) over the
 * children of the directive: counts, blocks and repetition are checked, then set is called with
 * target. refused may be NULL. Returns -1 after errors. */
int directive_block(const struct directive_args *d, const struct directive *rows,
                    const struct refused *refused, void *target);

/* The same for several such tables, an array ended by NULL. */
int directive_blocks(const struct directive_args *d, const struct directive *const *tables,
                     const struct refused *refused, void *target);

/* Compiles the block of d->node, directives that make handler rows, to *out: sorted as Caddy sorts
 * them, or in the order of the file. Named matchers may be defined in it. Returns -1 after errors.
 */
MUST_CHECK int directive_route(const struct directive_args *d, bool sorted, struct route *out);

/* Compiles the matcher that the words of a node from index first on and its block make: "path /a",
 * or a block of such lines. */
MUST_CHECK int directive_matcher(const struct directive_args *d, size_t first, struct matcher *out);

/* The name of the named matcher that is being compiled, without "@"; len 0: there is none. */
struct str directive_matcher_name(const struct directive_args *d);

/* Whether a matcher is called so. */
bool directive_has_matcher(const struct directive_args *d, struct str name);

/* Adds a condition of a type to a matcher; its conf, in the configuration's arena, is the result.
 */
void *directive_add_condition(const struct directive_args *d, struct matcher *m,
                              const struct matcher_type *type);

/* The named route of that name, or NULL after an error at t. It is compiled later in the load. */
const struct route *directive_named_route(const struct directive_args *d, const struct token *t);

/* A number that names what the directive makes: the site, what it says, and how many of the site
 * have asked for one before it. The same in the next configuration if nothing of that has changed.
 * For what is kept over a reload. */
uint64_t directive_identity(const struct directive_args *d);

/* The log of that name, which may be defined anywhere in the file: filled in at the end of the
 * load, where there is an error at t if there is none. */
void directive_log(const struct directive_args *d, const struct token *t,
                   const struct log_conf **out);

/* Values of one token, with the error reported at it. */
MUST_CHECK int directive_duration(const struct directive_args *d, const struct token *t,
                                  uint64_t *ms);
MUST_CHECK int directive_size(const struct directive_args *d, const struct token *t,
                              uint64_t *bytes);
MUST_CHECK int directive_uint(const struct directive_args *d, const struct token *t, uint64_t max,
                              uint64_t *value);

/* A text with placeholders, compiled. An unknown placeholder is an error at its place. */
MUST_CHECK int directive_text(const struct directive_args *d, const struct token *t,
                              struct text *out);

/* The same for what replaces the matches of a regular expression: "${1}" and "${name}" stay. */
MUST_CHECK int directive_replacement(const struct directive_args *d, const struct token *t,
                                     struct text *out);

/* A regular expression; NULL after an error at the place where it is wrong. */
struct regex *directive_regex(const struct directive_args *d, const struct token *t);

/* What http/vars.h calls the placeholder that an argument defines; the directive's row says so in
 * defines. An error if it is not "{name}", or the language has that name. */
MUST_CHECK int directive_defined(const struct directive_args *d, const struct token *t,
                                 struct str *variable);

/* The token as a string in the configuration's arena. */
struct str directive_str(const struct directive_args *d, const struct token *t);

/* The same, NUL-terminated. */
const char *directive_cstr(const struct directive_args *d, const struct token *t);

/* The token as a path; a relative one begins at the working directory, as in Caddy. The result is
 * absolute. */
const char *directive_path(const struct directive_args *d, const struct token *t);

#endif
