/* The beginning of a request's body, kept so that it can be sent to another upstream when the first
 * one has failed. One exchange. */
#ifndef LINTEL_HANDLERS_KEPT_BODY_H
#define LINTEL_HANDLERS_KEPT_BODY_H

#include "base/budget.h"
#include "http/exchange.h"

/* Zeroed but for max and what its memory is taken from. */
struct kept_body {
    char *bytes; /* malloc'ed */
    size_t len, cap;
    size_t max; /* bytes to keep at most; 0: none */
    struct budget *budget;
    size_t budget_max;
    size_t sent; /* of them, to the upstream at work */
    bool lost;   /* more than that has gone by: it cannot be sent again */
    bool whole;  /* there is no more than what is kept */
};

void kept_body_fini(struct kept_body *k);

/* As exchange_read_body(), but begins at the beginning after each kept_body_rewind(). */
enum pull kept_body_read(struct kept_body *k, struct exchange *ex, char *buf, size_t cap,
                         size_t *n);
void kept_body_rewind(struct kept_body *k);

/* Reads until max bytes are kept (PULL_BYTES), the body has ended, or AGAIN or FAIL; also FAIL, and
 * lost, if there is no memory left for it. */
enum pull kept_body_fill(struct kept_body *k, struct exchange *ex);

#endif
