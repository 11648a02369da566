/* The log directive of a site. */
#ifndef LINTEL_CONF_LOG_DIRECTIVE_H
#define LINTEL_CONF_LOG_DIRECTIVE_H

#include "conf/build.h"

/* A row of conf.logs to be. */
struct log_draft {
    struct log_conf conf; /* path NULL: discard */
    uint32_t hash;        /* of the path */
};

int log_directive_set(const struct directive_args *d);

#endif
