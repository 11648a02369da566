/* The order in which the handlers of a route are asked: Caddy's, not that of the file. */
#ifndef LINTEL_CONF_ORDER_H
#define LINTEL_CONF_ORDER_H

#include "conf/conf.h"

/* The names of directives, first to last. */
struct order {
    const char **names;
    size_t n;
};

struct order_row {
    struct handler_row row;
    const char *directive; /* its name */
    struct str path;       /* its path matcher as written, if it has one path only; else len 0 */
    size_t index;          /* its place in the file */
    size_t rank;           /* order_sort()'s */
};

/* Caddy's order. */
void order_init(struct order *o, struct arena *a);

/* Where a directive is to be put. */
enum order_place { ORDER_FIRST, ORDER_LAST, ORDER_BEFORE, ORDER_AFTER };

/* Moves a directive; of is the other one of BEFORE and AFTER. False if that has no place. */
bool order_move(struct order *o, struct arena *a, struct str name, enum order_place place,
                struct str of);

/* By the order of directives; of the same directive: path matchers with the longest path first
 * ("/foo" before "/foo*"), then other matchers, then none; "vars" the other way round, so that the
 * most specific one is set last; else by the order of the file. "handle_path" stands beside
 * "handle". */
void order_sort(const struct order *o, struct order_row *rows, size_t n);

#endif
