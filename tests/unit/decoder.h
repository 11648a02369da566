/* The other end of handlers/encode: reads what the coders have written, with the same libraries. */
#ifndef LINTEL_TESTS_UNIT_DECODER_H
#define LINTEL_TESTS_UNIT_DECODER_H

#include "base/str.h"

/* Decodes what can be read of in, which may be the beginning of a stream. Returns the bytes put in
 * out; *ended: the stream is complete, and nothing follows it. SIZE_MAX: it is none, or cap is not
 * enough. */
size_t decode(struct str coding, struct str in, char *out, size_t cap, bool *ended);

#endif
