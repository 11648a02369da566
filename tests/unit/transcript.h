/* What the parser of responses says of a message, as text: however the message is cut up, the text
 * must be the same. */
#ifndef LINTEL_TESTS_UNIT_TRANSCRIPT_H
#define LINTEL_TESTS_UNIT_TRANSCRIPT_H

#include "base/buf.h"
#include "io/response_parser.h"

struct transcript_how {
    bool is_head;
    bool upgrade;
    size_t max_head;
    size_t step;     /* bytes that come at a time; 0: all at once */
    size_t mouthful; /* bytes of body taken at a time; 0: all there are */
};

/* Appends to out: "Name=value|" for a field, "(status length)" at the end of the header, with "c"
 * for chunked, "k" for a connection to keep and "s" for a switch; the body; "~Name=value|" for a
 * trailer;
 * "." at the end and "+n" with n bytes left over; "!why" if broken, "#why" if too big. The message
 * is over when it ends or, after its last byte, when the connection is closed. */
void transcript(struct buf *out, struct str message, const struct transcript_how *how);

#endif
