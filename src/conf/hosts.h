/* The host table of a listener: a hash with open addressing, made once. listener_find (conf/conf.h)
 * reads it. */
#ifndef LINTEL_CONF_HOSTS_H
#define LINTEL_CONF_HOSTS_H

#include "conf/conf.h"

/* Fills in buckets, n_buckets and any of l. The hosts of the entries differ from each other. */
void hosts_build(struct arena *a, struct listener_conf *l, const struct host_entry *entries,
                 size_t n);

#endif
