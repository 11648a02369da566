/* Counted strings: a pointer and a length, not owned, not terminated. */
#ifndef LINTEL_BASE_STR_H
#define LINTEL_BASE_STR_H

#include "base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
    const char *p; /* may be NULL when len is 0 */
    size_t len;
};

#define STR_LIT(s) ((struct str){"" s, sizeof(s) - 1})
#define STR_FMT "%.*s"
#define STR_ARG(s) (int)(s).len, (s).p == NULL ? "" : (s).p

static inline struct str str_of(const char *s)
{
    return (struct str){s, s == NULL ? 0 : strlen(s)};
}

static inline bool str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0);
}

static inline struct str str_from(struct str s, size_t at)
{
    return (struct str){s.p + at, s.len - at};
}

static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
}

/* ASCII only, whatever the locale: the comparison of RFC 9110 5.1 and RFC 4343. */
bool str_eq_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_is(struct str s, const char *literal);
int str_cmp(struct str a, struct str b);

/* The index of c in s, or s.len. */
size_t str_chr(struct str s, char c);

/* Takes off spaces and tabs at both ends (OWS of RFC 9110 5.6.3). */
struct str str_trim(struct str s);

/* Cuts *rest at the first sep and returns what stood before it; *rest keeps what follows
 * (p == NULL once there was no further sep). Loop: while (rest.p != NULL) part = str_cut(...). */
struct str str_cut(struct str *rest, char sep);

/* The next element of a comma-separated list (RFC 9110 5.6.1), trimmed, quoted strings kept
 * whole, empty elements passed over. False at the end. */
bool str_list_next(struct str *rest, struct str *element);

/* A token of RFC 9110 5.6.2, as methods and field names are: at least one byte, no delimiter. */
bool str_is_token(struct str s);

/* Decimal digits only, at least one, no sign; false if not, or if above max. */
bool str_to_uint(struct str s, uint64_t max, uint64_t *value);

/* "90s", "5m", "12h", "7d", "1h30m", "250ms", or plain seconds; in milliseconds. */
MUST_CHECK int str_to_duration_ms(struct str s, uint64_t *ms, struct err *e);

/* "512", "64KB", "64KiB", "10MB": powers of 1000 and of 1024 as written. */
MUST_CHECK int str_to_size(struct str s, uint64_t *bytes, struct err *e);

/* FNV-1a over the lower-cased bytes: for tables whose keys we chose ourselves. */
uint32_t str_hash_nocase(struct str s);

/* The Levenshtein distance of two short words (at most 64 bytes each; beyond, 255). For
 * "did you mean" in messages. */
unsigned str_distance(struct str a, struct str b);

/* The bytes of the UTF-8 character that s, which is not empty, begins with; 0: it is none. */
size_t str_utf8_len(struct str s);

/* Constant in time for equal lengths: for secrets. */
bool str_eq_secret(struct str a, struct str b);

#endif
