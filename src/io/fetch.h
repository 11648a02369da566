/* HTTP requests that we make ourselves, to upstreams and to ACME servers: the only place that
 * knows libcurl. One fetcher (a curl multi handle) per loop; everything runs in its thread and
 * nothing blocks. Bodies are streamed both ways with back-pressure. */
#ifndef LINTEL_IO_FETCH_H
#define LINTEL_IO_FETCH_H

#include "base/str.h"
#include "io/loop.h"

struct fetcher;
struct fetch;

/* What a body source answers when it is asked for bytes. Shared with http/exchange.h. */
enum pull {
    PULL_BYTES, /* *n bytes (at least 1) were put in buf */
    PULL_AGAIN, /* none at the moment: whoever has some says so (fetch_resume_send, exchange_resume)
                 */
    PULL_END,   /* the body is complete */
    PULL_FAIL   /* the body breaks off */
};

/* Why a fetch ended. */
enum fetch_result {
    FETCH_OK,              /* the whole response was taken */
    FETCH_CONNECT,         /* no connection: nothing was sent (DNS, refused, TLS) */
    FETCH_CONNECT_TIMEOUT, /* the same, because connect_timeout_ms passed */
    FETCH_TIMEOUT,         /* head_timeout_ms or total_timeout_ms passed */
    FETCH_BROKEN,          /* the peer broke off, or sent what is no HTTP */
    FETCH_TOO_BIG,         /* its header is larger than the limit */
    FETCH_FAILED           /* anything else */
};

/* Called in the loop's thread, never from within fetch_start(). arg is fetch_spec.arg. Any
 * function of this file but fetcher_free() may be called from within. */
struct fetch_events {
    /* The response's status and fields have arrived (interim 1xx responses are not shown).
     * Each field was shown by on_field before, in order, name as sent. */
    void (*on_field)(void *arg, struct str name, struct str value);
    void (*on_head)(void *arg, int status, int64_t content_length); /* -1: not known */
    /* Body bytes. Returns true if they were all taken; false if none were: the fetch then pauses
     * (and TCP slows the peer down) until fetch_resume_recv(), and offers them again. */
    bool (*on_body)(void *arg, struct str bytes);
    /* The end; why is one line in plain words ("connection refused"). f is freed after it. */
    void (*on_done)(void *arg, enum fetch_result result, const char *why);
    /* Request body bytes, if fetch_spec.body_len != 0. NULL for none. */
    enum pull (*pull)(void *arg, char *buf, size_t cap, size_t *n);
};

struct fetch_spec {
    const struct fetch_events *events;
    void *arg;
    const char *method;        /* "GET" */
    const char *url;           /* absolute, http:// or https:// */
    const char *target;        /* the request target, sent as it is; NULL: that of the url */
    const char *const *fields; /* "Name: value" lines, NULL at the end; sent as they are. libcurl's
                                  own Accept, User-Agent, Expect and Content-Type never are. */
    int64_t body_len;          /* request body: 0 none, -1 not known (chunked), else bytes; 0 for
                                  HEAD */
    const char *unix_socket;   /* connect to this path instead, or NULL */
    const char *connect_to; /* "host:port" to connect to instead of the URL's authority, or NULL */
    const char *ca_file;    /* PEM of the roots to trust instead of the system's, or NULL */
    unsigned connect_timeout_ms; /* 0: 3000 */
    unsigned head_timeout_ms;    /* until the response's head, without the peer taking any of the
                                    request body; 0: none */
    unsigned total_timeout_ms;   /* 0: none */
    size_t max_head;             /* bytes of the response's head; 0: 256 KiB */
    bool raw; /* hand on bodies as they are, no decoding, no redirects (always so) */
};

/* max_idle: connections kept open for reuse, in all. */
struct fetcher *fetcher_new(struct loop *l, unsigned max_idle, struct err *e);
void fetcher_free(struct fetcher *fr); /* cancels what is under way: no callback is called */

/* Copies what it needs of spec. NULL with *e set if it cannot even start. */
struct fetch *fetch_start(struct fetcher *fr, const struct fetch_spec *spec, struct err *e);

/* Ends it without any further callback and frees it. */
void fetch_cancel(struct fetch *f);

void fetch_resume_recv(struct fetch *f); /* on_body answered false: offer again */
void fetch_resume_send(struct fetch *f); /* pull answered PULL_AGAIN: ask again */

/* libcurl's. */
const char *fetch_version(void);

#endif
