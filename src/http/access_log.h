/* The line that an exchange leaves in the access log. */
#ifndef LINTEL_HTTP_ACCESS_LOG_H
#define LINTEL_HTTP_ACCESS_LOG_H

#include "http/exchange.h"

/* One line with its newline, in the exchange's arena. JSON has Caddy's field names. The values of
 * fields that carry secrets (Authorization, Cookie...) are replaced by "REDACTED"; whatever a peer
 * sent is escaped. */
struct str access_log_line(struct exchange *ex, const struct log_conf *log);

/* Whether an exchange leaves a line in this log at all. */
bool access_log_wants(const struct exchange *ex, const struct log_conf *log);

/* Adds a field to the line, for formats that have names for their fields. Both live as long as ex,
 * as does the text, whose value is taken when the line is written. A value that is the name of a
 * variable stands for that. */
void access_log_append(struct exchange *ex, struct str key, struct str value);
void access_log_append_late(struct exchange *ex, struct str key, const struct text *value);

#endif
