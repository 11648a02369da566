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
    struct budget places;
    unsigned max_connections;
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

/* A TLS client. Zeroed = TLS 1.2 and 1.3, no ALPN, no session to resume. */
struct rig_tls {
    const char *priorities; /* "NORMAL" */
    const char *alpn;
    gnutls_datum_t session; /* to resume; replaced by the new one. gnutls_free() it */
    bool give_up;           /* closes after the ClientHello */
    /* The outcome. */
    int result; /* of the handshake: 0, or a GnuTLS error */
    int alert;  /* received, or -1 */
    bool resumed;
    bool had_ticket; /* the front door saw one in the ClientHello */
    gnutls_protocol_t version;
    char cipher[64];
    char negotiated_alpn[32];
    bool closed_well; /* by close_notify */
};

/* Who gets the accepted socket of a TLS client. */
typedef void rig_accept(struct rig *r, int fd, const struct tls_choice *choice);

/* Shakes hands for sni (or NULL), sends request, reads until the end. accept: NULL for the engine.
 */
const char *rig_tls_ask(struct rig *r, struct rig_tls *t, const char *sni, const char *request,
                        rig_accept *accept);

/* Runs the loop for some milliseconds. */
void rig_run(struct rig *r, uint64_t ms);

/* Runs the loop until cond holds; a test that waits for a state instead of a time does not depend
 * on how fast the machine is. Fails the test after about 20 s. */
#define RIG_UNTIL(r, cond)                                                                         \
    for (int rig_turns = 0; !(cond); rig_turns++) {                                                \
        assert_true(rig_turns < 20000);                                                            \
        rig_run((r), 1);                                                                           \
    }

/* Whether a client could read from its socket now: bytes, or the end. */
bool rig_readable(int fd);

/* The certificate for names of *.test, made for this run. */
struct cred *rig_cred(void);

#endif
