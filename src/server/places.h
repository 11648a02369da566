/* The places of clients' connections, of which a process has so many: "max_connections". Where
 * there is none for a new connection, the idlest one of the worker is closed; if all are at work,
 * the other workers are asked to close idle ones of theirs, and the client is told to come again.
 * Worker's thread. */
#ifndef LINTEL_SERVER_PLACES_H
#define LINTEL_SERVER_PLACES_H

#include "base/log_limit.h"
#include "engines/h1_mhd.h"
#include "server/refusal.h"

struct places {
    struct loop *loop;
    struct budget *all; /* of all workers */
    unsigned max;
    struct h1_engine *engines[2]; /* that may close idle connections */
    void (*on_none)(void *arg);   /* there is none, and this worker has no idle connection */
    void *arg;
    uint64_t asked_ms; /* when that was last called */
    struct refusals refusals;
    struct log_limit limit;
};

/* Fills in the rest of *p, whose first six members are set. */
void places_init(struct places *p);
void places_fini(struct places *p);

/* Another number. Idle connections beyond it are closed. */
void places_set_max(struct places *p, unsigned max);

/* Takes a place, which h1_engine_add() expects. False: there is none, which is logged. */
MUST_CHECK bool places_take(struct places *p);

/* Another worker has none to give: closes idle connections until there are some. */
void places_make(struct places *p);

/* Answers a connection without TLS, which it closes, that it has to come again. */
void places_refuse(struct places *p, int fd);

#endif
