#include "cert/schedule.h"

#include "base/alloc.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

/* ---- renewal ---- */

int64_t schedule_renew_at(int64_t not_before_s, int64_t not_after_s, unsigned permille,
                          uint32_t spread)
{
    int64_t lifetime = not_after_s - not_before_s, later, left;

    if (lifetime <= 0)
        return not_after_s;
    left = permille == 0 ? lifetime / 3 : lifetime * permille / 1000;
    later = (int64_t)(spread % (uint64_t)(lifetime / 100 + 1));
    /* Never later than half of the time that is left. */
    return not_after_s - left + (later < left / 2 ? later : left / 2);
}

/* ---- retries ---- */

/* The waits after failure 1, 2, ...; the last one stays. */
struct row {
    const unsigned *waits_s;
    unsigned n;
};

/* certmagic's steps, which a user of Caddy knows. They end after about a month; from then on once
 * a day, for whoever mends his DNS late. */
static const unsigned ca_waits_s[] = {
    1 * MINUTE,  2 * MINUTE,  2 * MINUTE,  5 * MINUTE,  10 * MINUTE, 10 * MINUTE, 10 * MINUTE,
    20 * MINUTE, 20 * MINUTE, 20 * MINUTE, 20 * MINUTE, 30 * MINUTE, 30 * MINUTE, 30 * MINUTE,
    30 * MINUTE, 30 * MINUTE, 30 * MINUTE, 1 * HOUR,    1 * HOUR,    1 * HOUR,    2 * HOUR,
    2 * HOUR,    3 * HOUR,    3 * HOUR,    6 * HOUR,
};

static const unsigned network_waits_s[] = {
    10,         10,          20,          30,          1 * MINUTE,  1 * MINUTE, 2 * MINUTE,
    5 * MINUTE, 10 * MINUTE, 10 * MINUTE, 20 * MINUTE, 30 * MINUTE, 1 * HOUR,
};

static const struct row rows[] = {
    [SCHEDULE_CA] = {ca_waits_s, ARRAY_LEN(ca_waits_s)},
    [SCHEDULE_NETWORK] = {network_waits_s, ARRAY_LEN(network_waits_s)},
};

/* Six hours a step: so many steps after the row's end, a month has passed. */
enum { STEPS_OF_A_MONTH = 30 * DAY / (6 * HOUR) };

static int64_t row_wait_s(const struct schedule_failure *f)
{
    const struct row *row = &rows[f->kind];
    unsigned i = f->attempts > 0 ? f->attempts - 1 : 0;

    if (f->kind == SCHEDULE_CA && i >= row->n + STEPS_OF_A_MONTH)
        return DAY;
    return row->waits_s[i < row->n ? i : row->n - 1];
}

static int64_t clamp(int64_t value, int64_t least, int64_t most)
{
    if (value < least)
        return least;
    return value > most ? most : value;
}

/* The most to wait for the renewal of a certificate that expires in left_s. */
static int64_t urgent_wait_s(int64_t left_s, int64_t lifetime_s)
{
    int64_t least = clamp(lifetime_s / 100, 10, 10 * MINUTE);

    return left_s / 4 < least ? least : left_s / 4;
}

int64_t schedule_retry_at(const struct schedule_failure *f, int64_t now_s)
{
    int64_t wait = row_wait_s(f), left = f->not_after_s - now_s;
    int64_t retry_after = clamp(f->retry_after_s, 0, RETRY_AFTER_MOST_S);

    wait += (int64_t)(f->spread % (uint64_t)(wait / 10 + 1));
    if (f->not_after_s != 0 && left > 0) {
        int64_t most = urgent_wait_s(left, f->lifetime_s);

        wait = wait > most ? most : wait;
    }
    return now_s + (wait < retry_after ? retry_after : wait);
}

/* ---- polling, orders, timers ---- */

unsigned schedule_poll_ms(unsigned n)
{
    unsigned ms = POLL_FIRST_MS;

    while (n-- > 0 && ms < POLL_MOST_MS)
        ms += ms / 2;
    return ms < POLL_MOST_MS ? ms : POLL_MOST_MS;
}

uint64_t schedule_take_order(struct schedule_window *w, uint64_t now_ms)
{
    uint64_t oldest = w->started_ms[w->next];

    if (w->n == ORDERS_MAX && now_ms < oldest + ORDERS_WINDOW_MS)
        return oldest + ORDERS_WINDOW_MS - now_ms;
    w->started_ms[w->next] = now_ms;
    w->next = (w->next + 1) % ORDERS_MAX;
    if (w->n < ORDERS_MAX)
        w->n++;
    return 0;
}

uint64_t schedule_sleep_ms(int64_t at_s, int64_t now_s, uint64_t most_ms)
{
    uint64_t left_s;

    if (at_s <= now_s)
        return 0;
    left_s = (uint64_t)(at_s - now_s);
    return left_s > most_ms / 1000 ? (most_ms < 1000 ? 1000 : most_ms) : left_s * 1000;
}
