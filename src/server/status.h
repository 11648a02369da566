/* What the running server tells of itself: "lintel status". Main thread. */
#ifndef LINTEL_SERVER_STATUS_H
#define LINTEL_SERVER_STATUS_H

#include "server/worker.h"

/* A JSON object, malloc'ed, with a newline at its end:
 *
 *   workers      how many there are
 *   file_cache   the sums of their struct file_cache_stats
 */
char *status_json(struct worker *const *workers, unsigned n);

#endif
