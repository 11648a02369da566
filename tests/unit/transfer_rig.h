/* A client for tests of what carries transfers: it makes one at a time, notes what it is told, and
 * asserts that it is told nothing after the end. */
#ifndef LINTEL_TESTS_UNIT_TRANSFER_RIG_H
#define LINTEL_TESTS_UNIT_TRANSFER_RIG_H

#include "base/buf.h"
#include "io/direct.h"
#include "io/fetch.h"
#include "peer.h"

/* MANY is more than the kernel buffers of a connection hold. */
enum { MANY = 32 * 1024 * 1024, LIMIT_MS = 10000 };

enum carrier { CARRIER_CURL, CARRIER_DIRECT };
extern enum carrier carrier; /* of the clients to come */

struct client {
    struct loop *loop;
    struct mailbox box;
    struct offload *offload;
    struct resolver *resolver;
    struct fetcher *fetcher; /* or NULL... */
    struct direct *direct;   /* ...or this */
    struct transport *transport;
    struct transfer *transfer;
    struct timer limit;
    struct transfer_spec spec;
    struct transfer_events events;
    char url[64];

    struct buf fields; /* "Name=value|", those of the trailer with "~" before */
    struct buf body;
    size_t received;
    int status;
    int64_t content_length;
    bool eof; /* of a tunnel */
    bool done;
    bool cancelled;
    unsigned heads;
    enum transfer_result result;
    char why[128];

    const char *text; /* what on_pull gives; NULL: "x" */
    size_t to_send;   /* bytes that it gives */
    enum pull at_end; /* what it answers then */
    unsigned stall;   /* answers false or AGAIN so many times first, resumed by a timer */
    struct timer resume;
    char cancel_in; /* 'f' on_field, 'h' on_head, 'b' on_body, 'd' on_done, 'p' pull, 't'
                       on_trailer, 'e' on_eof */
};

void client_init(struct client *c, const struct peer *s); /* for http://127.0.0.1:PORT/a/../b?q */
void client_fini(struct client *c);
void client_start(struct client *c);
void client_run(struct client *c); /* until it is done or cancelled */
void client_pass_time(struct client *c, uint64_t ms);

const char *client_text(const struct buf *b);

#endif
