/* The line that an exchange leaves in the access log. */
#ifndef LINTEL_HTTP_ACCESS_LOG_H
#define LINTEL_HTTP_ACCESS_LOG_H

#include "http/exchange.h"

/* One line with its newline, in the exchange's arena. JSON has Caddy's field names. The values of
 * fields that carry secrets (Authorization, Cookie...) are replaced by "REDACTED"; whatever a peer
 * sent is escaped. */
struct str access_log_line(struct exchange *ex, enum log_format format);

#endif
