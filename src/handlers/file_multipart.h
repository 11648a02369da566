/* Several ranges of a file as one body (RFC 9110 14.6). */
#ifndef LINTEL_HANDLERS_FILE_MULTIPART_H
#define LINTEL_HANDLERS_FILE_MULTIPART_H

#include "handlers/file_rep.h"
#include "http/exchange.h"
#include "http/ranges.h"

/* Answers ex with 206 and a multipart/byteranges of these ranges of rep, of which ex holds a
 * reference. */
void file_multipart_respond(struct exchange *ex, const struct file_rep *rep,
                            const struct range *ranges, size_t n);

#endif
