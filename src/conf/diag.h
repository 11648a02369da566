/* Gathers what is wrong with a configuration, so that all errors of a file are shown in one go:
 * "file:line:column: message", the source line, and a caret below the place. One load's; main
 * thread. */
#ifndef LINTEL_CONF_DIAG_H
#define LINTEL_CONF_DIAG_H

#include "base/buf.h"
#include "conf/directive.h"

#include <stdarg.h>

enum { DIAG_MAX = 100 }; /* errors, and as many warnings, kept of one load */

struct diag;

/* Everything lives in a. */
struct diag *diag_new(struct arena *a);

/* Makes the text of a file known, for the lines in messages; it must live as long as d. */
void diag_source(struct diag *d, struct str file, struct str text);

/* The place of the byte at offset in the text of a token: in the line of the source that holds it.
 */
struct token diag_place(const struct diag *d, const struct token *t, size_t offset);

/* Notes an error at a token. Of several at one place only the first is shown. Returns -1. */
int diag_error(struct diag *d, const struct token *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
int diag_verror(struct diag *d, const struct token *at, const char *fmt, va_list ap)
    PRINTF_LIKE(3, 0);

void diag_warn(struct diag *d, const struct token *at, const char *fmt, ...) PRINTF_LIKE(3, 4);
void diag_vwarn(struct diag *d, const struct token *at, const char *fmt, va_list ap)
    PRINTF_LIKE(3, 0);

/* The place of a byte of a token's text, if the line shows that text as it is (no escapes, nothing
 * inserted); else that of the token. */
struct token diag_inside(const struct diag *d, const struct token *at, size_t offset);

/* The same where the text may be another one than that of the line (escapes, arguments, values of
 * the environment): then the place of the token. */
struct token diag_inside(const struct diag *d, const struct token *at, size_t offset);

/* The line of at holds a secret: it is not shown with what is noted about it, as messages end up in
 * logs. */
void diag_secret(struct diag *d, const struct token *at);

/* How many errors were noted, those included that are not shown. */
size_t diag_errors(const struct diag *d);

/* Whether further errors are only counted: suggestions for them would be lost work. */
bool diag_is_full(const struct diag *d);

/* Appends the errors and the warnings, each in the order of their places. A NULL buffer, or one
 * that is full, loses what it cannot take. */
void diag_print(struct diag *d, struct buf *errors, struct buf *warnings);

/* ---- "did you mean" ---- */

struct nearest {
    struct str word; /* what was written */
    struct str best; /* what is nearest; len 0: nothing is near */
    unsigned distance;
};

void nearest_init(struct nearest *n, struct str word);
void nearest_offer(struct nearest *n, struct str candidate);

/* "unknown <what> 'word'", or with "; did you mean 'best'?" added. Returns -1. */
int diag_unknown(struct diag *d, const struct token *at, const char *what,
                 const struct nearest *nearest);

#endif
