/* Work that takes long, done away from the loops: a few helper threads, a queue with a ceiling, and
 * the result by mail. The threads are started by the first job, so that a server without such work
 * has none.
 *
 * The life of a job, which is embedded in what it works on:
 *  1. offload_start() queues it; from then on only a helper thread touches what it works on.
 *  2. Taken back in time by offload_cancel(), it never runs and is its owner's again.
 *  3. Otherwise run() is called in a helper thread, and then done() by mail in the owner's thread,
 *     which has it back. Nobody waits for a job that runs: an owner that has lost interest in one
 *     notes that in what done() looks at. */
#ifndef LINTEL_IO_OFFLOAD_H
#define LINTEL_IO_OFFLOAD_H

#include "io/mailbox.h"

struct offload;

struct offload_job {
    struct mail mail;
    struct offload_job *next; /* in the queue */
    struct mailbox *home;
    void (*run)(struct offload_job *j);  /* in a helper thread */
    void (*done)(struct offload_job *j); /* in the thread of home */
};

/* At most `threads` helpers, and at most queue_max jobs that wait for one. */
struct offload *offload_new(unsigned threads, size_t queue_max);

/* Waits for the jobs that run; none may be queued any more. NULL is fine. */
void offload_free(struct offload *o);

/* ---- from any thread ---- */

/* False if the queue is full, or no thread can be had: nothing has happened then. Does not block.
 */
MUST_CHECK bool offload_start(struct offload *o, struct mailbox *home, struct offload_job *j);

/* True if j had not begun: it will not. False: done() will be called, or has been. */
MUST_CHECK bool offload_cancel(struct offload *o, struct offload_job *j);

/* Blocks until no job with that home is queued or runs: the box gets no more mail from here and may
 * be closed. Nothing new may be started for it. */
void offload_wait(struct offload *o, const struct mailbox *home);

#endif
