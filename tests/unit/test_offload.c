/* The pool of helper threads: results come home, the queue has a ceiling, jobs can be taken back.
 */
#include "base/alloc.h"
#include "io/offload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static struct loop *loop;
static struct mailbox box;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* held: jobs wait in run() */
static atomic_uint begun, ran;
static unsigned done, awaited;
static pthread_t home;

static int set_up(void **state)
{
    struct err e;

    (void)state;
    begun = ran = done = awaited = 0;
    home = pthread_self();
    loop = loop_new(&e);
    return loop == NULL ? -1 : mailbox_init(&box, loop, NULL, &e);
}

static int tear_down(void **state)
{
    (void)state;
    mailbox_fini(&box);
    loop_free(loop);
    return 0;
}

static void run(struct offload_job *j)
{
    (void)j;
    atomic_fetch_add(&begun, 1);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    atomic_fetch_add(&ran, 1);
}

static void on_done(struct offload_job *j)
{
    (void)j;
    assert_true(pthread_equal(pthread_self(), home));
    if (++done == awaited)
        loop_stop(loop);
}

#define JOB                                                                                        \
    {                                                                                              \
        .run = run, .done = on_done                                                                \
    }

static void await(unsigned n)
{
    struct err e;

    awaited = n;
    if (done < n)
        assert_int_equal(loop_run(loop, &e), 0);
    assert_int_equal(done, n);
}

static void await_begun(unsigned n)
{
    while (atomic_load(&begun) < n)
        sched_yield();
}

static void runs_jobs_and_comes_home(void **state)
{
    struct offload *o = offload_new(2, 16);
    struct offload_job jobs[10];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(jobs); i++) {
        jobs[i] = (struct offload_job)JOB;
        assert_true(offload_start(o, &box, &jobs[i]));
    }
    await(ARRAY_LEN(jobs));
    assert_int_equal(atomic_load(&ran), ARRAY_LEN(jobs));
    offload_wait(o, &box);
    offload_free(o);
}

static void has_a_ceiling(void **state)
{
    struct offload *o = offload_new(1, 2);
    struct offload_job a = JOB, b = JOB, c = JOB, d = JOB;

    (void)state;
    pthread_mutex_lock(&gate);
    assert_true(offload_start(o, &box, &a));
    await_begun(1); /* the only helper is busy */
    assert_true(offload_start(o, &box, &b));
    assert_true(offload_start(o, &box, &c));
    assert_false(offload_start(o, &box, &d));
    pthread_mutex_unlock(&gate);
    await(3);
    assert_true(offload_start(o, &box, &d));
    await(4);
    offload_free(o);
}

static void takes_jobs_back(void **state)
{
    struct offload *o = offload_new(1, 8);
    struct offload_job a = JOB, b = JOB, c = JOB, d = JOB;

    (void)state;
    pthread_mutex_lock(&gate);
    assert_true(offload_start(o, &box, &a));
    await_begun(1);
    assert_true(offload_start(o, &box, &b));
    assert_true(offload_start(o, &box, &c));
    assert_false(offload_cancel(o, &a)); /* it runs */
    assert_true(offload_cancel(o, &c));  /* the last one */
    assert_false(offload_cancel(o, &c));
    assert_true(offload_start(o, &box, &d));
    assert_true(offload_cancel(o, &b)); /* the first one */
    pthread_mutex_unlock(&gate);
    await(2); /* a and d */
    assert_int_equal(atomic_load(&ran), 2);
    assert_false(offload_cancel(o, &d));
    offload_free(o);
}

static void waits_for_those_of_one_home(void **state)
{
    struct offload *o = offload_new(1, 8);
    struct offload_job a = JOB, b = JOB;
    struct mailbox other;
    struct err e;

    (void)state;
    assert_int_equal(mailbox_init(&other, loop, NULL, &e), 0);
    pthread_mutex_lock(&gate);
    assert_true(offload_start(o, &other, &a));
    assert_true(offload_start(o, &other, &b));
    await_begun(1);
    offload_wait(o, &box); /* has none */
    pthread_mutex_unlock(&gate);
    offload_wait(o, &other);
    assert_int_equal(atomic_load(&ran), 2);
    mailbox_fini(&other); /* delivers */
    assert_int_equal(done, 2);
    offload_free(o);
}

static void may_have_had_nothing_to_do(void **state)
{
    (void)state;
    offload_free(offload_new(2, 1));
    offload_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(runs_jobs_and_comes_home, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_a_ceiling, set_up, tear_down),
        cmocka_unit_test_setup_teardown(takes_jobs_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(waits_for_those_of_one_home, set_up, tear_down),
        cmocka_unit_test(may_have_had_nothing_to_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
