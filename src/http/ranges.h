/* Range requests (RFC 9110 14): what a Range field asks for. Pure functions. */
#ifndef LINTEL_HTTP_RANGES_H
#define LINTEL_HTTP_RANGES_H

#include "base/str.h"

enum { RANGES_MAX = 16 }; /* a request for more of them gets the whole */

struct range {
    int64_t first;
    int64_t len; /* > 0 */
};

enum ranges_verdict {
    RANGES_WHOLE,        /* 200 with everything: the field is to be ignored */
    RANGES_SOME,         /* 206 */
    RANGES_UNSATISFIABLE /* 416 */
};

/* The ranges of a content of size bytes, in the order asked for, those that lie beyond its end left
 * out. Ignored are: other units than bytes, what does not follow the grammar, more than RANGES_MAX
 * ranges, and ranges that overlap (RFC 9110 14.2: they serve to make a server send much). */
enum ranges_verdict ranges_parse(struct str value, int64_t size, struct range out[RANGES_MAX],
                                 size_t *n);

#endif
