/* What "browse" of a file_server says. */
#ifndef LINTEL_HANDLERS_BROWSE_CONF_H
#define LINTEL_HANDLERS_BROWSE_CONF_H

#include "conf/directive.h"
#include "handlers/browse_template.h"

enum { BROWSE_LIMIT = 10 * 1000, BROWSE_LIMIT_MOST = 1000 * 1000 };

struct browse_conf {
    const struct browse_template *page;
    bool is_own; /* page is not ours */
    bool reveal; /* where links lead */
    size_t limit;
    enum browse_sort sort;
    bool descending;
};

/* As after "file_server browse". */
void browse_conf_init(struct browse_conf *conf);

/* The set function of the option; target: a zeroed struct browse_conf. */
int browse_conf_set(const struct directive_args *d);
extern const struct directive browse_options[];

/* The words for a sort and an order: those of queries and of the configuration. False: none of
 * them. */
bool browse_sort_parse(struct str s, enum browse_sort *out);
bool browse_order_parse(struct str s, bool *descending);

void browse_conf_describe(const struct browse_conf *conf, struct describer *out);

#endif
