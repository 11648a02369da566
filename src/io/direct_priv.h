/* Shared by the files of the direct transport; nothing else includes this.
 *
 *   direct.c          the life of a transfer, its limits of time, the interface
 *   direct_connect.c  from an upstream's name to a connection
 *   direct_pool.c     upstreams, idle connections, blocks of memory
 *   direct_send.c     the request
 *   direct_receive.c  the response
 *   direct_fcgi.c     what is else with FastCGI
 *   direct_tls.c      what is else with https://
 *
 * A transfer:
 *  1. direct_start() lays out the request's head. If there is an idle connection to the upstream it
 *     is sent at once; else the task of the transfer asks for the name, connects, and then sends
 * it.
 *  2. The request's body follows, pulled whenever the socket takes more; the response is read as it
 *     comes. Neither waits for the other.
 *  3. direct_finish() or direct_fail() tells of the end. The connection goes back to the pool if
 *     both the request and the response have ended, and nothing speaks against it.
 *  4. A connection that was kept may have been closed by the peer meanwhile: then the request is
 * sent once more, over a new one, if that cannot do harm (RFC 9112 9.3.1).
 *
 * Sockets are registered once, edge-triggered for both directions: `readable` and `writable` say
 * what is known of them. Callbacks may cancel the transfer: whoever calls one is between
 * direct_enter() and direct_leave(), looks at `ended` after it, and the last to leave frees the
 * transfer. */
#ifndef LINTEL_IO_DIRECT_PRIV_H
#define LINTEL_IO_DIRECT_PRIV_H

#include "base/alloc.h"
#include "io/direct.h"
#include "io/dns_ask.h"
#include "io/fcgi_response.h"
#include "io/response_parser.h"

enum {
    BLOCK_SIZE = 32 * 1024,
    FREE_BLOCKS_MAX = 32, /* kept */
    ORIGIN_BUCKETS = 64
};

/* Memory for bytes on their way. */
struct block {
    struct block *next; /* while it is free */
    size_t start;       /* of what is in it */
    size_t end;
    char bytes[BLOCK_SIZE];
};

struct direct_transfer;

enum idlers_kind { IDLE_HTTP, IDLE_FASTCGI, IDLE_PREAMBLE, IDLE_KINDS };

/* What is spoken over a connection. What responses tell is in direct_transfer.parser. */
struct wire {
    /* Lays out the request's head in t. False with *e set: it is no request. */
    bool (*prepare)(struct direct_transfer *t, const struct transfer_spec *spec, struct err *e);
    /* A response is awaited, from its beginning; fini may be NULL. */
    void (*begin)(struct direct_transfer *t);
    void (*fini)(struct direct_transfer *t);
    /* As response_next(), response_take() and response_close(). */
    enum response_event (*next)(struct direct_transfer *t, struct str *in);
    void (*take)(struct direct_transfer *t, struct str *in, size_t n);
    enum response_event (*close)(struct direct_transfer *t);
    bool records;          /* bodies go in records of FastCGI */
    unsigned idle_ms;      /* connections are kept for so long; 0: as the limits say */
    unsigned requests_max; /* over one connection; 0: any number */
};

/* Where connections lead to. Lives as long as there are connections or transfers to it. */
struct origin {
    struct list item; /* in direct.origins */
    uint32_t hash;
    unsigned refs;
    struct list idle; /* connections, the last used first */
    unsigned n_idle;
    struct address preferred; /* the one that could be connected to last; family 0: none yet */
    const struct wire *wire;
    struct address local;        /* to connect from; family 0: any */
    struct dns_servers *servers; /* that are asked for the name; NULL: the system's */
    bool is_unix;
    bool secure; /* https:// */
    uint16_t port;
    struct str host; /* in key */
    size_t key_len;
    char key[]; /* "host:port", "host", or the path of a unix socket */
};

/* Connections that wait for work, the longest idle first. */
struct idlers {
    struct direct *d;
    struct list conns;
    struct timer timer;
    unsigned timeout_ms;
};

struct direct_tls_creds; /* direct_tls.c */
struct direct_tls_peer;
struct direct_tls;

struct direct {
    struct transport transport;
    struct transport fastcgi;
    struct loop *loop;
    struct resolver *resolver;
    struct direct_limits limits;
    struct list transfers; /* those under way */
    struct list spare;     /* transfers to use again */
    unsigned n_spare;
    struct idlers idle[IDLE_KINDS];
    unsigned n_idle;
    struct block *free_blocks;
    unsigned n_free_blocks;
    struct list origins[ORIGIN_BUCKETS];
    struct list tls_creds; /* by direct_tls_creds.item */
};

struct direct_conn {
    struct event_source src;
    struct direct *d;
    struct origin *origin;
    struct direct_transfer *t; /* that uses it; NULL: idle */
    struct list of_origin;     /* while idle */
    struct list of_all;        /* while idle */
    uint64_t since_ms;         /* idle */
    struct direct_tls *tls;    /* NULL: plain */
    unsigned served;           /* requests */
    bool connecting;
    unsigned address; /* while connecting: index in direct_transfer.addresses */
    bool used;        /* by another transfer before */
    bool readable;    /* there may be something to read */
    bool writable;
    bool hung_up; /* the peer has closed its side, or the connection is broken */
    bool drained; /* that was read, and there is nothing before it: 0 or an errno */
    int error;
    uint64_t group; /* as in struct transfer_idle */
    size_t preamble_len;
    char preamble[]; /* that it began with */
};

enum op {
    OP_BEGIN = 1,
    OP_SEND = 2,        /* the head could not be sent at once, or there is a body */
    OP_RESUME_RECV = 4, /* or go on receiving */
    OP_RESUME_SEND = 8
};

/* When something is due; 0: it is not awaited. */
struct deadlines {
    uint64_t dial;    /* a connection */
    uint64_t attempt; /* a connection to the address at hand */
    uint64_t head;
    uint64_t expect; /* 100 (Continue), or the body is sent without it */
    uint64_t total;
    uint64_t turn; /* its next, after all others */
};

struct direct_transfer {
    struct transfer transfer;
    const struct wire *wire;
    struct list item; /* in direct.transfers or direct.spare */
    struct direct *d;
    struct origin *origin;
    struct direct_conn *conn;  /* NULL: none yet, or no more */
    struct direct_conn *rival; /* an earlier attempt that may still succeed, or NULL */
    const struct transfer_events *events;
    void *arg;
    struct task work;
    unsigned ops; /* for the task */
    unsigned depth;
    bool ended; /* no callback any more */

    /* Connecting. */
    struct direct_tls_peer *peer; /* of https://, else NULL */
    struct lookup lookup;
    struct addresses addresses;
    unsigned tried;       /* addresses */
    unsigned fallback_ms; /* until the next is tried as well; TRANSFER_NEVER */
    int last_errno;       /* of the last attempt */
    bool looked_again;    /* the name was asked for because its addresses were stale */
    bool again;           /* the request is being sent once more */

    /* The request. */
    char *head;
    size_t head_len, head_cap, head_sent;
    size_t preamble_len; /* of head: for a new connection only */
    struct block *body;  /* what was pulled and not yet sent; NULL: nothing */
    int64_t body_len;    /* as specified */
    int64_t body_left;   /* to be pulled; -1: not known */
    bool body_ended;     /* all of it is in `body` or sent */
    bool body_forgotten; /* what was sent of it is no longer in `body`: it cannot be sent again */
    bool send_paused;    /* pull answered AGAIN */
    bool expecting;      /* the body waits for 100 (Continue) */
    bool send_stopped;   /* by an error, or since nobody wants the rest */
    bool idempotent;
    unsigned idle_ms, probe_ms; /* as in struct transfer_spec */
    struct transfer_idle idle;

    /* The response. */
    struct response_parser parser;
    struct fcgi_response *fcgi; /* NULL: it is HTTP */
    bool keep;                  /* FastCGI: the connection */
    struct block *in;           /* what was received and not yet taken; NULL: nothing */
    size_t max_head;
    bool is_head;
    bool upgrade;
    bool answered; /* a byte has come */
    bool recv_paused;
    bool by_read;    /* the one who takes the body reads it */
    bool recv_ended; /* of a tunnel */

    /* Time. */
    struct timer timer;
    struct deadlines due;
    unsigned dial_timeout_ms, head_timeout_ms, read_timeout_ms, write_timeout_ms, expect_timeout_ms;
    uint64_t received_ms, sent_ms; /* when something moved last */
};

/* ---- direct.c ---- */

static inline void direct_enter(struct direct_transfer *t)
{
    t->depth++;
}
void direct_leave(struct direct_transfer *t); /* frees it if it has ended, and this is the last */

void direct_post(struct direct_transfer *t, unsigned ops);
void direct_arm(struct direct_transfer *t);        /* the timer, after what is due has changed */
void direct_let_others(struct direct_transfer *t); /* goes on after the loop has seen to them */

/* The end, within enter and leave. direct_finish(): the response is complete. direct_fail() closes
 * the connection. */
void direct_finish(struct direct_transfer *t);
void direct_fail(struct direct_transfer *t, enum transfer_result result, const char *why);

/* The connection broke: begins once more if that is allowed, or else fails. */
void direct_lost(struct direct_transfer *t, const char *why);

/* ---- direct_connect.c ---- */

/* Gets a connection, and sends when there is one. Within enter and leave. fresh: no idle one. */
void direct_connect(struct direct_transfer *t, bool fresh);
void direct_on_resolved(struct lookup *lk, const struct addresses *a, const char *why);
void direct_connect_event(struct direct_conn *c);       /* the socket is connected, or not */
void direct_connect_due(struct direct_transfer *t);     /* the time for the attempt has passed */
void direct_connect_abandon(struct direct_transfer *t); /* closes what has been opened */

/* ---- direct_pool.c ---- */

/* The origin of the URL's authority, or of what spec says instead; a reference. NULL with *e set.
 */
struct origin *direct_origin_get(struct direct *d, const struct wire *wire,
                                 const struct transfer_spec *spec, struct err *e);
void direct_origin_unref(struct origin *o);

struct direct_conn *direct_conn_new(const struct direct_transfer *t, int fd); /* for t, and like */
void direct_conn_close(struct direct_conn *c);
void direct_conn_on_event(struct event_source *src, uint32_t events); /* direct.c */

/* Gives the transfer an idle connection. False: there is none. */
bool direct_pool_take(struct direct_transfer *t);
void direct_pool_put(struct direct_conn *c, const struct transfer_idle *idle);
/* Closes the connection that has been idle longest. False: there is none. */
bool direct_pool_shrink(struct direct *d);
void direct_pool_event(struct direct_conn *c); /* something has happened to an idle connection */
void direct_pool_init(struct direct *d);
void direct_pool_fini(struct direct *d);

struct block *direct_block_get(struct direct *d);
void direct_block_put(struct direct *d, struct block **b); /* *b is NULL then, and may be before */

/* ---- direct_send.c ---- */

/* Lays out the head in t. False with *e set: it is no request. */
bool direct_send_prepare(struct direct_transfer *t, const struct transfer_spec *spec,
                         struct err *e);
void direct_send_rewind(struct direct_transfer *t);      /* to be sent once more */
void direct_send(struct direct_transfer *t);             /* as much as the socket takes */
bool direct_sent(const struct direct_transfer *t);       /* all of it */
bool direct_send_wants(const struct direct_transfer *t); /* there is something to send or to pull */
void direct_send_body(struct direct_transfer *t);        /* it need not wait for 100 any more */

/* Sends the head of a request without a body without calling back. */
void direct_send_head(struct direct_transfer *t);

/* ---- direct_receive.c ---- */

extern const struct wire direct_wire_http;

void direct_receive(struct direct_transfer *t);                /* what there is */
size_t direct_read(struct transfer *t, char *buf, size_t cap); /* transport_type.read, of HTTP */

/* ---- direct_tls.c ---- */

/* Who must be at the other end, and what it is shown, as spec says. NULL with *e set. */
struct direct_tls_peer *direct_tls_peer_new(struct direct *d, const struct transfer_spec *spec,
                                            struct err *e);
void direct_tls_peer_free(struct direct_tls_peer *p); /* NULL is fine */

/* A session over a connected socket. NULL: there is no memory for it. */
struct direct_tls *direct_tls_new(const struct direct_tls_peer *p, int fd);
void direct_tls_free(struct direct_tls *s); /* says goodbye, if that can be done at once */

/* Of a connection that was kept: whether another peer may use it, and nothing has come meanwhile.
 */
bool direct_tls_is_for(const struct direct_tls *s, const struct direct_tls_peer *p);
bool direct_tls_is_quiet(const struct direct_tls *s);

enum tls_step { TLS_DONE, TLS_WAIT, TLS_FAILED };

/* The handshake, whenever the socket is ready. Why it failed is put into why. */
enum tls_step direct_tls_handshake(struct direct_tls *s, char *why, size_t cap);

/* As recv(2), send(2) and shutdown(2): 0 is the peer's goodbye, ECONNABORTED its end without one,
 * which is good enough for a tunnel only: what goes through one has ends of its own. Sending may
 * take less than there is although the socket has room; after EAGAIN the same bytes have to be
 * sent. */
ssize_t direct_tls_recv(struct direct_tls *s, char *p, size_t cap);
ssize_t direct_tls_send(struct direct_tls *s, const char *p, size_t len);
void direct_tls_shutdown(struct direct_tls *s);

/* What the peer has said as it broke a session off; NULL: nothing, or there is no session. TLS 1.3
 * has it say so after the handshake if it does not like our certificate. */
const char *direct_tls_why(const struct direct_tls *s);

void direct_tls_fini(struct direct *d); /* the credentials that are kept */

/* ---- direct_fcgi.c ---- */

extern const struct wire direct_wire_fcgi;

#endif
