/* The log directive of a site, and the logs that sites have. */
#ifndef LINTEL_CONF_LOG_DIRECTIVE_H
#define LINTEL_CONF_LOG_DIRECTIVE_H

#include "conf/build.h"

/* A row of conf.logs to be. */
struct log_draft {
    struct log_conf conf;
    struct str name; /* by which log_name knows it; may be empty */
    struct token at;
};

/* A log of a site. */
struct site_log_draft {
    size_t log; /* in conf_builder.logs */
    struct str *hosts;
    size_t n_hosts;
};

/* Where a handler names a log. */
struct log_use {
    struct token at;
    const struct log_conf **out;
};

int log_directive_set(const struct directive_args *d);

/* The rows, and what refers to them: the sites, and the handlers that name one. */
void log_compile(struct conf_builder *b, struct conf *conf);

#endif
