/* Access logs. Workers gather lines and mail them to the main thread, which writes them. What is
 * under way is bounded: when a disk or a reader of standard output is too slow, lines are dropped
 * and counted, and requests go on. Nothing is lost at a normal stop. */
#ifndef LINTEL_SERVER_LOG_HUB_H
#define LINTEL_SERVER_LOG_HUB_H

#include "conf/conf.h"
#include "http/service.h"
#include "io/mailbox.h"

struct log_hub;
struct log_spool;

/* ---- main thread ---- */

/* home: the main thread's mailbox, to which spools post. It must be delivered for the last time
 * before log_hub_free(). */
struct log_hub *log_hub_new(struct loop *l, struct mailbox *home);

/* Waits at most a second for readers that are slow, writes what is left, and closes all. */
void log_hub_free(struct log_hub *hub);

/* Opens the files of conf that are not open yet. On failure nothing has changed: -1 with *e set. */
MUST_CHECK int log_hub_prepare(struct log_hub *hub, const struct conf *conf, struct err *e);

/* Closes the files that conf has not, and opens the others anew: after a rotation. */
void log_hub_settle(struct log_hub *hub, const struct conf *conf);

/* ---- a worker's thread ---- */

/* Lines go from here to the hub, at the latest 100 ms after they were written. */
struct log_spool *log_spool_new(struct log_hub *hub, struct loop *l);
void log_spool_free(struct log_spool *s); /* sends what there is; NULL is fine */
struct access_log *log_spool_access_log(struct log_spool *s);

#endif
