/* Names, sizes and times of a list as HTML, JSON, URLs and text. Names are any bytes: what is no
 * UTF-8 is shown as U+FFFD. Pure functions. */
#ifndef LINTEL_HANDLERS_BROWSE_TEXT_H
#define LINTEL_HANDLERS_BROWSE_TEXT_H

#include "base/str.h"

/* Where to write; what has no room is left out, never a part of an escape. */
struct browse_pen {
    char *at;
    char *end;
};

void browse_put(struct browse_pen *p, struct str s);
void browse_put_char(struct browse_pen *p, char c);
void browse_put_number(struct browse_pen *p, int64_t n);

/* For text and for quoted attributes. Control characters are U+FFFD. */
void browse_put_html(struct browse_pen *p, struct str s);

/* The inside of a string, as Go's encoder writes it: also "<", ">" and "&" are escaped. */
void browse_put_json(struct browse_pen *p, struct str s);

/* For text/plain: control characters are U+FFFD. */
void browse_put_plain(struct browse_pen *p, struct str s);

/* The characters that it shows. */
size_t browse_plain_width(struct str s);

/* A segment of a path, the bytes escaped that Go escapes, and besides "&": good for attributes. */
void browse_put_url(struct browse_pen *p, struct str s);

/* The same in a string of JSON, with what Go's would say there. */
void browse_put_json_url(struct browse_pen *p, struct str s);

/* A value of a query. */
void browse_put_query(struct browse_pen *p, struct str s);

/* "512 B", "1.5 KiB", "23 MiB": powers of 1024. */
void browse_put_size(struct browse_pen *p, int64_t bytes);

/* "2026-11-25 21:13", "2026-11-25T21:13:57Z" with the fraction that there is, and "November 25,
 * 2026 at 21:13:57". UTC. */
void browse_put_time(struct browse_pen *p, int64_t time_s);
void browse_put_datetime(struct browse_pen *p, int64_t time_s, uint32_t ns);
void browse_put_long_time(struct browse_pen *p, int64_t time_s);

#endif
