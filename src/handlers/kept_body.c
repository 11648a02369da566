#include "handlers/kept_body.h"

#include "base/alloc.h"

#include <stdlib.h>

enum { ROOM_MIN = 4 * 1024 };

void kept_body_fini(struct kept_body *k)
{
    free(k->bytes);
    if (k->cap > 0)
        budget_give(k->budget, k->cap);
    *k = (struct kept_body){.lost = true};
}

/* Room for at least one byte more, and no more than max in all. False: no memory is left. */
static bool make_room(struct kept_body *k)
{
    size_t cap = k->cap < ROOM_MIN ? ROOM_MIN : 2 * k->cap;

    if (k->len < k->cap)
        return true;
    if (cap > k->max)
        cap = k->max;
    if (!budget_take(k->budget, cap - k->cap, k->budget_max))
        return false;
    k->bytes = xrealloc_array(k->bytes, cap, 1);
    k->cap = cap;
    return true;
}

/* What does not fit makes all of it useless. */
static void keep(struct kept_body *k, const char *p, size_t n)
{
    if (k->lost)
        return;
    if (n > k->max - k->len) {
        kept_body_fini(k);
        return;
    }
    while (n > 0) {
        size_t part;

        if (!make_room(k)) {
            kept_body_fini(k);
            return;
        }
        part = k->cap - k->len < n ? k->cap - k->len : n;
        memcpy(k->bytes + k->len, p, part);
        k->len += part;
        p += part;
        n -= part;
    }
    k->sent = k->len;
}

enum pull kept_body_read(struct kept_body *k, struct exchange *ex, char *buf, size_t cap, size_t *n)
{
    enum pull answer;

    if (k->sent < k->len) {
        *n = k->len - k->sent < cap ? k->len - k->sent : cap;
        memcpy(buf, k->bytes + k->sent, *n);
        k->sent += *n;
        return PULL_BYTES;
    }
    if (k->whole)
        return PULL_END;
    answer = exchange_read_body(ex, buf, cap, n);
    if (answer == PULL_BYTES)
        keep(k, buf, *n);
    k->whole = answer == PULL_END && !k->lost;
    return answer;
}

void kept_body_rewind(struct kept_body *k)
{
    k->sent = 0;
}

enum pull kept_body_fill(struct kept_body *k, struct exchange *ex)
{
    while (k->len < k->max) {
        enum pull answer;
        size_t n = 0;

        if (!make_room(k)) {
            kept_body_fini(k);
            return PULL_FAIL;
        }
        answer = exchange_read_body(ex, k->bytes + k->len, k->cap - k->len, &n);
        k->len += n;
        k->whole = answer == PULL_END;
        if (answer != PULL_BYTES)
            return answer;
    }
    return PULL_BYTES;
}
