/* Strict-Transport-Security (RFC 6797) by default, as a ramp: a promise to browsers that cannot be
 * taken back before its time is made short while certificates are new to a name, and longer the
 * longer they have worked. */
#ifndef LINTEL_HTTP_HSTS_H
#define LINTEL_HTTP_HSTS_H

#include "base/str.h"

#include <stdint.h>

/* The field value for a name that has been served with a certificate of a public CA since
 * public_since_s (0: it is not); len 0: none is to be sent. A constant. */
struct str hsts_ramp(int64_t public_since_s, int64_t now_s);

#endif
