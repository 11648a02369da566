/* How the upstreams of a proxy fare, seen by all workers: requests under way, failures of late, and
 * what active checks found. Counters without a lock: a worker that reads an older value asks an
 * upstream that another would have passed over, and no harm is done. Any thread. */
#ifndef LINTEL_HANDLERS_UPSTREAM_STATE_H
#define LINTEL_HANDLERS_UPSTREAM_STATE_H

#include "base/shared.h"
#include "base/str.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/* What a proxy remembers of failures; fail_ms 0: nothing. */
struct passive_health {
    uint64_t fail_ms;      /* how long a failure counts */
    unsigned max_fails;    /* so many of them, and the upstream is passed over */
    unsigned max_requests; /* at once; 0: no limit */
    unsigned max_conns;    /* the same, but to the letter; 0: no limit */
    uint64_t latency_ms;   /* an answer that takes longer is a failure; 0: none is */
};

struct upstream_state {
    atomic_uint in_flight;
    atomic_bool sick; /* by active checks */
    atomic_uint n_failures;
    _Atomic uint64_t *failed_ms; /* the times of the last max_fails failures, in a ring */
};

/* The state of an address that DNS has told. */
struct known_address;

/* Those of one proxy, in the order of its upstreams. */
struct upstream_states {
    const struct passive_health health;
    pthread_mutex_t lock;        /* guards the list, which is for when DNS answers... */
    struct known_address *known; /* ...and not for each request */
    size_t n;
    struct upstream_state list[];
};

/* What shared_get() makes them of. */
struct upstream_states_arg {
    size_t n;
    const struct passive_health *health;
};

extern const struct shared_type upstream_states_type;

/* The state of an address, made if there is none, and to be dropped once: a lock is held. */
struct upstream_state *upstream_states_find(struct upstream_states *all, struct str address);
void upstream_states_drop(struct upstream_states *all, struct upstream_state *s);

/* Whether the upstream should be asked. now_ms: monotonic. */
bool upstream_state_is_up(const struct upstream_states *all, const struct upstream_state *s,
                          uint64_t now_ms);

/* A request begins, unless as many as may be are under way: false. _ended() when it is over. */
bool upstream_state_begin(const struct upstream_states *all, struct upstream_state *s);
void upstream_state_ended(struct upstream_state *s);

void upstream_state_failed(const struct upstream_states *all, struct upstream_state *s,
                           uint64_t now_ms);

#endif
