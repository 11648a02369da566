/* Keeps a peer from filling the disk with lines about itself: a few lines a window, then silence,
 * then how many were left out. Zeroed = ready. One thread. */
#ifndef LINTEL_BASE_LOG_LIMIT_H
#define LINTEL_BASE_LOG_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

enum { LOG_LIMIT_LINES = 20, LOG_LIMIT_WINDOW_MS = 10 * 1000 };

struct log_limit {
    uint64_t since_ms;
    unsigned lines;
    unsigned left_out;
};

/* Whether one more line may be written now, of which a window has so many. *left_out is how many
 * were not, since the last that was; it is 0 but for the first line of a window. */
static inline bool log_limit_allows_of(struct log_limit *l, unsigned lines, uint64_t now_ms,
                                       unsigned *left_out)
{
    *left_out = 0;
    if (l->lines == 0 || now_ms - l->since_ms >= LOG_LIMIT_WINDOW_MS) {
        *left_out = l->left_out;
        *l = (struct log_limit){.since_ms = now_ms};
    }
    if (l->lines == lines) {
        l->left_out++;
        return false;
    }
    l->lines++;
    return true;
}

static inline bool log_limit_allows(struct log_limit *l, uint64_t now_ms, unsigned *left_out)
{
    return log_limit_allows_of(l, LOG_LIMIT_LINES, now_ms, left_out);
}

#endif
