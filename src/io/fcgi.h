/* The records of FastCGI (version 1 of its specification, 1996): those of one request in the role
 * of a responder, as bytes, and back. It does no I/O and keeps nothing of what it is shown. One
 * request at a time goes over a connection. */
#ifndef LINTEL_IO_FCGI_H
#define LINTEL_IO_FCGI_H

#include "base/str.h"

enum {
    FCGI_HEADER_SIZE = 8,
    FCGI_CONTENT_MAX = 65535, /* bytes of one record */
    FCGI_PARAM_MAX = 1 << 24  /* bytes of a name or a value that may be written */
};

/* ---- writing ---- */

/* One of the variables that tell of the request. */
struct fcgi_param {
    struct str name;
    struct str value;
};

/* The bytes of a request's beginning: all but its body. */
size_t fcgi_request_size(const struct fcgi_param *list, size_t n);

/* Writes them; keep: the connection shall stay open. Returns where they end. */
char *fcgi_put_request(char *at, const struct fcgi_param *list, size_t n, bool keep);

/* Writes the header of a record with n bytes of the body, which follow it; n = 0 is the body's end.
 * n <= FCGI_CONTENT_MAX. Returns where it ends. */
char *fcgi_put_body(char *at, size_t n);

/* ---- reading ---- */

enum fcgi_event {
    FCGI_MORE,   /* nothing more can be said before more has come */
    FCGI_STDOUT, /* bytes, to be taken with fcgi_take() */
    FCGI_STDERR, /* the same, of what went wrong */
    FCGI_END,    /* the request is over: app_status, refusal; what follows is not of it */
    FCGI_BROKEN  /* it is no FastCGI, or not of this request: why */
};

/* Why the other side did not even begin. */
enum fcgi_refusal {
    FCGI_DONE, /* it has carried the request out */
    FCGI_CANNOT_MULTIPLEX,
    FCGI_OVERLOADED,
    FCGI_UNKNOWN_ROLE
};

/* Zeroed for each response. */
struct fcgi_reader {
    /* What events tell. */
    struct str bytes; /* in what fcgi_next() was given */
    uint32_t app_status;
    enum fcgi_refusal refusal;
    const char *why;

    /* Its own. */
    enum { FCGI_AT_HEADER, FCGI_AT_CONTENT, FCGI_AT_PADDING, FCGI_AT_END, FCGI_FAILED } state;
    unsigned kind;    /* of the record at hand */
    unsigned content; /* bytes of it that are still to come */
    unsigned padding;
    bool begun;
    bool stdout_ended, stderr_ended;
    bool ended; /* once the padding has come */
};

/* What is next in *in, from which it takes what it needs not tell. What is left of *in comes first
 * the next time, with more behind it. */
enum fcgi_event fcgi_next(struct fcgi_reader *r, struct str *in);

/* Takes n of the bytes that were told of out of *in. */
void fcgi_take(struct fcgi_reader *r, struct str *in, size_t n);

#endif
