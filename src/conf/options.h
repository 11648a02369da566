/* What the files of the global options share. */
#ifndef LINTEL_CONF_OPTIONS_H
#define LINTEL_CONF_OPTIONS_H

#include "conf/build.h"

/* The first argument as a duration within bounds. */
int options_duration(const struct directive_args *d, uint64_t min_ms, uint64_t max_ms,
                     uint64_t *ms);

/* "servers": conf/options_servers.c. */
int options_servers_set(const struct directive_args *d);

/* "file_cache": conf/options_file_cache.c. */
int options_file_cache_set(const struct directive_args *d);
extern const struct directive options_file_cache_options[];

#endif
