/* Which of several upstreams is asked: "lb_policy". Those that hash map a key to one upstream for
 * as long as it is up, and when the list changes move no more keys than they must (rendezvous
 * hashing). */
#ifndef LINTEL_HANDLERS_BALANCE_H
#define LINTEL_HANDLERS_BALANCE_H

#include "conf/directive.h"
#include "handlers/upstream.h"
#include "handlers/upstream_state.h"

enum balance_kind {
    BALANCE_ROUND_ROBIN, /* the default */
    BALANCE_RANDOM,
    BALANCE_RANDOM_CHOOSE,
    BALANCE_FIRST,
    BALANCE_WEIGHTED,
    BALANCE_LEAST_CONN,
    BALANCE_IP_HASH,
    BALANCE_CLIENT_IP_HASH,
    BALANCE_URI_HASH,
    BALANCE_QUERY,
    BALANCE_HEADER,
    BALANCE_COOKIE
};

struct balance {
    enum balance_kind kind;
    unsigned choose;         /* random_choose: of how many the least busy */
    const unsigned *weights; /* weighted_round_robin: in the order of the upstreams */
    size_t n_weights;
    struct str name;                /* of the query's key, the field or the cookie */
    struct str secret;              /* of the cookie */
    uint64_t max_age_s;             /* of the cookie; 0: until the browser is closed */
    const struct balance *fallback; /* where there is no such key; NULL: random */
};

/* An upstream that may be chosen, or may not. */
struct candidate {
    const struct upstream *upstream;
    const struct upstream_state *state;
    bool usable;
};

/* Turns and chance, of one worker. */
struct balance_state;

enum { BALANCE_NONE = -1 };

/* The directive's set function: "lb_policy NAME ..." into *out. */
int balance_set(const struct directive_args *d, struct balance *out);

/* A policy's name in configurations. */
const char *balance_name(enum balance_kind kind);

/* For n upstreams. */
struct balance_state *balance_state_new(size_t n);
void balance_state_free(struct balance_state *st); /* NULL is fine */

/* The index of one that is usable, or BALANCE_NONE. *cookie is the value of a Set-Cookie field to
 * be sent with the answer, in the exchange's arena; p == NULL: none. */
int balance_choose(const struct balance *b, struct balance_state *st, struct exchange *ex,
                   const struct candidate *list, size_t n, struct str *cookie);

#endif
