/* One HTTP request that we make ourselves, to an upstream or an ACME server, and its response,
 * whoever carries it. A transport carries them: io/fetch.h by libcurl, io/direct.h by itself.
 * Everything of a transport runs in its loop's thread and nothing blocks. Bodies are streamed both
 * ways with back-pressure.
 *
 * An upgrade (transfer_spec.upgrade): a response with status 101 turns the transfer into a tunnel.
 * After on_head(101) bytes go both ways as they are: on_body brings the upstream's, pull gives
 * those for it. A side that has no more to say tells so, and the other goes on: on_eof says that
 * the upstream has done so first, PULL_END that we have. When both have, on_done tells of the end.
 */
#ifndef LINTEL_IO_TRANSFER_H
#define LINTEL_IO_TRANSFER_H

#include "base/err.h"
#include "base/str.h"

#include <errno.h>
#include <stdint.h>

/* What a body source answers when it is asked for bytes. Shared with http/exchange.h. */
enum pull {
    PULL_BYTES, /* *n bytes (at least 1) were put in buf */
    PULL_AGAIN, /* none at the moment: whoever has some says so (transfer_resume_send,
                   exchange_resume) */
    PULL_END,   /* the body is complete */
    PULL_FAIL   /* the body breaks off */
};

/* Why a transfer ended. */
enum transfer_result {
    TRANSFER_OK,              /* the whole response was taken */
    TRANSFER_CONNECT,         /* no connection: nothing was sent (DNS, refused, TLS) */
    TRANSFER_CONNECT_TIMEOUT, /* the same, because connect_timeout_ms passed */
    TRANSFER_EXHAUSTED,       /* the same, for want of something of our own: transfer_lacks() */
    TRANSFER_TIMEOUT,         /* another of the limits of time passed */
    TRANSFER_BROKEN,          /* the peer broke off, or sent what is no HTTP */
    TRANSFER_TOO_BIG,         /* its header is larger than the limit */
    TRANSFER_OVERLOADED,      /* the peer has not begun, for want of room */
    TRANSFER_FAILED           /* anything else */
};

/* Called in the loop's thread, never from within transfer_start(). arg is transfer_spec.arg. Any
 * function of this file may be called from within. */
struct transfer_events {
    /* An interim response (1xx, but for 101), before the final one. Each of its fields was shown by
     * on_interim_field before. Both may be NULL. */
    void (*on_interim_field)(void *arg, struct str name, struct str value);
    void (*on_interim)(void *arg, int status);
    /* The response's status and fields have arrived. Each field was shown by on_field before, in
     * order, name as sent. */
    void (*on_field)(void *arg, struct str name, struct str value);
    void (*on_head)(void *arg, int status, int64_t content_length); /* -1: not known */
    /* Body bytes. Returns true if they were all taken; false if none were: the transfer then pauses
     * (and TCP slows the peer down) until transfer_resume_recv(), and offers them again. */
    bool (*on_body)(void *arg, struct str bytes);
    /* The end; why is one line in plain words ("connection refused"). It is freed after it. */
    void (*on_done)(void *arg, enum transfer_result result, const char *why);
    /* Request body bytes, if transfer_spec.body_len != 0, and bytes for a tunnel. NULL for none. */
    enum pull (*pull)(void *arg, char *buf, size_t cap, size_t *n);
    /* A field of the trailer, after the last byte of the body. May be NULL. */
    void (*on_trailer)(void *arg, struct str name, struct str value);
    /* What a FastCGI server says beside its response, as it comes: not for the client. May be NULL.
     * Must not end the transfer. */
    void (*on_stderr)(void *arg, struct str bytes);
    /* Of a tunnel: the upstream sends no more. NULL: that is the end. */
    void (*on_eof)(void *arg);
};

struct fcgi_param;  /* io/fcgi.h */
struct dns_servers; /* io/dns_ask.h */

/* What is spoken with the peer. */
enum transfer_http {
    TRANSFER_HTTP1,
    TRANSFER_HTTP2, /* over TLS, and if the peer has it; else HTTP/1.1 */
    TRANSFER_H2C    /* HTTP/2 without TLS, as is known beforehand (RFC 9113 3.3) */
};

/* How many connections are kept though nobody uses them; 0: as many as the transport finds right.
 * Not by every transport. */
struct transfer_idle {
    unsigned max_each; /* to one peer */
    unsigned max;      /* of all transfers of the same group */
    uint64_t group;
};

enum { TRANSFER_ONCE = UINT32_MAX };  /* transfer_spec.idle_ms: the connection is used once */
enum { TRANSFER_NEVER = UINT32_MAX }; /* transfer_spec.fallback_ms */

struct transfer_spec {
    const struct transfer_events *events;
    void *arg;
    const char *method;        /* "GET" */
    const char *url;           /* absolute, http:// or https:// */
    const char *target;        /* the request target, sent as it is; NULL: that of the url */
    const char *const *fields; /* "Name: value" lines, NULL at the end; sent as they are, and no
                                  others but those of the framing */
    int64_t body_len;          /* request body: 0 none, -1 not known (chunked), else bytes; 0 for
                                  HEAD */
    const char *unix_socket;   /* connect to this path instead, or NULL */
    const char *connect_to; /* "host:port" to connect to instead of the URL's authority, or NULL */
    const char *ca_file;    /* PEM of the roots to trust instead of the system's, or NULL */
    const char *cert_file;  /* PEM of the certificate to show the peer, or NULL... */
    const char *key_file;   /* ...and of its key */
    bool insecure;          /* the peer's certificate may be any */
    enum transfer_http http;
    unsigned idle_ms; /* a connection that was idle for longer is not used again; 0: what the
                         transport finds right; TRANSFER_ONCE */
    struct transfer_idle idle;
    unsigned
        probe_ms; /* of TCP: a connection on which nothing moves is probed so often; 0: never */
    const struct dns_servers *servers; /* io/dns_ask.h: for the name; NULL: the system's. Not by
                                          every transport */
    const char *local_address;         /* to connect from, by TCP: an IP address; NULL: any */
    unsigned connect_timeout_ms;       /* 0: 3000 */
    unsigned fallback_ms;       /* the next address of a name is tried as well when one has not
                                   answered for so long; 0: 300; TRANSFER_NEVER */
    unsigned head_timeout_ms;   /* until the response's head, without the peer taking any of the
                                   request body; 0: none */
    unsigned read_timeout_ms;   /* while the response or more of it is awaited, and nothing
                                   comes; 0: none. Not in a tunnel */
    unsigned write_timeout_ms;  /* while the peer takes nothing of what it is sent; 0: none. Not in
                                   a tunnel */
    unsigned total_timeout_ms;  /* 0: none */
    unsigned expect_timeout_ms; /* the body waits for so long to be asked for (Expect: 100-continue,
                                   RFC 9110 10.1.1); 0: it does not, nor does it over HTTP/2 */
    size_t max_head;            /* bytes of the response's head; 0: 256 KiB */
    bool upgrade;               /* the fields ask for another protocol: 101 may be the answer. For
                                   body_len 0, and not by every transport */
    struct str preamble; /* sent first on a new connection, which is then for transfers with the
                            same one and for no others; len 0: none. Not by every transport */
    const struct fcgi_param *params; /* FastCGI: the request, in place of target and fields */
    size_t n_params;
    bool keep; /* FastCGI: the connection is kept open; each occupies a process of the server */
};

struct transfer;
struct transport;

struct transport_type {
    struct transfer *(*start)(struct transport *tp, const struct transfer_spec *spec,
                              struct err *e);
    void (*cancel)(struct transfer *t);
    void (*resume_recv)(struct transfer *t);
    void (*resume_send)(struct transfer *t);
    size_t (*read)(struct transfer *t, char *buf, size_t cap); /* NULL: it cannot */
};

/* Embedded in what implements them. */
struct transport {
    const struct transport_type *type;
};

struct transfer {
    const struct transport_type *type;
};

/* Whether there is no connection for want of descriptors, memory or ports. */
static inline bool transfer_lacks(int error)
{
    return error == EMFILE || error == ENFILE || error == ENOMEM || error == ENOBUFS ||
           error == EADDRNOTAVAIL;
}

/* Copies what it needs of spec. NULL with *e set if it cannot even start. */
static inline struct transfer *transfer_start(struct transport *tp,
                                              const struct transfer_spec *spec, struct err *e)
{
    return tp->type->start(tp, spec, e);
}

/* Ends it without any further callback and frees it. */
static inline void transfer_cancel(struct transfer *t)
{
    t->type->cancel(t);
}

/* on_body answered false: offer again. */
static inline void transfer_resume_recv(struct transfer *t)
{
    t->type->resume_recv(t);
}

static inline bool transfer_can_read(const struct transfer *t)
{
    return t->type->read != NULL;
}

/* Instead of transfer_resume_recv(), where the transport can: bytes of the body, up to cap of them
 * and received where they are wanted. Returns how many. 0: there are none now, or no more; then
 * on_body is called when there may be some, perhaps without any, or on_done. Calls nothing back. */
static inline size_t transfer_read(struct transfer *t, char *buf, size_t cap)
{
    return t->type->read(t, buf, cap);
}

/* pull answered PULL_AGAIN: ask again. */
static inline void transfer_resume_send(struct transfer *t)
{
    t->type->resume_send(t);
}

#endif
