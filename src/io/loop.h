/* One epoll loop of one thread: event sources, timers and tasks. Everything here belongs to the
 * thread that runs the loop; other threads reach it through io/mailbox.h only. */
#ifndef LINTEL_IO_LOOP_H
#define LINTEL_IO_LOOP_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop;

/* A file descriptor that is watched; embedded in what owns the descriptor. */
struct event_source {
    int fd;
    void (*on_event)(struct event_source *src, uint32_t events); /* EPOLLIN, EPOLLOUT, ... */
};

/* Called once, at the time set; may be set again from its own callback. Zeroed = not set. */
struct timer {
    uint64_t due_ms;
    uint64_t number; /* of the times that any was set: those due at once come in this order */
    size_t slot;     /* 0: not set; else the place in the loop's heap */
    void (*on_timer)(struct timer *t);
};

/* Work for the end of the batch at hand, before the loop sleeps again. Zeroed = not queued. */
struct task {
    struct task *next;
    bool queued;
    void (*run)(struct task *t);
};

struct loop *loop_new(struct err *e);
void loop_free(struct loop *l); /* the sources stay their owners' */

/* Handles events until loop_stop() was called (from a callback). Returns 0, or -1 if epoll
 * itself failed. */
MUST_CHECK int loop_run(struct loop *l, struct err *e);
void loop_stop(struct loop *l);

/* Starts, changes and ends the watching of src->fd. After loop_del() no callback comes any more,
 * not even for an event of the batch at hand: src may be freed at once. */
MUST_CHECK int loop_add(struct loop *l, struct event_source *src, uint32_t events, struct err *e);
MUST_CHECK int loop_mod(struct loop *l, struct event_source *src, uint32_t events, struct err *e);
void loop_del(struct loop *l, struct event_source *src);

/* Sets (or moves) a timer to delay_ms from now; 0 fires after the events at hand, or, set by a
 * timer, in the next turn. */
void timer_set(struct loop *l, struct timer *t, uint64_t delay_ms);
void timer_cancel(struct loop *l, struct timer *t); /* no harm if it is not set */

/* Queues t once; a task queued by a task runs in the same batch, but for what goes on and on. */
void loop_post(struct loop *l, struct task *t);
void loop_unpost(struct loop *l, struct task *t);

/* Milliseconds of the monotonic clock, and seconds of the wall clock, as of this batch. */
uint64_t loop_now_ms(const struct loop *l);
int64_t loop_wall_s(const struct loop *l);
/* Whether this turn began with no event: it would have slept, but for a timer. */
bool loop_is_idle(const struct loop *l);
/* Whether this turn has taken so long that who could go on should let the others have theirs. Costs
 * next to nothing. */
bool loop_is_late(const struct loop *l);

#endif
