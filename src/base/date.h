/* Dates as text: RFC 9110 5.6.7 (HTTP), RFC 3339 (ACME, logs), the common log format. UTC. */
#ifndef LINTEL_BASE_DATE_H
#define LINTEL_BASE_DATE_H

#include "base/str.h"

#include <stdbool.h>
#include <stdint.h>

enum {
    DATE_HTTP_LEN = 29,    /* "Sun, 06 Nov 1994 08:49:37 GMT" */
    DATE_RFC3339_LEN = 20, /* "1994-11-06T08:49:37Z" */
    DATE_CLF_LEN = 26      /* "06/Nov/1994:08:49:37 +0000" */
};

/* Days since 1970-01-01 of a date of the Gregorian calendar (month 1 to 12). */
int64_t date_days(int64_t year, unsigned month, unsigned day);

/* Each writes its length and a NUL. Times are seconds since 1970-01-01 00:00:00 UTC, from year 0
 * to 9999; outside of that the nearest of the two ends is written. */
void date_format_http(int64_t time_s, char out[DATE_HTTP_LEN + 1]);
void date_format_rfc3339(int64_t time_s, char out[DATE_RFC3339_LEN + 1]);
void date_format_clf(int64_t time_s, char out[DATE_CLF_LEN + 1]);

/* All three forms of RFC 9110 5.6.7 (IMF-fixdate, RFC 850, asctime), exact to the byte. now_s
 * decides the century of an RFC 850 date: one more than 50 years ahead is of the past. */
bool date_parse_http(struct str s, int64_t now_s, int64_t *time_s);

/* RFC 3339 with any fraction and offset. */
bool date_parse_rfc3339(struct str s, int64_t *time_s);

/* A Retry-After field value (RFC 9110 10.2.3), in seconds from now_s: delay-seconds or an
 * HTTP date; a date in the past is 0. */
bool date_parse_retry_after(struct str s, int64_t now_s, uint32_t *delay_s);

#endif
