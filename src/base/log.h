/* The server's own log: one line an event on standard error. Any thread.
 * Areas are short words: "cert", "acme", "conf", "http", "tls", "proxy", "server", "store".
 * A peer's control bytes are escaped; no keys, tokens or query strings. */
#ifndef LINTEL_BASE_LOG_H
#define LINTEL_BASE_LOG_H

#include "base/err.h"

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/* Lines below level are dropped. Start value: LOG_INFO. */
void log_set_level(enum log_level level);
enum log_level log_level(void);

/* log_error: somebody must act. log_warn: something is wrong but looked after. */
void log_debug(const char *area, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_info(const char *area, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_warn(const char *area, const char *fmt, ...) PRINTF_LIKE(2, 3);
void log_error(const char *area, const char *fmt, ...) PRINTF_LIKE(2, 3);

#endif
