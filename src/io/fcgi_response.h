/* A response by FastCGI: its records (io/fcgi.h), and in them what a CGI program answers
 * (io/cgi_response.h). To be used as io/response_parser.h is. */
#ifndef LINTEL_IO_FCGI_RESPONSE_H
#define LINTEL_IO_FCGI_RESPONSE_H

#include "io/cgi_response.h"
#include "io/fcgi.h"

struct fcgi_response {
    /* What events tell, beside what is in cgi. */
    const char *why;
    bool overloaded; /* with RESPONSE_BROKEN: the other side did not begin, for want of room */

    /* Its own. */
    struct fcgi_reader records;
    struct cgi_response cgi;
    void (*on_stderr)(void *arg, struct str bytes); /* called by fcgi_response_next(); or NULL */
    void *arg;
};

void fcgi_response_init(struct fcgi_response *f, bool is_head, size_t max_head);
void fcgi_response_fini(struct fcgi_response *f);

/* What is next in *in: RESPONSE_MORE, _FIELD, _HEAD, _BODY, _END, _TOO_BIG or _BROKEN. The bytes of
 * a body are f->cgi.bytes; they are to be taken with fcgi_response_take(). */
enum response_event fcgi_response_next(struct fcgi_response *f, struct str *in);
void fcgi_response_take(struct fcgi_response *f, struct str *in, size_t n);

/* The peer has closed. All that came must have been shown. */
enum response_event fcgi_response_close(struct fcgi_response *f);

#endif
