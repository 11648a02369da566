/* Signals as events of the main thread's loop. */
#ifndef LINTEL_SERVER_SIGNALS_H
#define LINTEL_SERVER_SIGNALS_H

#include "io/loop.h"

struct signals {
    struct event_source src;
    struct loop *loop;
    void (*on_signal)(void *arg, int number);
    void *arg;
};

/* Blocks SIGTERM, SIGINT, SIGHUP and SIGUSR1 for this thread and those it starts later, and ignores
 * SIGPIPE. To be called before the first thread, and before anything slow: a signal that comes from
 * then on is kept. */
void signals_block(void);

/* From now on on_signal(arg, number) is called in the loop. */
MUST_CHECK int signals_open(struct signals *s, struct loop *l, void (*on_signal)(void *arg, int),
                            void *arg, struct err *e);
void signals_close(struct signals *s);

#endif
