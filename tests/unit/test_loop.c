/* The loop: the order of timers, tasks that queue tasks, and that nobody keeps it for himself. */
#include "base/alloc.h"
#include "io/loop.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

static struct loop *loop;
static char order[16];
static size_t n_order;
static unsigned runs;

static int set_up(void **state)
{
    struct err e;

    (void)state;
    n_order = runs = 0;
    loop = loop_new(&e);
    return loop == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    loop_free(loop);
    return 0;
}

static void go(void)
{
    struct err e;

    assert_int_equal(loop_run(loop, &e), 0);
    order[n_order] = '\0';
}

static void stop(struct timer *t)
{
    (void)t;
    loop_stop(loop);
}

struct noted_timer {
    struct timer timer;
    char name;
};

static void note(struct timer *t)
{
    order[n_order++] = ((struct noted_timer *)t)->name;
}

static void timers_come_in_their_order(void **state)
{
    struct noted_timer a = {{.on_timer = note}, 'a'};
    struct noted_timer b = {{.on_timer = note}, 'b'};
    struct noted_timer c = {{.on_timer = note}, 'c'};
    struct timer last = {.on_timer = stop};

    (void)state;
    timer_set(loop, &last, 40);
    timer_set(loop, &c.timer, 1);
    timer_set(loop, &a.timer, 0);
    timer_set(loop, &b.timer, 15);
    timer_set(loop, &c.timer, 30); /* moved */
    go();
    assert_string_equal(order, "abc");
    timer_set(loop, &last, 5);
    timer_set(loop, &a.timer, 0);
    timer_cancel(loop, &a.timer);
    timer_cancel(loop, &a.timer);
    go();
    assert_string_equal(order, "abc");
}

struct chain {
    struct task task;
    struct chain *next; /* queued by this one */
    char name;
};

static void run_and_queue(struct task *t)
{
    struct chain *c = (struct chain *)t;

    order[n_order++] = c->name;
    if (c->next != NULL)
        loop_post(loop, &c->next->task);
}

static void tasks_of_tasks_come_before_events(void **state)
{
    struct chain c = {{.run = run_and_queue}, NULL, 'c'};
    struct chain b = {{.run = run_and_queue}, &c, 'b'};
    struct chain a = {{.run = run_and_queue}, &b, 'a'};
    struct noted_timer t = {{.on_timer = note}, 't'};
    struct timer last = {.on_timer = stop};

    (void)state;
    timer_set(loop, &t.timer, 0);
    timer_set(loop, &last, 1);
    loop_post(loop, &a.task);
    loop_post(loop, &a.task); /* once */
    go();
    assert_string_equal(order, "abct");
}

static void a_task_is_taken_back(void **state)
{
    struct chain a = {{.run = run_and_queue}, NULL, 'a'};
    struct chain b = {{.run = run_and_queue}, NULL, 'b'};
    struct timer last = {.on_timer = stop};

    (void)state;
    timer_set(loop, &last, 1);
    loop_post(loop, &a.task);
    loop_post(loop, &b.task);
    loop_unpost(loop, &b.task);
    loop_unpost(loop, &b.task);
    go();
    assert_string_equal(order, "a");
    loop_post(loop, &b.task);
    timer_set(loop, &last, 1);
    go();
    assert_string_equal(order, "ab");
}

static struct task busy;

static void queue_again(struct task *t)
{
    runs++;
    if (runs < 1000 * 1000)
        loop_post(loop, t);
}

static void on_event(struct event_source *src, uint32_t events)
{
    (void)events;
    loop_del(loop, src);
    loop_unpost(loop, &busy);
    loop_stop(loop);
}

/* As two ends of a stream do while bytes come faster than they are passed on. */
static void no_task_keeps_events_waiting(void **state)
{
    struct event_source src = {eventfd(1, EFD_CLOEXEC), on_event};
    struct err e;

    (void)state;
    busy.run = queue_again;
    loop_post(loop, &busy);
    assert_int_equal(loop_add(loop, &src, EPOLLIN, &e), 0);
    go();
    assert_in_range(runs, 1, 1000);
    close(src.fd);
}

static void stop_all(struct timer *t)
{
    (void)t;
    loop_unpost(loop, &busy);
    loop_stop(loop);
}

static void no_task_keeps_timers_waiting(void **state)
{
    struct timer t = {.on_timer = stop_all};

    (void)state;
    busy.run = queue_again;
    loop_post(loop, &busy);
    timer_set(loop, &t, 0);
    go();
    assert_in_range(runs, 1, 1000);
}

static struct timer sleepers[1000];

static void set_again(struct timer *t)
{
    runs++;
    timer_set(loop, t, 0);
}

static void note_end(struct event_source *src, uint32_t events)
{
    (void)events;
    loop_del(loop, src);
    loop_stop(loop);
}

/* However many there are. */
static void no_timer_keeps_events_waiting(void **state)
{
    struct event_source src = {eventfd(1, EFD_CLOEXEC), note_end};
    struct timer again = {.on_timer = set_again};
    struct err e;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
        timer_set(loop, &sleepers[i], 60 * 1000);
    timer_set(loop, &again, 0);
    assert_int_equal(loop_add(loop, &src, EPOLLIN, &e), 0);
    go();
    assert_int_equal(runs, 1);
    for (size_t i = 0; i < ARRAY_LEN(sleepers); i++)
        timer_cancel(loop, &sleepers[i]);
    close(src.fd);
}

/* Those due at the same time come in the order in which they were set. */
static void timers_take_turns(void **state)
{
    struct noted_timer t[5];
    struct timer last = {.on_timer = stop};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(t); i++) {
        t[i] = (struct noted_timer){{.on_timer = note}, (char)('a' + i)};
        timer_set(loop, &t[i].timer, 0);
    }
    timer_set(loop, &t[1].timer, 0);
    timer_set(loop, &last, 0);
    go();
    assert_string_equal(order, "acdeb");
}

static void no_task_keeps_the_loop_from_its_end(void **state)
{
    struct timer last = {.on_timer = stop};

    (void)state;
    busy.run = queue_again;
    loop_post(loop, &busy);
    timer_set(loop, &last, 0);
    go();
    assert_in_range(runs, 1, 1000);
    loop_unpost(loop, &busy);
}

static void queue_slowly(struct task *t)
{
    runs++;
    while (!loop_is_late(loop))
        continue;
    loop_post(loop, t);
}

/* What takes long has one round in a turn. */
static void slow_tasks_have_a_round_a_turn(void **state)
{
    struct timer t = {.on_timer = stop_all};

    (void)state;
    busy.run = queue_slowly;
    loop_post(loop, &busy);
    timer_set(loop, &t, 0);
    go();
    assert_int_equal(runs, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(timers_come_in_their_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(tasks_of_tasks_come_before_events, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_task_is_taken_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_task_keeps_events_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_task_keeps_timers_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_timer_keeps_events_waiting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(timers_take_turns, set_up, tear_down),
        cmocka_unit_test_setup_teardown(no_task_keeps_the_loop_from_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(slow_tasks_have_a_round_a_turn, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
