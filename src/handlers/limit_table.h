/* How often each of many keys has come lately: a bucket of tokens a key, as one number each (GCRA:
 * the time at which the bucket would be full again). The table has a fixed size, and all workers
 * use it at once, without a lock: its words change by compare-and-swap.
 *
 * A key has its place in one set of sixteen. A place whose bucket is full again is as good as
 * empty. If all sixteen are in use, the key that has taken least is forgotten: nobody is refused
 * because the table is full, and those that come too often stay known. When two workers meet at a
 * place they change hands at that instant, one event may go uncounted or be counted for the other.
 */
#ifndef LINTEL_HANDLERS_LIMIT_TABLE_H
#define LINTEL_HANDLERS_LIMIT_TABLE_H

#include "base/shared.h"
#include "base/str.h"

#include <stddef.h>
#include <stdint.h>

enum { LIMIT_SET = 16 };

/* Times are in nanoseconds. */
struct limit_rule {
    uint64_t interval_ns; /* in which the bucket of a key gets one token */
    uint64_t full_ns;     /* in which an empty bucket gets full: interval_ns for each token */
    size_t max_keys;      /* rounded up to a power of two, LIMIT_SET at least */
};

struct limit_table;

struct limit_table *limit_table_new(const struct limit_rule *rule);
void limit_table_free(struct limit_table *t);

/* make() wants a struct limit_rule. */
extern const struct shared_type limit_table_type;

/* Takes a token from the bucket of a key. Returns 0, or, if there is none, the time until there
 * will be one. now_ns: of the monotonic clock. Any thread. */
uint64_t limit_table_take(struct limit_table *t, struct str key, uint64_t now_ns);

#endif
