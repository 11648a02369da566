/* What the parser of FastCGI responses says of a message, as text: however the message is cut up,
 * the text must be the same. */
#ifndef LINTEL_TESTS_UNIT_FCGI_TRANSCRIPT_H
#define LINTEL_TESTS_UNIT_FCGI_TRANSCRIPT_H

#include "base/buf.h"
#include "io/fcgi_response.h"

struct fcgi_transcript_how {
    bool is_head;
    size_t max_head;
    size_t step;     /* bytes that come at a time; 0: all at once */
    size_t mouthful; /* bytes of body taken at a time; 0: all there are */
};

/* Appends to out: "Name=value|" for a field, "(status length)" at the end of the header; the body;
 * "." at the end, with "x" and the application's status unless it is 0, and "+n" with n bytes left
 * over; "!why" if broken, "#why" if too big; then "[...]" with what came on stderr. The message is
 * over when it ends or, after its last byte, when the connection is closed. */
void fcgi_transcript(struct buf *out, struct str message, const struct fcgi_transcript_how *how);

#endif
