/* What the running server tells of itself: "lintel status". Main thread. */
#ifndef LINTEL_SERVER_STATUS_H
#define LINTEL_SERVER_STATUS_H

#include "server/worker.h"

/* A JSON object, malloc'ed, with a newline at its end:
 *
 *   workers          how many there are
 *   connections      of clients, at the moment
 *   max_connections  how many there may be
 *   file_cache       the sums of the workers' struct file_cache_stats
 */
char *status_json(struct worker *const *workers, unsigned n, size_t connections,
                  unsigned max_connections);

#endif
