/* What a CGI program answers (RFC 3875 6): a header of lines that end with LF or CR LF, in which
 * "Status" has the status, and a body. Pure: it does no I/O. The header, which may come in pieces,
 * is kept until it is whole; of the body nothing is. */
#ifndef LINTEL_IO_CGI_RESPONSE_H
#define LINTEL_IO_CGI_RESPONSE_H

#include "base/buf.h"
#include "io/response_parser.h"

struct cgi_response {
    /* What events tell; names and values until the next call. */
    struct str name;
    struct str value;
    struct str bytes; /* in what cgi_next() was given */
    int status;
    int64_t content_length; /* as stated; -1: not stated */
    const char *why;

    /* Its own. */
    enum { CGI_AT_HEADER, CGI_AT_FIELDS, CGI_AT_BODY, CGI_FAILED } state;
    enum response_event failure;
    bool is_head;
    bool bodiless; /* whatever comes */
    bool redirects;
    unsigned n_fields;
    struct buf header;
    size_t line; /* in header: where the line at hand begins */
    uint64_t left;
};

/* For the response to a request with method HEAD, or not, with a header of at most max_head bytes.
 */
void cgi_response_init(struct cgi_response *c, bool is_head, size_t max_head);
void cgi_response_fini(struct cgi_response *c);

/* What is next: RESPONSE_MORE, RESPONSE_FIELD (all but Status), RESPONSE_HEAD, RESPONSE_BODY,
 * RESPONSE_TOO_BIG or RESPONSE_BROKEN. Takes from *in what it need not tell: the header, and what
 * goes beyond the length or may not be there. Fields and the head may be due when *in is empty. */
enum response_event cgi_response_next(struct cgi_response *c, struct str *in);

/* n of the bytes that were told of have been taken, by the caller. */
void cgi_response_took(struct cgi_response *c, size_t n);

/* There is no more: RESPONSE_END or RESPONSE_BROKEN. */
enum response_event cgi_response_end(struct cgi_response *c);

#endif
