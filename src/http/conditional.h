/* Conditional requests (RFC 9110 13): what If-Match and its kin say about a representation that
 * exists. Pure functions. */
#ifndef LINTEL_HTTP_CONDITIONAL_H
#define LINTEL_HTTP_CONDITIONAL_H

#include "http/fields.h"

#include <stdint.h>

/* The fields of a request that make it conditional, or ask for a part; p == NULL: absent. Several
 * lines of one name are joined by commas. */
struct conditions {
    struct str if_match;
    struct str if_none_match;
    struct str if_modified_since;
    struct str if_unmodified_since;
    struct str if_range;
    struct str range;
};

enum { NO_MTIME = -1 };

/* What is known of the representation. */
struct validators {
    struct str etag; /* with its quotes, and "W/" if weak; len 0: none */
    int64_t mtime_s; /* as in Last-Modified; NO_MTIME: none */
};

enum precondition {
    PRECONDITION_HOLDS,        /* go on: the whole, or a part */
    PRECONDITION_NOT_MODIFIED, /* 304 */
    PRECONDITION_FAILED        /* 412 */
};

/* False, and *c is empty, if the request has none of these fields. */
bool conditions_read(const struct fields *request, struct arena *a, struct conditions *c);

/* RFC 9110 13.2.2, steps 1 to 4. get: the method is GET or HEAD. now_s is for dates with two digits
 * of the year. Fields that do not follow their grammar match nothing, and dates that do not are
 * passed over. */
enum precondition conditions_check(const struct conditions *c, const struct validators *v, bool get,
                                   int64_t now_s);

/* Step 5: whether a Range field is to be obeyed. A date is a strong validator only if the file
 * was not changed in the second before now_s (8.8.2.2). */
bool conditions_allow_range(const struct conditions *c, const struct validators *v, int64_t now_s);

#endif
