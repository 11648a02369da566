/* Cookies of a request (RFC 6265). Pure functions. */
#ifndef LINTEL_HTTP_COOKIE_H
#define LINTEL_HTTP_COOKIE_H

#include "http/fields.h"

/* The value of the first cookie of that name; names are compared without regard to case, as in
 * Caddy. p == NULL if there is none, or its value has bytes that no cookie may have. */
struct str cookie_get(const struct fields *request, struct str name);

#endif
