/* What the files of the HTTP/1.1 engine share; nothing else includes this.
 *
 *   h1_mhd.c       the engine: MHD's daemon on the worker's loop
 *   h1_conn.c      one connection, from the STARTED hook to the CLOSED hook
 *   h1_deadline.c  the phases of a connection and how long each may last
 *   h1_request.c   MHD's callbacks that read a request
 *   h1_gate.c      which requests are let in
 *   h1_body.c      the request body: parking and waking a stream
 *   h1_hold.c      streams that may be woken before it pays to park them
 *   h1_interim.c   what is written past MHD: interim responses, and early ones
 *   h1_respond.c   from an exchange's response to an MHD_Response
 *   h1_variant.c   the MHD_Responses kept on prepared responses
 *   h1_push.c      how TLS records go out: as few and as full segments as can be
 *   h1_tunnel.c    connections that have been upgraded
 *   h1_linger.c    closing without destroying what was just sent
 *
 * What must be known of MHD (0.9.75 to 1.0): it suspends only from within the access and
 * content-reader callbacks; a suspended connection sees neither time nor a disconnect; a response
 * can be queued in the first call of the access handler (the connection then closes), in the last,
 * or while suspended in the last, but not in between. */
#ifndef LINTEL_ENGINES_H1_INTERNAL_H
#define LINTEL_ENGINES_H1_INTERNAL_H

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"
#include "base/log_limit.h"
#include "engines/h1_mhd.h"
#include "http/exchange.h"
#include "http/prepared.h"

#include <arpa/inet.h>
#include <microhttpd.h>

/* Where a connection stands. Each phase is a list in the order in which connections entered it;
 * all in one list have the same time limit, so the first is the first to expire. */
enum h1_phase {
    PHASE_HEADER,  /* TLS handshake and a request's header */
    PHASE_SURPLUS, /* the same, of a connection that there is no place for */
    PHASE_IDLE,    /* between two requests */
    PHASE_BODY,    /* a body is on its way, in or out */
    PHASE_PARKED,  /* suspended: a handler has to come first */
    PHASE_TUNNEL,  /* upgraded: no time limit of ours */
    PHASE_DEAD,    /* shut down; MHD has yet to notice */
    PHASE_COUNT
};

struct h1_linger {
    struct loop *loop;
    struct list sockets; /* the longest lingering first */
    unsigned n;
    struct timer timer;
};

/* What h1_engine_add() hands to the STARTED hook, which MHD calls from within. */
struct h1_arrival {
    int fd;
    const struct sockaddr *peer;
    const struct listener_conf *listener;
    const struct tls_choice *choice;
    bool surplus;
};

struct h1_engine {
    struct loop *loop;
    struct MHD_Daemon *daemon;
    struct event_source src;  /* MHD's epoll descriptor */
    struct task run;          /* to be run before the loop sleeps: something was resumed or added */
    struct timer again;       /* MHD was not done, but others shall have their turn */
    struct timer tick;        /* looks at the deadlines; set while there are connections */
    uint64_t files_looked_ms; /* when h1_deadline.c last looked at files that are being sent */
    struct service *service;
    struct tls_tickets *tickets;
    size_t pool; /* bytes that MHD has for the header of a request and of its response */
    bool tls;
    bool mhd_is_strict; /* version 1.0 or newer */
    bool draining;
    bool stopping;
    struct budget *places; /* one for each connection that is neither dead nor surplus */
    unsigned n_surplus;
    unsigned n_connections; /* all, those in PHASE_DEAD as well */
    struct list phases[PHASE_COUNT];
    uint64_t limit_ms[PHASE_COUNT];
    struct list spare;          /* streams to use again */
    struct log_limit log_limit; /* of failed handshakes */
    unsigned n_spare;
    const struct h1_arrival *arrival;
    struct h1_linger linger;
    size_t large_blocks; /* bytes of the streams' */
    unsigned n_held;     /* streams: h1_hold.c */
    bool idle;           /* the loop had nothing to do but to run MHD */
    bool spins;    /* MHD was not done after many runs, and not because of those that are held */
    char *scratch; /* H1_SCRATCH bytes for whoever is at work; NULL before the first tunnel */
};

/* MHD sends a response's header and each block of its body by itself, and a TLS session each
 * record. Where the next one is at hand, this one waits for it, so that both make one segment. */
struct h1_push {
    bool hold;  /* the next record is a header, with a body at hand */
    char *held; /* it, until the next one is sent; NULL: none */
    size_t held_len;
    size_t ahead; /* bytes of a body that MHD has in memory and will send next */
};

struct h1_conn {
    struct list item; /* in the list of its phase */
    enum h1_phase phase;
    uint64_t since_ms;  /* in this phase */
    bool looked_at;     /* in this phase: h1_deadline.c */
    uint64_t upload_ms; /* when a request body last moved */
    uint64_t progress;  /* TCP's byte count when its body was last looked at */
    uint64_t dry;       /* the same when a file had nothing to send, + 1; 0: it had */
    struct h1_engine *en;
    struct MHD_Connection *mhd;
    int fd;                   /* MHD's */
    struct h1_stream *stream; /* NULL between requests */
    bool dead;                /* shut down: nothing is read or sent any more */
    bool unread;              /* closes before all that the client sent was read */
    bool surplus;             /* has no place, and gets no more than a 503 */
    struct service *service;  /* of the listener; pinned */
    const struct listener_conf *listener;
    gnutls_session_t session; /* NULL if plain; MHD's */
    struct h1_push push;      /* for that */
    struct cred *cred;
    struct tls_tickets *tickets;
    const char *tls_version; /* set with the first request */
    const char *tls_cipher;
    bool tls_resumed;
    struct str tls_proto;
    uint16_t remote_port;
    char remote_host[INET6_ADDRSTRLEN];
    char *sni; /* NULL if none */
};

/* How far a request has been read. */
enum h1_stage {
    STAGE_HEADER, /* up to and with the first call of the access handler */
    STAGE_EXPECT, /* suspended in it: the client sends its body when it is told to (RFC
                     9110 10.1.1), and nobody has asked for it yet */
    STAGE_BODY,   /* its body is being read */
    STAGE_FULL    /* all of it was read: a response can be queued at any time */
};

enum {
    H1_BODY_BUFFER = 32 * 1024, /* of a request body, read ahead of the handler */
    H1_SCRATCH = 16 * 1024,
    H1_DRAIN_KEEP = 64 * 1024, /* a body up to this is read to its end, although nobody wants it */
    H1_DRAIN_MOST = 16 * 1024 * 1024 /* a handler answers in mid-body: as much is thrown away */
};

struct h1_stream {
    struct list item; /* while spare */
    struct h1_conn *conn;
    struct arena *arena;
    const char *raw_target; /* in MHD's buffer: unescaped and cut up after the URI callback */
    size_t header_size;     /* of the request, in MHD's memory until the response has been sent */
    enum h1_stage stage;
    bool refused;                  /* by the gate */
    bool answered;                 /* the response was written past MHD */
    bool queued;                   /* MHD has the response... */
    struct MHD_Response *response; /* ...of a source, this one: MHD's */
    size_t large_block;            /* bytes that MHD has for its body, if they are many */
    bool parked;                   /* suspended */
    unsigned asked;                /* times since it is held; 0: it is not */
    bool woken;                    /* resumed while it was not parked */
    bool body_wanted;              /* somebody has asked for the request body */
    bool body_ended;               /* it was read to its end */
    int64_t drained;               /* bytes of it thrown away */
    struct h1_tunnel *tunnel;      /* NULL: it is none */
    char *body;                    /* H1_BODY_BUFFER bytes, or NULL */
    size_t body_from;              /* the handler reads here */
    size_t body_to;                /* MHD's next bytes go here */
    struct exchange ex;            /* last: an exchange knows its stream by container_of */
};

static inline struct h1_stream *h1_stream_of(struct exchange *ex)
{
    return container_of(ex, struct h1_stream, ex);
}

extern const struct exchange_engine h1_exchange_engine;

/* ---- h1_mhd.c ---- */

void h1_engine_wake(struct h1_engine *en); /* runs MHD before the loop sleeps */
struct h1_stream *h1_stream_take(struct h1_conn *c);
void h1_stream_give_back(struct h1_stream *st);

/* ---- h1_conn.c ---- */

/* MHD_NotifyConnectionCallback */
void h1_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code);
/* Cuts the connection: no more of a response is sent. MHD closes it when it runs next. */
void h1_conn_kill(struct h1_conn *c);
/* Takes up the engine's newest service, if that still has the connection's listener. */
void h1_conn_refresh(struct h1_conn *c);
/* The address at which the client came in, as text in a. */
struct str h1_conn_local_host(const struct h1_conn *c, struct arena *a);

/* ---- h1_deadline.c ---- */

void h1_deadline_init(struct h1_engine *en);
void h1_deadline_set_limits(struct h1_engine *en, const struct options *o);
void h1_conn_enter(struct h1_conn *c, enum h1_phase phase);
void h1_conn_leave(struct h1_conn *c); /* out of every list */
/* h1_conn_refresh() for all connections without a request: idle ones would keep an old
 * configuration alive. */
void h1_deadline_refresh(struct h1_engine *en);
/* Closes the connections that wait for a request. */
void h1_deadline_close_idle(struct h1_engine *en);

/* ---- h1_request.c ---- */

void *h1_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd); /* URI_LOG_CALLBACK */
enum MHD_Result h1_on_access(void *cls, struct MHD_Connection *mhd, const char *url,
                             const char *method, const char *version, const char *data,
                             size_t *size, void **context);
void h1_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
                     enum MHD_RequestTerminationCode code);

/* ---- h1_body.c ---- */

void h1_park(struct h1_stream *st);   /* from MHD's callbacks only */
void h1_unpark(struct h1_stream *st); /* no harm if it is not parked */

/* Takes what fits of data; *size becomes what is left over. False: cut the connection. */
bool h1_body_take(struct h1_stream *st, const char *data, size_t *size);
void h1_body_end(struct h1_stream *st);
/* How much h1_body_put() takes. */
size_t h1_body_room(struct h1_stream *st);
void h1_body_put(struct h1_stream *st, const char *data, size_t len);
enum pull h1_body_read(struct exchange *ex, char *buf, size_t cap, size_t *n);
/* Whether the client waits for 100 (Continue). */
bool h1_body_is_awaited(const struct h1_stream *st);
/* Whether an unwanted body is short enough to be read, so that the connection can be kept. */
bool h1_body_is_short(const struct h1_stream *st);

/* ---- h1_hold.c ---- */

/* From MHD's callbacks, for a stream that has nothing to say yet: lets MHD ask again. False: it has
 * to be parked. */
bool h1_hold(struct h1_stream *st);
void h1_hold_end(struct h1_stream *st); /* no harm if it is not held */

/* ---- h1_interim.c ---- */

void h1_interim(struct exchange *ex, int status, const struct fields *fields);
/* The exchange has its response in the middle of the request's body: sends it at once, if that is
 * possible and pays. What is left of the body is then read as long as H1_DRAIN_MOST says, since who
 * reads only after sending would lose the response to a reset. */
bool h1_early(struct h1_stream *st);

/* ---- h1_respond.c ---- */

void h1_queue(struct h1_stream *st); /* the exchange has its response, MHD takes one now */
/* Whether a field is the engine's own business: framing. */
bool h1_is_engines_own(struct str name);
/* An MHD_Response with the given fields, and those that the engine adds. NULL without memory. */
struct MHD_Response *h1_response_with(struct MHD_Response *r, const struct fields *fields,
                                      bool close, struct arena *scratch);

/* ---- h1_variant.c ---- */

/* Whether what h1_variant() makes for ex stays the prepared response's. */
bool h1_variant_is_kept(const struct exchange *ex);
/* The response of ex->body.prepared with ex->response; the caller's, if it is not kept. */
struct MHD_Response *h1_variant(struct h1_stream *st, bool close);

/* ---- h1_push.c ---- */

void h1_push_start(struct h1_conn *c); /* before the handshake; sets the session's pointer to c */
/* The response of ex is about to be queued. */
void h1_push_expect(struct h1_conn *c, const struct exchange *ex);
void h1_push_fini(struct h1_push *p);
/* ---- h1_tunnel.c ---- */

/* What MHD takes as the response that makes a tunnel of a plain connection. */
struct MHD_Response *h1_tunnel_response(struct h1_stream *st);
/* Makes one of a connection with TLS, which is suspended, or will be. False: it cannot be. */
bool h1_tunnel_begin(struct h1_stream *st);
void h1_tunnel_wake(struct h1_stream *st);  /* there may be something to do */
void h1_tunnel_cut(struct h1_stream *st);   /* closes it when the loop comes to that */
void h1_tunnel_close(struct h1_stream *st); /* closes it; not from a handler */

/* ---- h1_linger.c ---- */

void h1_linger_init(struct h1_linger *lg, struct loop *l);
void h1_linger_fini(struct h1_linger *lg);
/* Keeps a duplicate of fd open until the peer has closed or two seconds have passed, and throws
 * away what it still sends: a close() with bytes unread would reset the connection, and the peer
 * might never see the response (RFC 9112 9.6). */
void h1_linger_add(struct h1_linger *lg, int fd);

#endif
