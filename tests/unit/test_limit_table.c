/* Buckets of tokens: exact to the nanosecond, many keys, a full table, several threads; and what
 * threads share by number. */
#include "handlers/limit_table.h"

#include "base/alloc.h"
#include "base/shared.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S UINT64_C(1000000000)

static uint64_t take(struct limit_table *t, const char *key, uint64_t now)
{
    return limit_table_take(t, str_of(key), now);
}

static void fills_and_empties(void **state)
{
    /* 3 at once, one more every 10 s */
    const struct limit_rule rule = {10 * S, 30 * S, 16};
    struct limit_table *t = limit_table_new(&rule);
    uint64_t now = 1000 * S;

    (void)state;
    for (int i = 0; i < 3; i++)
        assert_int_equal(take(t, "a", now), 0);
    assert_int_equal(take(t, "a", now), 10 * S);
    assert_int_equal(take(t, "a", now + 1), 10 * S - 1); /* what is refused costs nothing */
    assert_int_equal(take(t, "b", now), 0);              /* another key */
    assert_int_equal(take(t, "a", now + 10 * S - 1), 1);
    assert_int_equal(take(t, "a", now + 10 * S), 0);
    assert_int_equal(take(t, "a", now + 10 * S), 10 * S);
    assert_int_equal(take(t, "a", now + 25 * S), 0);
    assert_int_equal(take(t, "a", now + 25 * S), 5 * S);
    for (int i = 0; i < 3; i++) /* full again, and not fuller */
        assert_int_equal(take(t, "a", now + 900 * S), 0);
    assert_int_equal(take(t, "a", now + 900 * S), 10 * S);
    assert_int_equal(take(t, "", now), 0);
    limit_table_free(t);
}

static void takes_one_at_a_time(void **state)
{
    const struct limit_rule rule = {S, S, 1};
    struct limit_table *t = limit_table_new(&rule);

    (void)state;
    for (uint64_t now = 5 * S; now < 50 * S; now += S) {
        assert_int_equal(take(t, "a", now), 0);
        assert_int_equal(take(t, "a", now), S);
        assert_int_equal(take(t, "a", now + S / 2), S / 2);
    }
    limit_table_free(t);
}

static void goes_by_the_rate_in_the_long_run(void **state)
{
    /* 7 in a minute, 20 at once; asked every 100 ms for an hour */
    const struct limit_rule rule = {60 * S / 7, 20 * (60 * S / 7), 16};
    struct limit_table *t = limit_table_new(&rule);
    unsigned n = 0;

    (void)state;
    for (uint64_t now = S; now < 3601 * S; now += S / 10)
        n += take(t, "a", now) == 0;
    assert_int_equal(n, 20 + 60 * 7 - 1); /* the hour ends just before a token */
    limit_table_free(t);
}

static void forgets_who_took_least_when_full(void **state)
{
    const struct limit_rule rule = {S, 10 * S, LIMIT_SET}; /* one set */
    struct limit_table *t = limit_table_new(&rule);
    char key[16];

    (void)state;
    for (int i = 0; i < LIMIT_SET; i++) { /* key i takes i % 8 + 2 tokens */
        snprintf(key, sizeof key, "%d", i);
        for (int j = 0; j < i % 8 + 2; j++)
            assert_int_equal(take(t, key, S), 0);
    }
    /* A thousand strangers push out those that took little, and each other. */
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "x%d", i);
        assert_int_equal(take(t, key, S), 0);
    }
    for (int i = 0; i < LIMIT_SET; i++) {
        unsigned left = 0;

        if (i % 8 == 0) /* one of the two was pushed out, in favour of strangers */
            continue;
        snprintf(key, sizeof key, "%d", i);
        while (take(t, key, S) == 0)
            left++;
        assert_int_equal(left, 10 - (i % 8 + 2));
    }
    /* A stranger does not inherit what was taken by whom it pushed out. */
    for (int i = 0; i < 10; i++)
        assert_int_equal(take(t, "new", S), 0);
    assert_int_equal(take(t, "new", S), S);
    limit_table_free(t);
}

static void keeps_many_keys_apart(void **state)
{
    const struct limit_rule rule = {S, 2 * S, 32 * 1024};
    struct limit_table *t = limit_table_new(&rule);
    unsigned wrong = 0;
    char key[16];

    (void)state;
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < 10000; i++) {
            snprintf(key, sizeof key, "%d", i);
            wrong += (take(t, key, S) == 0) != (round < 2);
        }
    /* A set of 16 gets 5 keys on average: hardly one overflows. */
    assert_true(wrong < 10);
    limit_table_free(t);
}

enum { THREADS = 4, TURNS = 20000 };

static struct limit_table *table;
static atomic_uint taken;

static void *take_often(void *arg)
{
    char key[16];

    (void)arg;
    for (int i = 0; i < TURNS; i++) {
        snprintf(key, sizeof key, "%d", i % 7);
        if (take(table, key, S) == 0)
            atomic_fetch_add(&taken, 1);
    }
    return NULL;
}

static void counts_for_all_threads(void **state)
{
    const struct limit_rule rule = {1, 1000, 64}; /* 1000 tokens, and the clock stands still */
    pthread_t threads[THREADS];

    (void)state;
    table = limit_table_new(&rule);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_often, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    /* A key may have got two places, when two threads came first at once. */
    assert_true(taken >= 7 * 1000);
    assert_true(taken <= 7 * 1000 * 2);
    limit_table_free(table);
}

static void is_shared_by_number(void **state)
{
    const struct limit_rule rule = {S, S, 16};
    struct shared *s = shared_new();
    struct limit_table *a = shared_get(s, 1, &limit_table_type, &rule);
    struct limit_table *b = shared_get(s, 1 + 1024, &limit_table_type, &rule);

    (void)state;
    assert_ptr_not_equal(a, b);
    assert_int_equal(take(a, "k", S), 0);
    assert_ptr_equal(shared_get(s, 1, &limit_table_type, &rule), a);
    shared_put(s, 1, &limit_table_type);
    assert_int_equal(take(a, "k", S), S); /* somebody holds it still */
    shared_put(s, 1, &limit_table_type);
    shared_put(s, 1 + 1024, &limit_table_type);
    a = shared_get(s, 1, &limit_table_type, &rule); /* anew */
    assert_int_equal(take(a, "k", S), 0);
    shared_put(s, 1, &limit_table_type);
    shared_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fills_and_empties),
        cmocka_unit_test(takes_one_at_a_time),
        cmocka_unit_test(goes_by_the_rate_in_the_long_run),
        cmocka_unit_test(forgets_who_took_least_when_full),
        cmocka_unit_test(keeps_many_keys_apart),
        cmocka_unit_test(counts_for_all_threads),
        cmocka_unit_test(is_shared_by_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
