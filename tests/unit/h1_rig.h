/* A worker's share for tests of the engines: a loop, a service with one catch-all site and one test
 * handler, an engine, and clients on loopback TCP that run on the same loop. */
#ifndef LINTEL_TESTS_H1_RIG_H
#define LINTEL_TESTS_H1_RIG_H

#include "base/buf.h"
#include "engines/h1_mhd.h"
#include "http/handler.h"

struct rig {
    struct loop *loop;
    struct conf *conf;
    struct service *service;
    struct h1_engine *engine;
    struct tls_tickets *tickets;
    struct cred *cred;
};

struct rig_options {
    bool tls;
    uint64_t header_timeout_ms;
    uint64_t idle_timeout_ms;
    uint64_t body_timeout_ms;
    unsigned max_connections;
};

/* handle is the test's handler; zero options mean the defaults. */
void rig_open(struct rig *r, const struct rig_options *o,
              enum verdict (*handle)(const void *, struct exchange *));
void rig_close(struct rig *r);

/* A client's socket, non-blocking, whose other end the engine has. */
int rig_connect(struct rig *r);

/* Sends all of request (len bytes) on fd while the loop runs, and reads into *answer until the
 * engine closes. Closes fd. */
void rig_talk(struct rig *r, int fd, const char *request, size_t len, struct buf *answer);

/* The same over a connection of its own; the result is static text until the next call. */
const char *rig_ask(struct rig *r, const char *request, size_t len);

/* Runs the loop for some milliseconds. */
void rig_run(struct rig *r, uint64_t ms);

/* The certificate for names of *.test, made for this run. */
struct cred *rig_cred(void);

#endif
