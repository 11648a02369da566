/* Active checks: a proxy's upstreams are asked now and then whether they are well. One worker does
 * it for all, and all see what it finds (upstream_state.sick). */
#ifndef LINTEL_HANDLERS_HEALTH_H
#define LINTEL_HANDLERS_HEALTH_H

#include "handlers/response_match.h"
#include "handlers/upstream.h"
#include "handlers/upstream_state.h"

enum { HEALTH_BODY_MAX = 64 * 1024 }; /* bytes of an answer that are looked at */

struct health_conf {
    const char *target;  /* of the request; NULL: no checks, unless there is a port */
    struct str upstream; /* who is asked instead; len 0: the upstream itself */
    unsigned port;       /* where it is asked; 0: at its own */
    const char *method;
    struct str request_body;
    const char **lines; /* further fields */
    size_t n_lines, cap_lines;
    bool has_host;                /* one of them is Host */
    struct response_match status; /* of an upstream that is well; empty: any 2xx */
    const struct regex *body;     /* that its answer must match; NULL: any */
    bool follow_redirects;        /* at the same upstream */
    uint64_t interval_ms, timeout_ms;
    unsigned passes, fails;       /* in a row, for a change */
    const struct upstream *asked; /* for each upstream, who is asked */
};

/* Sets the defaults. */
void health_conf_init(struct health_conf *c);

/* The set function of each health_* option. -1 after directive_error(). */
MUST_CHECK int health_conf_set(const struct directive_args *d, struct health_conf *c);

/* After the block: who is asked for each of n upstreams. -1 after directive_error(). */
MUST_CHECK int health_conf_finish(const struct directive_args *d, struct health_conf *c,
                                  const struct upstream *upstreams, size_t n);

/* ---- at run time ---- */

struct transport;
struct health;
struct fastcgi_conf; /* handlers/fastcgi_conf.h */

struct health_params {
    const struct health_conf *conf;
    const struct upstream *upstreams;
    struct upstream_states *states; /* theirs */
    struct loop *loop;
    struct transport *transport;
    const struct fastcgi_conf *fastcgi; /* NULL: by HTTP */
};

/* Begins, in the loop's thread. NULL if there is nothing to check. */
struct health *health_start(const struct health_params *p);
void health_stop(struct health *h); /* NULL is fine */

#endif
