/* A response matcher of a configuration: "status <codes...>" and "header <field> <value>", of which
 * a directive may have a block, or one in its own line. */
#ifndef LINTEL_HANDLERS_RESPONSE_MATCH_H
#define LINTEL_HANDLERS_RESPONSE_MATCH_H

#include "conf/directive.h"
#include "http/fields.h"

struct response_match {
    uint16_t *statuses; /* below 10: all of that hundred */
    size_t n_statuses, cap_statuses;
    struct header_rule *headers; /* each must hold */
    size_t n_headers, cap_headers;
};

/* Fills in the zeroed *out from the arguments of the directive at hand, or from its block. -1 after
 * directive_error(). */
MUST_CHECK int response_match_set(const struct directive_args *d, struct response_match *out);

/* Adds statuses, as "status" has them: "404", "5xx". -1 after directive_error(). */
MUST_CHECK int response_match_add_statuses(const struct directive_args *d, const struct token *list,
                                           size_t n, struct response_match *out);

/* Whether a response is as wanted; of one field, any value of any line will do. */
bool response_match(const struct response_match *m, int status, const struct fields *fields);

#endif
