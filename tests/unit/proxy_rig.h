/* For tests of the proxy: an engine made for them, with one exchange at a time, between the proxy
 * and a peer that says what the test wants. */
#ifndef LINTEL_TESTS_PROXY_RIG_H
#define LINTEL_TESTS_PROXY_RIG_H

#include "base/buf.h"
#include "http/exchange.h"
#include "io/direct.h"
#include "peer.h"

#include <stdatomic.h>

/* RIG_MANY is more than the kernel buffers of a connection hold. */
enum { RIG_MANY = 32 * 1024 * 1024, RIG_LIMIT_MS = 10000 };

struct rig {
    struct loop *loop;
    struct mailbox box;
    struct offload *offload;
    struct resolver *resolver;
    struct fetcher *fetcher;
    struct direct *direct; /* NULL: libcurl carries everything */
    struct shared *shared;
    struct conf *conf;
    struct service *service;
    struct timer limit;
    struct timer later;

    struct exchange ex;
    struct arena *arena;
    struct task pump;
    struct buf body;
    struct buf fields;
    size_t received;
    char last[5]; /* bytes of the body */
    bool parked;  /* the source answered AGAIN */
    bool slow;    /* pull only when the timer `later` says so */
    bool ended;
    bool failed;
    enum body_kind kind;

    size_t to_send; /* of the request's body */
    unsigned stall;
    enum pull at_end;
    bool half_duplex; /* the rest of the request's body is lost once the response begins */
};

/* Whether the rigs to come have a direct transport. */
extern bool rig_direct;

/* Runs all tests by libcurl, then directly. Not 0: some failed. */
#define rig_run_group(tests)                                                                       \
    ((rig_direct = false, cmocka_run_group_tests(tests, NULL, NULL)) != 0 ||                       \
     (rig_direct = true, cmocka_run_group_tests(tests, NULL, NULL)) != 0)

/* A site with these directives: reverse_proxy, forward_auth, copy_response, respond, header, error.
 */
struct conf *rig_parse(const char *directives, struct buf *errors);

/* The test fails if the directives are wrong. */
void rig_init(struct rig *r, const char *directives);
void rig_to(struct rig *r, const struct peer *p); /* with a reverse_proxy to the peer */
void rig_fini(struct rig *r);

/* An exchange: what else it has is set between begin and run. */
void rig_begin(struct rig *r, const char *method, const char *target);
void rig_run(struct rig *r);               /* until it is answered */
void rig_wait(struct rig *r, uint64_t ms); /* or until it is answered */
void rig_end_exchange(struct rig *r);

/* begin and run, with these fields. */
void rig_ask(struct rig *r, const char *method, const char *target, const struct field *fields,
             size_t n);

const char *rig_text(const struct buf *b);

/* ---- for peer_start() ---- */

extern char rig_seen[8192];            /* the head of the last request */
extern atomic_size_t rig_taken;        /* bytes of its body, by rig_serve_sink */
extern atomic_bool rig_response_begun; /* the client has the head of a response */

void rig_serve_seen(struct peer *s, int fd); /* answers with the peer's text */
void rig_serve_many(struct peer *s, int fd); /* a body of RIG_MANY bytes */
void rig_serve_sink(struct peer *s, int fd); /* reads RIG_MANY bytes first */

#endif
