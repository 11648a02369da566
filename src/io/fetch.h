/* The transport by libcurl, and the only place that knows it: for https:// and HTTP/2, for ACME
 * servers, and wherever nothing faster is to be had. One fetcher (a curl multi handle) per loop. */
#ifndef LINTEL_IO_FETCH_H
#define LINTEL_IO_FETCH_H

#include "io/loop.h"
#include "io/transfer.h"

struct fetcher;

/* max_idle: connections kept open for reuse, in all. */
struct fetcher *fetcher_new(struct loop *l, unsigned max_idle, struct err *e);
void fetcher_free(struct fetcher *fr); /* cancels what is under way: no callback is called */

/* The fetcher as what carries transfers. */
struct transport *fetcher_transport(struct fetcher *fr);

/* libcurl's. */
const char *fetch_version(void);

#endif
