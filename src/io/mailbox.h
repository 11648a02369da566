/* The one way from thread to thread: a queue of messages and an eventfd that wakes the loop of
 * the thread that owns the box. */
#ifndef LINTEL_IO_MAILBOX_H
#define LINTEL_IO_MAILBOX_H

#include "io/loop.h"

#include <pthread.h>

/* A message: embedded in what it carries. Whoever delivers it owns it from then on. */
struct mail {
    struct mail *next;
    void (*deliver)(struct mail *m, void *owner); /* called in the owner's thread */
};

struct mailbox {
    struct event_source src;
    struct loop *loop;
    void *owner;
    pthread_mutex_t lock; /* guards the queue, nothing else */
    struct mail *first;
    struct mail **last;
};

/* Opens the box on the owner's loop; owner is handed to every deliver(). */
MUST_CHECK int mailbox_init(struct mailbox *mb, struct loop *l, void *owner, struct err *e);

/* Delivers what is still queued, then closes. The owner's thread; no post may come after. */
void mailbox_fini(struct mailbox *mb);

/* Gives m away. Any thread; never blocks for longer than another post takes. */
void mailbox_post(struct mailbox *mb, struct mail *m);

#endif
