/* Renewal, retries, polling and the window of orders. */
#include "cert/schedule.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { NOW = 1795000000, MIN = 60, HOUR = 3600, DAY = 86400 };

static void renews_when_a_third_is_left(void **state)
{
    static const int64_t lifetimes_s[] = {60,       120,      HOUR,     12 * HOUR, 6 * DAY,
                                          45 * DAY, 64 * DAY, 90 * DAY, 3600 * DAY};

    (void)state;
    for (size_t i = 0; i < sizeof lifetimes_s / sizeof lifetimes_s[0]; i++) {
        int64_t life = lifetimes_s[i], last = NOW + life - life / 3 + life / 100;

        assert_int_equal(schedule_renew_at(NOW, NOW + life, 0, 0), NOW + life - life / 3);
        for (uint32_t spread = 0; spread < UINT32_MAX - 1000000007U; spread += 1000000007U) {
            int64_t at = schedule_renew_at(NOW, NOW + life, 0, spread);

            assert_true(at >= NOW + life - life / 3 && at <= last);
        }
    }
    assert_int_equal(schedule_renew_at(NOW, NOW - 1, 0, 7), NOW - 1); /* nonsense: at once */
    assert_int_equal(schedule_renew_at(NOW, NOW, 0, 7), NOW);
}

static int64_t wait_of(enum schedule_kind kind, unsigned attempts)
{
    const struct schedule_failure f = {.kind = kind, .attempts = attempts};

    return schedule_retry_at(&f, NOW) - NOW;
}

static void follows_the_row_of_the_ca(void **state)
{
    static const int64_t minutes[] = {1,  2,  2,  5,  10, 10, 10, 20,  20,  20,  20,  30,  30,
                                      30, 30, 30, 30, 60, 60, 60, 120, 120, 180, 180, 360, 360};

    (void)state;
    for (unsigned i = 0; i < sizeof minutes / sizeof minutes[0]; i++)
        assert_int_equal(wait_of(SCHEDULE_CA, i + 1), minutes[i] * MIN);
    assert_int_equal(wait_of(SCHEDULE_CA, 0), MIN);
    assert_int_equal(wait_of(SCHEDULE_CA, 100), 6 * HOUR);
    assert_int_equal(wait_of(SCHEDULE_CA, 146), DAY); /* more than a month later */
    assert_int_equal(wait_of(SCHEDULE_CA, UINT32_MAX), DAY);
}

static void follows_the_row_of_the_network(void **state)
{
    static const int64_t seconds[] = {10,  10,  20,  30,   60,   60,   120,
                                      300, 600, 600, 1200, 1800, 3600, 3600};

    (void)state;
    for (unsigned i = 0; i < sizeof seconds / sizeof seconds[0]; i++)
        assert_int_equal(wait_of(SCHEDULE_NETWORK, i + 1), seconds[i]);
    assert_int_equal(wait_of(SCHEDULE_NETWORK, UINT32_MAX), HOUR);
}

static void spreads_by_a_tenth_at_most(void **state)
{
    int64_t most = 0;

    (void)state;
    for (uint32_t spread = 0; spread < 2000; spread++) {
        const struct schedule_failure f = {
            .kind = SCHEDULE_CA, .attempts = 5, .spread = spread * 2654435761U};
        int64_t wait = schedule_retry_at(&f, NOW) - NOW;

        assert_true(wait >= 600 && wait <= 660);
        most = wait > most ? wait : most;
    }
    assert_true(most > 650);
}

static void retry_after_is_the_least(void **state)
{
    struct schedule_failure f = {.kind = SCHEDULE_CA, .attempts = 1, .retry_after_s = 3 * HOUR};

    (void)state;
    assert_int_equal(schedule_retry_at(&f, NOW), NOW + 3 * HOUR);
    f.retry_after_s = 5;
    assert_int_equal(schedule_retry_at(&f, NOW), NOW + MIN);
    f.retry_after_s = UINT32_MAX; /* a hostile or broken CA cannot put us off for ever */
    assert_int_equal(schedule_retry_at(&f, NOW), NOW + RETRY_AFTER_MOST_S);
    f.retry_after_s = HOUR; /* also when the certificate is about to expire */
    f.not_after_s = NOW + MIN;
    f.lifetime_s = DAY;
    assert_int_equal(schedule_retry_at(&f, NOW), NOW + HOUR);
}

static const struct {
    int64_t lifetime_s, left_s, wait_s;
} urgent[] = {
    {90 * DAY, 30 * DAY, 6 * HOUR},
    {90 * DAY, DAY, 6 * HOUR},
    {90 * DAY, 4 * HOUR, HOUR},
    {90 * DAY, HOUR, 15 * MIN},
    {90 * DAY, MIN, 10 * MIN},
    {6 * DAY, 4 * MIN, 10 * MIN},
    {HOUR, 10 * MIN, 150},
    {HOUR, MIN, 36},
    {MIN, 20, 10},
    {MIN, 0, 6 * HOUR}, /* it has expired: nothing is urgent any more */
    {MIN, -50, 6 * HOUR},
};

static void hurries_before_expiry(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof urgent / sizeof urgent[0]; i++) {
        const struct schedule_failure f = {.kind = SCHEDULE_CA,
                                           .attempts = 40,
                                           .not_after_s = NOW + urgent[i].left_s,
                                           .lifetime_s = urgent[i].lifetime_s};

        assert_int_equal(schedule_retry_at(&f, NOW) - NOW, urgent[i].wait_s);
    }
}

static void polls_slower_and_slower(void **state)
{
    (void)state;
    assert_int_equal(schedule_poll_ms(0), 250);
    for (unsigned i = 1; i < 50; i++) {
        assert_true(schedule_poll_ms(i) >= schedule_poll_ms(i - 1));
        assert_true(schedule_poll_ms(i) <= POLL_MOST_MS);
    }
    assert_int_equal(schedule_poll_ms(UINT32_MAX), POLL_MOST_MS);
}

/* In any span of ORDERS_WINDOW_MS there are at most ORDERS_MAX starts. */
static void limits_orders(void **state)
{
    struct schedule_window w = {.n = 0};
    uint64_t starts[200], now = 5000;
    size_t n = 0;

    (void)state;
    while (n < 200) {
        uint64_t wait = schedule_take_order(&w, now);

        if (wait == 0)
            starts[n++] = now;
        now += wait > 0 ? wait : n % 3 * 70;
    }
    for (size_t i = ORDERS_MAX; i < n; i++)
        assert_true(starts[i] - starts[i - ORDERS_MAX] >= ORDERS_WINDOW_MS);
    assert_true(starts[9] - starts[0] < 1000); /* the first ten do not wait */
    assert_true(starts[199] - starts[0] < 200 / ORDERS_MAX * ORDERS_WINDOW_MS + 10000);
}

static void sleeps_in_bounded_steps(void **state)
{
    (void)state;
    assert_int_equal(schedule_sleep_ms(NOW, NOW, 60000), 0);
    assert_int_equal(schedule_sleep_ms(NOW - 5, NOW, 60000), 0);
    assert_int_equal(schedule_sleep_ms(NOW + 5, NOW, 60000), 5000);
    assert_int_equal(schedule_sleep_ms(NOW + DAY, NOW, 60000), 60000);
    assert_int_equal(schedule_sleep_ms(NOW + DAY, NOW, 10), 1000);
    assert_int_equal(schedule_sleep_ms(INT64_MAX, 0, 60000), 60000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(renews_when_a_third_is_left),
        cmocka_unit_test(follows_the_row_of_the_ca),
        cmocka_unit_test(follows_the_row_of_the_network),
        cmocka_unit_test(spreads_by_a_tenth_at_most),
        cmocka_unit_test(retry_after_is_the_least),
        cmocka_unit_test(hurries_before_expiry),
        cmocka_unit_test(polls_slower_and_slower),
        cmocka_unit_test(limits_orders),
        cmocka_unit_test(sleeps_in_bounded_steps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
