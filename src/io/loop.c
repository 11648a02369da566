#include "io/loop.h"

#include "base/alloc.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
    BATCH = 256,
    TASK_ROUNDS = 16, /* of tasks and what they queue, before events and timers get their turn */
    LATE_MS = 5       /* of a turn: a round each, and no more */
};

struct loop {
    int epoll_fd;
    bool stopping;
    uint64_t now_ms;
    int64_t wall_s;
    struct timer **heap; /* 1-based; the earliest is heap[1] */
    size_t n_timers;
    size_t heap_cap;
    uint64_t n_set; /* times that timers were set */
    struct task *first_task;
    struct task **last_task;
    size_t n_tasks;
    bool idle;
    int n_events; /* of the batch at hand */
    struct epoll_event events[BATCH];
};

static uint64_t ms_of(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void update_now(struct loop *l)
{
    struct timespec t;

    l->now_ms = ms_of(CLOCK_MONOTONIC);
    clock_gettime(CLOCK_REALTIME_COARSE, &t);
    l->wall_s = t.tv_sec;
}

struct loop *loop_new(struct err *e)
{
    struct loop *l = xalloc(sizeof *l);

    l->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (l->epoll_fd == -1) {
        err_sys(e, "epoll_create1");
        free(l);
        return NULL;
    }
    l->last_task = &l->first_task;
    update_now(l);
    return l;
}

void loop_free(struct loop *l)
{
    if (l == NULL)
        return;
    close(l->epoll_fd);
    free(l->heap);
    free(l);
}

static int control(struct loop *l, int op, struct event_source *src, uint32_t events, struct err *e)
{
    struct epoll_event ev = {.events = events, .data.ptr = src};

    if (epoll_ctl(l->epoll_fd, op, src->fd, &ev) == -1)
        return err_sys(e, "epoll_ctl");
    return 0;
}

int loop_add(struct loop *l, struct event_source *src, uint32_t events, struct err *e)
{
    return control(l, EPOLL_CTL_ADD, src, events, e);
}

int loop_mod(struct loop *l, struct event_source *src, uint32_t events, struct err *e)
{
    return control(l, EPOLL_CTL_MOD, src, events, e);
}

void loop_del(struct loop *l, struct event_source *src)
{
    control(l, EPOLL_CTL_DEL, src, 0, NULL);
    for (int i = 0; i < l->n_events; i++)
        if (l->events[i].data.ptr == src)
            l->events[i].data.ptr = NULL;
}

/* ---- timers: a binary heap by due time ---- */

static void place(struct loop *l, size_t slot, struct timer *t)
{
    l->heap[slot] = t;
    t->slot = slot;
}

static bool is_sooner(const struct timer *a, const struct timer *b)
{
    return a->due_ms != b->due_ms ? a->due_ms < b->due_ms : a->number < b->number;
}

static void sift_up(struct loop *l, size_t slot, struct timer *t)
{
    while (slot > 1 && is_sooner(t, l->heap[slot / 2])) {
        place(l, slot, l->heap[slot / 2]);
        slot /= 2;
    }
    place(l, slot, t);
}

static void sift_down(struct loop *l, size_t slot, struct timer *t)
{
    for (;;) {
        size_t child = slot * 2;

        if (child < l->n_timers && is_sooner(l->heap[child + 1], l->heap[child]))
            child++;
        if (child > l->n_timers || !is_sooner(l->heap[child], t))
            break;
        place(l, slot, l->heap[child]);
        slot = child;
    }
    place(l, slot, t);
}

void timer_cancel(struct loop *l, struct timer *t)
{
    struct timer *last;
    size_t slot = t->slot;

    if (slot == 0)
        return;
    assert(l->heap[slot] == t);
    t->slot = 0;
    last = l->heap[l->n_timers--];
    if (last == t)
        return;
    if (slot > 1 && is_sooner(last, l->heap[slot / 2]))
        sift_up(l, slot, last);
    else
        sift_down(l, slot, last);
}

void timer_set(struct loop *l, struct timer *t, uint64_t delay_ms)
{
    timer_cancel(l, t);
    if (l->n_timers + 2 > l->heap_cap) {
        l->heap_cap = l->heap_cap == 0 ? 64 : l->heap_cap * 2;
        l->heap = xrealloc_array(l->heap, l->heap_cap, sizeof *l->heap);
    }
    t->due_ms = l->now_ms + delay_ms;
    t->number = l->n_set++;
    sift_up(l, ++l->n_timers, t);
}

static bool is_due(const struct loop *l, uint64_t before)
{
    return l->n_timers > 0 && l->heap[1]->due_ms <= l->now_ms && l->heap[1]->number < before;
}

/* Those that timers set are behind all others that are due, and wait for the next turn: one that is
 * set to 0 again and again would keep everybody else waiting. */
static void run_timers(struct loop *l)
{
    const uint64_t before = l->n_set;

    while (is_due(l, before)) {
        struct timer *t = l->heap[1];

        timer_cancel(l, t);
        t->on_timer(t);
    }
}

static int wait_ms(const struct loop *l)
{
    uint64_t ms;

    if (l->stopping || l->n_tasks > 0)
        return 0;
    if (l->n_timers == 0)
        return -1;
    ms = l->heap[1]->due_ms <= l->now_ms ? 0 : l->heap[1]->due_ms - l->now_ms;
    return ms > INT_MAX ? INT_MAX : (int)ms;
}

/* ---- tasks ---- */

void loop_post(struct loop *l, struct task *t)
{
    if (t->queued)
        return;
    t->queued = true;
    t->next = NULL;
    *l->last_task = t;
    l->last_task = &t->next;
    l->n_tasks++;
}

void loop_unpost(struct loop *l, struct task *t)
{
    struct task **at = &l->first_task;

    if (!t->queued)
        return;
    while (*at != t)
        at = &(*at)->next;
    *at = t->next;
    if (l->last_task == &t->next)
        l->last_task = at;
    t->queued = false;
    l->n_tasks--;
}

static void run_first(struct loop *l)
{
    struct task *t = l->first_task;

    loop_unpost(l, t);
    t->run(t);
}

/* What tasks queue runs as well, unless it goes on: two that queue each other for as long as a peer
 * sends would keep the events and timers of everybody else waiting. */
static void run_tasks(struct loop *l)
{
    for (int round = 0; round < TASK_ROUNDS && (round == 0 || !loop_is_late(l)); round++)
        for (size_t most = l->n_tasks; most > 0 && l->n_tasks > 0; most--)
            run_first(l);
}

/* ---- the loop ---- */

static void dispatch(struct loop *l)
{
    for (int i = 0; i < l->n_events; i++) {
        struct event_source *src = l->events[i].data.ptr;

        if (src != NULL)
            src->on_event(src, l->events[i].events);
    }
    l->n_events = 0;
}

int loop_run(struct loop *l, struct err *e)
{
    l->stopping = false;
    while (!l->stopping) {
        int n;

        run_tasks(l);
        n = epoll_wait(l->epoll_fd, l->events, BATCH, wait_ms(l));
        if (n == -1 && errno != EINTR)
            return err_sys(e, "epoll_wait");
        l->n_events = n == -1 ? 0 : n;
        l->idle = n == 0 && l->n_tasks == 0;
        update_now(l);
        dispatch(l);
        run_timers(l);
    }
    run_tasks(l); /* not to their end: there may be none */
    return 0;
}

void loop_stop(struct loop *l)
{
    l->stopping = true;
}

uint64_t loop_now_ms(const struct loop *l)
{
    return l->now_ms;
}

int64_t loop_wall_s(const struct loop *l)
{
    return l->wall_s;
}

/* The coarse clock is behind, by a few milliseconds at most. */
bool loop_is_late(const struct loop *l)
{
    return ms_of(CLOCK_MONOTONIC_COARSE) >= l->now_ms + LATE_MS;
}

bool loop_is_idle(const struct loop *l)
{
    return l->idle;
}
