/* The order in which the handlers of a site are asked: Caddy's, not that of the file. */
#ifndef LINTEL_CONF_ORDER_H
#define LINTEL_CONF_ORDER_H

#include "conf/conf.h"

struct order_row {
    struct handler_row row;
    const char *directive; /* its name */
    struct str path;       /* its path matcher as written; len 0: none, or "*" */
};

/* By Caddy's table of directives; of the same directive: path matchers with the longest path first
 * ("/foo" before "/foo*"), then "*" and no matcher; else by slot, which is the order of the file.
 */
void order_sort(struct order_row *rows, size_t n);

#endif
