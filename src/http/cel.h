/* The part of CEL, the Common Expression Language, that people write in a Caddyfile: compiled to a
 * tree at load, evaluated for each request. */
#ifndef LINTEL_HTTP_CEL_H
#define LINTEL_HTTP_CEL_H

#include "conf/directive.h"
#include "http/exchange.h"

enum {
    CEL_TEXT_MAX = 16 * 1024,
    CEL_NODES_MAX = 2000,
    CEL_JOINED_MAX = 64 * 1024, /* bytes that "+" may make */
    CEL_DEPTH_MAX = 64          /* of parentheses, lists and calls */
};

struct cel_node;

/* Compiles the arguments of a directive, which make one expression; errors are reported at the
 * place in them. NULL after errors. Lives in the configuration's arena. */
const struct cel_node *cel_compile(const struct directive_args *d);

/* Whether the condition holds. What cannot be evaluated, such as int("x"), leaves 500 in
 * ex->match_error; a matcher in it may leave a status of its own. */
bool cel_holds(const struct cel_node *n, struct exchange *ex);

/* Whether it looks at what an upstream has answered. */
bool cel_reads_answer(const struct cel_node *n);

#endif
