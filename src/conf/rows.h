/* Rows of handlers while they are made: the routes of sites and of blocks, named routes, and the
 * handlers that rows run. Lives only during a load; main thread. */
#ifndef LINTEL_CONF_ROWS_H
#define LINTEL_CONF_ROWS_H

#include "base/map.h"
#include "conf/directive.h"
#include "conf/order.h"

/* A route to be, in the order of the file. In the scratch arena. */
struct rows {
    struct order_row *list;
    size_t n, cap;
};

/* Directives that say the same share one handler: what a snippet says is compiled once, however
 * many sites import it. Not those that are more than they say: whose row has "own", that asked for
 * an identity (directive_identity()) or changed their matcher; nor what these stand in. */
struct handlers {
    struct handler_conf *list; /* by slot */
    size_t n, cap;
    struct map shared;       /* what a directive says -> its slot */
    struct map routes;       /* the bytes of the rows -> the rows */
    unsigned n_own;          /* how many of those that are not shared were met */
    const char *file_source; /* the file of the last one... */
    struct str file;         /* ...and its copy in the configuration's arena */
};

struct named_route {
    struct str name;
    const struct node *node; /* "&(name) { ... }" */
    struct route *route;     /* in the configuration's arena; filled in when all are known */
};

struct named_routes {
    struct named_route **list;
    size_t n, cap;
    struct map by_name;
};

/* Compiles a directive that makes a handler and adds its row to b->rows, or to the errors of the
 * site. What is wrong goes to b->diag. */
void rows_add(struct conf_builder *b, const struct directive *row, const struct node *node);

/* Sorted, or as they are. */
struct route rows_compile(struct conf_builder *b, struct rows *rows, bool sorted);

/* Remembers a top-level block "&(name)"; named_routes_build() compiles them all. */
void named_routes_add(struct conf_builder *b, const struct node *node);
void named_routes_build(struct conf_builder *b);

#endif
