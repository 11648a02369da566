/* One request and its response, whatever the protocol. An engine embeds a struct exchange in its
 * own stream struct and fills in the request; a handler sets the response. One thread: its
 * worker's.
 *
 * The life of an exchange:
 *  1. engine: exchange_init(), fills in the request, exchange_set_target(), service_handle().
 *  2. a handler answers at once (exchange_respond*), or keeps it (TAKEN) and answers later.
 *  3. engine: sends the head, then pulls the body until PULL_END.
 *  4. engine: service_log() and exchange_fini() at the end or when the client has gone: closes the
 *     body, runs what was deferred, in reverse order. A handler that still has work under way for
 *     the exchange learns of its end only by that. The arena is the engine's, to reset and reuse.
 */
#ifndef LINTEL_HTTP_EXCHANGE_H
#define LINTEL_HTTP_EXCHANGE_H

#include "base/arena.h"
#include "conf/conf.h"
#include "http/fields.h"
#include "io/fetch.h"
#include "io/loop.h"

#include <sys/socket.h>

struct exchange;
struct service;   /* http/service.h */
struct prepared;  /* http/prepared.h */
struct frame;     /* http/route.c */
struct var;       /* http/vars.c */
struct log_extra; /* http/access_log.c */

/* A body that is produced bit by bit. Embedded in what produces it. */
struct source {
    /* Puts 1 to cap bytes in buf and answers PULL_BYTES, or another answer. After PULL_AGAIN,
     * whoever has data calls exchange_resume(). */
    enum pull (*pull)(struct source *s, char *buf, size_t cap, size_t *n);
    /* Called exactly once, when the engine is done with it, however it ends. May be NULL. */
    void (*close)(struct source *s);
};

enum body_kind {
    BODY_NONE,    /* no content: 204, 304, or Content-Length: 0 */
    BODY_BYTES,   /* bytes that live as long as the exchange */
    BODY_FILE,    /* a range of an open file */
    BODY_SOURCE,  /* pulled */
    BODY_PREPARED /* a response kept ready: http/prepared.h */
};

struct body {
    enum body_kind kind;
    struct str bytes;          /* BODY_BYTES */
    int fd;                    /* BODY_FILE: closed by the engine, unless keep_fd */
    bool keep_fd;              /* BODY_FILE: fd is kept open for at least the exchange's life */
    int64_t offset;            /* BODY_FILE */
    int64_t len;               /* bytes of content; -1: not known (BODY_SOURCE only) */
    struct source *source;     /* BODY_SOURCE */
    struct prepared *prepared; /* BODY_PREPARED: one reference, the exchange's; BODY_BYTES: whose
                                  the bytes are, NULL if nobody keeps them */
};

/* What an engine does for an exchange. */
struct exchange_engine {
    void (*respond)(struct exchange *ex); /* status, fields and body are set: start sending */
    void (*resume)(struct exchange *ex);  /* the body source, or room for the request body */
    /* Bytes of the request body. PULL_AGAIN: ex->on_request_body is called when there are some. */
    enum pull (*read_body)(struct exchange *ex, char *buf, size_t cap, size_t *n);
    void (*abort)(struct exchange *ex); /* closes the connection without a complete response */
    /* The address at which the client came in, as text; in the exchange's arena. */
    struct str (*local_host)(struct exchange *ex);
    /* Sends an interim response to a client of HTTP/1.1, if it can at this moment; the fields are
     * end-to-end. NULL: it never can. */
    void (*interim)(struct exchange *ex, int status, const struct fields *fields);
};

struct deferred {
    struct deferred *next;
    void (*fn)(void *arg);
    void *arg;
};

struct respond_hook {
    struct respond_hook *next;
    void (*fn)(struct exchange *ex, const void *arg);
    bool (*takes)(struct exchange *ex, const void *arg); /* in place of fn */
    bool (*needs)(const struct prepared *p, const void *arg);
    const void *arg;
};

/* What handlers may change of the request, as the client sent it. */
struct original {
    struct str method;
    struct str raw_path;
    struct str query;
    struct str path;
    struct str authority;
    struct str host;
    struct fields request;
};

/* What reverse_proxy calls the upstream that it has chosen. */
struct upstream_names {
    struct str hostport;
    struct str host;
    struct str port;
    struct str address; /* "tcp/host:port", "unix//path" */
};

/* What an upstream has answered, or a handler below intercept. */
struct upstream_answer {
    int status;
    struct fields fields; /* all of them, as sent */
};

/* A folder whose files are served. */
struct folder {
    struct str path; /* NUL-terminated, absolute, without a "/" at its end; len 0: there is none */
    bool follow_links; /* symbolic links may lead out of it */
};

struct exchange {
    const struct exchange_engine *engine;
    struct arena *arena;
    struct loop *loop;
    struct service *service; /* pinned by the engine: configuration and handler states */
    struct cert_set *certs;  /* pinned by the engine */
    const struct listener_conf *listener;
    const struct site *site; /* set by service_handle() */
    struct frame *frame;     /* where it is in its routes: http/route.h */
    void *handler_state;     /* of the row at hand */
    struct var *vars;        /* http/vars.h */
    struct {
        int status; /* 0: none */
        struct str message;
    } error;                               /* what handle_errors is about */
    int match_error;                       /* of a matcher: the status to answer with; 0: none */
    const struct upstream_names *upstream; /* NULL: none was chosen */
    struct upstream_answer *answer;        /* reverse_proxy's; NULL: there is none */
    const struct upstream_answer *intercepted; /* that handle_response is about; NULL: none */
    int unanswered;     /* the status where no row answers; 0: the error's, or 200, as in Caddy */
    struct folder root; /* of the site */

    /* The request. All text is checked by the engine: tokens are tokens, no control bytes. */
    struct str method;
    struct str target;    /* as sent, and never changed */
    struct str raw_path;  /* of the target, before "?", still escaped */
    struct str query;     /* after "?"; p == NULL without one */
    bool path_gone;       /* nothing was left of it by a rewrite, so that it is "/" */
    struct str path;      /* decoded, cleaned ("." and ".." resolved); begins with "/" */
    struct str authority; /* Host field or target authority, as sent */
    struct str host;      /* of the authority, lower-cased, no port, no brackets */
    unsigned http_minor;  /* 1 for HTTP/1.1 */
    bool is_head;
    bool secure; /* over TLS */
    struct fields request;
    int64_t request_body_len;        /* 0 none, -1 chunked */
    int64_t request_body_max;        /* 0: no limit; of request_body */
    int64_t request_body_read;       /* by handlers */
    const struct original *original; /* NULL: nothing was changed; exchange_original() */

    /* The connection. */
    const struct sockaddr *peer;
    struct str remote_host; /* the peer's address as text */
    struct str client_ip;   /* the same, or whom a trusted proxy tells of: http/client_ip.h */
    bool trusted_peer;      /* it is such a proxy */
    uint16_t remote_port;
    uint16_t local_port;
    const char *tls_version; /* "TLS1.3", or NULL */
    const char *tls_cipher;
    bool tls_resumed;
    struct str tls_proto; /* agreed on by ALPN; len 0: none */
    struct str sni;

    /* The response. */
    int status;
    struct fields response;
    struct body body;
    struct fields trailer; /* what follows a body in chunks: to be there when its source answers
                              PULL_END */
    bool prompt;           /* the client should have the body's bytes as soon as they are there */
    bool responded;        /* exchange_respond was called */
    bool answered;         /* by a handler, and not since none did */
    bool close;            /* close the connection after it */
    bool upgraded;         /* it makes a tunnel of the connection */

    void (*on_request_body)(struct exchange *ex); /* set by a handler that reads the body */
    void *handler_data;                           /* the handler's own */
    struct deferred *deferred;
    struct respond_hook *hooks;

    /* For the access log: filled in by the engine. */
    uint64_t started_us;         /* monotonic */
    int64_t bytes_sent;          /* of the body */
    int64_t bytes_received;      /* of the request body */
    bool unlogged;               /* log_skip */
    struct log_extra *log_extra; /* log_append */
    struct {
        const struct log_conf *const *list; /* NULL: those of the site */
        size_t n;
    } named_logs; /* log_name */
};

/* ---- for handlers ---- */

/* Each answers the exchange; once only. fields already in ex->response are sent as well.
 * Content-Length and Date are the engine's. The body of a response to HEAD is not sent, but its
 * length is. */
void exchange_respond(struct exchange *ex, int status);                        /* no body */
void exchange_respond_bytes(struct exchange *ex, int status, struct str body); /* lives with ex */
void exchange_respond_file(struct exchange *ex, int status, int fd, bool keep_fd, int64_t offset,
                           int64_t len);
void exchange_respond_source(struct exchange *ex, int status, struct source *s, int64_t len);
/* 101 (RFC 9110 7.8): from then on s has the bytes for the client, and what the client sends is the
 * body of the request. For HTTP/1.1 only, with the field Upgrade, and not for a request with a
 * body.
 */
void exchange_respond_upgrade(struct exchange *ex, struct source *s);
void exchange_respond_prepared(struct exchange *ex, struct prepared *p); /* takes a reference */

/* What follows where no row has answered: no body, with the status of ex->unanswered, or 200. */
void exchange_respond_unanswered(struct exchange *ex);

/* Sends an interim response (1xx, but for 100 and 101: RFC 9110 15.2) before any of these. It is
 * for what can be left out: a client of HTTP/1.0 gets none, nor does one whose connection has no
 * room for it now. */
void exchange_interim(struct exchange *ex, int status, const struct fields *fields);

/* The answer to an error: that of handle_errors, or a small page. route_fail() in http/route.h
 * without a message. */
void exchange_respond_error(struct exchange *ex, int status);

/* X-Content-Type-Options: nosniff, unless a handler has set that field: the content is what its
 * type says, whatever it looks like to a browser. */
void exchange_nosniff(struct exchange *ex);

/* Calls fn(ex, arg) when the status and all fields of the response are set, before it is sent: for
 * what has to act on fields that a later handler sets. The last one registered is called first: a
 * response passes the handlers in the order that is the reverse of the request's. If needs(p, arg)
 * is false for all hooks, a prepared response stays so, and fn sees only what was added to it in
 * ex->response; else it is sent as plain fields and bytes. */
void exchange_on_respond(struct exchange *ex, void (*fn)(struct exchange *ex, const void *arg),
                         bool (*needs)(const struct prepared *p, const void *arg), const void *arg);

/* The same for what may answer otherwise: where takes(ex, arg) is true, it has taken the response
 * back by exchange_take_back(), and the exchange is still to be answered, or was; the hooks that
 * were registered before see that answer. Not asked where no row has answered. */
void exchange_intercept(struct exchange *ex, bool (*takes)(struct exchange *ex, const void *arg),
                        bool (*needs)(const struct prepared *p, const void *arg), const void *arg);

/* From within takes: nothing was answered. *body is the body that it would have had, for the one
 * who takes it to give back or to close. */
void exchange_take_back(struct exchange *ex, struct body *body);

/* For hooks that change what is prepared after all: turns a BODY_PREPARED into plain fields and
 * bytes, where it is not that already. */
void exchange_unprepare(struct exchange *ex);

/* The request as the client sent it, whatever handlers have changed since. */
struct original exchange_original(const struct exchange *ex);

/* To be called before any of these is changed; the first call keeps them. The list of fields is
 * not copied: who changes fields makes a list of their own. */
void exchange_keep_original(struct exchange *ex);

/* Makes the fields of the request a list of ex's own, to be changed in place; keeps the original.
 */
void exchange_own_fields(struct exchange *ex);

/* Whether this line of ex->request is as the client sent it, and not of the configuration's making.
 */
bool exchange_is_clients(const struct exchange *ex, const struct field *line);

/* Takes back what was changed of the method, the path and the query. */
void exchange_restore_target(struct exchange *ex);

/* Gives back what a body holds: for those that put another in its place. */
void exchange_close_body(struct body *b);

/* Makes the request one for another host: authority and host. */
void exchange_set_authority(struct exchange *ex, struct str authority);

/* Runs fn(arg) at the end of the exchange. */
void exchange_defer(struct exchange *ex, void (*fn)(void *), void *arg);

static inline void exchange_resume(struct exchange *ex)
{
    ex->engine->resume(ex);
}

/* Bytes of the request body. PULL_FAIL also when there are more than request_body_max: the error to
 * answer is then exchange_body_error(). */
enum pull exchange_read_body(struct exchange *ex, char *buf, size_t cap, size_t *n);

/* 413 if the body is longer than allowed, or else the given status. */
int exchange_body_error(const struct exchange *ex, int status);

static inline void exchange_abort(struct exchange *ex)
{
    ex->close = true;
    ex->engine->abort(ex);
}

/* ---- for engines ---- */

/* Zeroes ex and pins s. The arena is empty, the engine's, and outlives the exchange. */
void exchange_init(struct exchange *ex, const struct exchange_engine *engine, struct loop *l,
                   struct arena *a, struct service *s);

/* Splits target and authority (the Host field; an absolute-form target overrides it, RFC 9112
 * 3.2.2) into raw_path, query, path, host. False: the target is not acceptable (400): bad escapes,
 * NUL, a path that climbs above its root. The asterisk-form gives the path "*". */
bool exchange_set_target(struct exchange *ex);

void exchange_fini(struct exchange *ex);

/* "Not Found"; "" for a status without a registered phrase. */
const char *status_phrase(int status);

#endif
