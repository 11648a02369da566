/* What differs between two texts, line by line, in the form of "diff -u", which patch(1) takes. */
#ifndef LINTEL_BASE_DIFF_H
#define LINTEL_BASE_DIFF_H

#include "base/buf.h"

/* Appends it to out, the two files named as given; nothing if the texts are equal. Returns 0, or -1
 * if out's ceiling is too low. Made for texts that are nearly the same: equal lines are looked for
 * in the next lines only. So time is linear and memory that of the result, and what is printed is
 * right, but may be longer than it could be. */
MUST_CHECK int diff_unified(struct str from, struct str to, const char *from_name,
                            const char *to_name, struct buf *out);

#endif
