/* The arithmetic of when: renewal, retries after a failure, and how many orders may start. Pure
 * functions of times that the caller gives; any thread. Wall-clock times are seconds since 1970. */
#ifndef LINTEL_CERT_SCHEDULE_H
#define LINTEL_CERT_SCHEDULE_H

#include "base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* ---- renewal ---- */

/* When a certificate is to be renewed: when permille of its lifetime is left (0: a third), or up to
 * a hundredth of the lifetime later, so that certificates made together are not renewed together.
 * spread picks the place in that hundredth; for one certificate it must always be the same (a hash
 * of it). */
int64_t schedule_renew_at(int64_t not_before_s, int64_t not_after_s, unsigned permille,
                          uint32_t spread);

/* ---- retries ---- */

/* Which row of waits a failure follows. */
enum schedule_kind {
    SCHEDULE_CA,     /* the CA declined or a validation failed: costs its rate limits */
    SCHEDULE_NETWORK /* the CA could not be reached: costs nobody anything */
};

/* The failures of one name in a row; kept in storage. */
struct schedule_failure {
    enum schedule_kind kind;
    unsigned attempts;      /* failed in a row, this one included; >= 1 */
    unsigned retry_after_s; /* what the CA asked for; 0: nothing */
    int64_t not_after_s;    /* of the certificate that is being renewed; 0: there is none */
    int64_t lifetime_s;     /* of that certificate */
    uint32_t spread;        /* any number: shifts the result by up to a tenth */
};

/* When to try again. The waits of the row, a tenth later at most; if a certificate is about to
 * expire, sooner: after a quarter of the time that is left, but not sooner than a hundredth of
 * its lifetime (within 10 s and 10 min). What the CA asked for is the least in any case. */
int64_t schedule_retry_at(const struct schedule_failure *f, int64_t now_s);

/* ---- polling an order or authorization ---- */

enum {
    POLL_FIRST_MS = 250,
    POLL_MOST_MS = 5000,
    RETRY_AFTER_MOST_S = 7 * 86400 /* a CA that asks for more is not believed */
};

/* The wait before poll number n (0 is the first). */
unsigned schedule_poll_ms(unsigned n);

/* ---- orders ---- */

enum { ORDERS_MAX = 10, ORDERS_WINDOW_MS = 10000 };

/* When the last ORDERS_MAX orders of an account started (monotonic clock). Zeroed = none yet. */
struct schedule_window {
    uint64_t started_ms[ORDERS_MAX];
    unsigned n;    /* how many are set */
    unsigned next; /* the place of the next, which is the oldest once all are set */
};

/* Takes a place for an order that starts now and returns 0, or returns in how many milliseconds
 * to ask again. */
uint64_t schedule_take_order(struct schedule_window *w, uint64_t now_ms);

/* ---- timers ---- */

/* How long to sleep towards the wall-clock time at_s: never longer than most_ms, because the wall
 * clock may be set while the timer (monotonic) runs; at least 1 s unless at_s has come. */
uint64_t schedule_sleep_ms(int64_t at_s, int64_t now_s, uint64_t most_ms);

#endif
