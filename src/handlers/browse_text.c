#include "handlers/browse_text.h"

#include "base/date.h"

#include <stdio.h>

#define UNKNOWN "\xef\xbf\xbd" /* U+FFFD */

void browse_put(struct browse_pen *p, struct str s)
{
    if (s.len <= (size_t)(p->end - p->at))
        p->at = mempcpy(p->at, s.p, s.len);
}

void browse_put_char(struct browse_pen *p, char c)
{
    if (p->at < p->end)
        *p->at++ = c;
}

void browse_put_number(struct browse_pen *p, int64_t n)
{
    char digits[24];
    size_t at = sizeof digits;
    uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;

    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (n < 0)
        digits[--at] = '-';
    browse_put(p, (struct str){digits + at, sizeof digits - at});
}

/* ---- escapes ---- */

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

static bool is_plain(char c)
{
    return (unsigned char)c >= 0x20 && (unsigned char)c < 0x7f && c != '"' && c != '\'' &&
           c != '&' && c != '<' && c != '>' && c != '\\';
}

/* Calls put for each character of s that some form escapes; bytes that are none come as one with
 * len 0. What all forms write as it is, which is nearly all there is, is written at once. */
static void each(struct browse_pen *p, struct str s,
                 void (*put)(struct browse_pen *p, struct str character))
{
    while (s.len > 0) {
        size_t len = 0;

        while (len < s.len && is_plain(s.p[len]))
            len++;
        if (len > 0) {
            browse_put(p, (struct str){s.p, len});
        } else {
            len = str_utf8_len(s);
            put(p, (struct str){s.p, len});
            len = len == 0 ? 1 : len;
        }
        s = str_from(s, len);
    }
}

static void put_html(struct browse_pen *p, struct str c)
{
    struct str escape = c;

    if (c.len == 0 || is_control(c.p[0]))
        escape = STR_LIT(UNKNOWN);
    else if (c.p[0] == '&')
        escape = STR_LIT("&amp;");
    else if (c.p[0] == '<')
        escape = STR_LIT("&lt;");
    else if (c.p[0] == '>')
        escape = STR_LIT("&gt;");
    else if (c.p[0] == '"')
        escape = STR_LIT("&#34;");
    else if (c.p[0] == '\'')
        escape = STR_LIT("&#39;");
    browse_put(p, escape);
}

void browse_put_html(struct browse_pen *p, struct str s)
{
    each(p, s, put_html);
}

static void put_json(struct browse_pen *p, struct str c)
{
    static const char from[] = "\"\\\n\r\t\b\f", to[] = "\"\\nrtbf";
    const char *found;
    char escape[7];

    if (c.len == 0) {
        browse_put(p, STR_LIT("\\ufffd"));
        return;
    }
    found = c.p[0] == '\0' ? NULL : strchr(from, c.p[0]);
    if (found != NULL)
        browse_put(p, (struct str){(const char[]){'\\', to[found - from]}, 2});
    else if ((unsigned char)c.p[0] < 0x20 || strchr("<>&", c.p[0]) != NULL)
        browse_put(p, (struct str){escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x",
                                                            (unsigned)c.p[0])});
    else if (str_is(c, "\xe2\x80\xa8")) /* ends a line in JavaScript, as the next */
        browse_put(p, STR_LIT("\\u2028"));
    else if (str_is(c, "\xe2\x80\xa9"))
        browse_put(p, STR_LIT("\\u2029"));
    else
        browse_put(p, c);
}

void browse_put_json(struct browse_pen *p, struct str s)
{
    each(p, s, put_json);
}

static void put_plain(struct browse_pen *p, struct str c)
{
    browse_put(p, c.len == 0 || is_control(c.p[0]) ? STR_LIT(UNKNOWN) : c);
}

void browse_put_plain(struct browse_pen *p, struct str s)
{
    each(p, s, put_plain);
}

size_t browse_plain_width(struct str s)
{
    size_t n = 0;

    for (; s.len > 0; n++) {
        size_t len = str_utf8_len(s);

        s = str_from(s, len == 0 ? 1 : len);
    }
    return n;
}

static bool is_unreserved(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

static void put_escaped(struct browse_pen *p, struct str s, const char *kept)
{
    size_t plain = 0;

    while (plain < s.len && is_unreserved(s.p[plain]))
        plain++;
    browse_put(p, (struct str){s.p, plain});
    for (size_t i = plain; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (is_unreserved(s.p[i]) || (c != '\0' && strchr(kept, c) != NULL))
            browse_put_char(p, s.p[i]);
        else
            browse_put(p, (struct str){(const char[]){'%', "0123456789ABCDEF"[c >> 4],
                                                      "0123456789ABCDEF"[c & 15]},
                                       3});
    }
}

void browse_put_url(struct browse_pen *p, struct str s)
{
    put_escaped(p, s, "$+,:;=@");
}

/* Go keeps "&" in a path, but its JSON has no such byte. */
void browse_put_json_url(struct browse_pen *p, struct str s)
{
    while (s.p != NULL) {
        browse_put_url(p, str_cut(&s, '&'));
        if (s.p != NULL)
            browse_put(p, STR_LIT("\\u0026"));
    }
}

void browse_put_query(struct browse_pen *p, struct str s)
{
    put_escaped(p, s, "");
}

/* ---- sizes and times ---- */

void browse_put_size(struct browse_pen *p, int64_t bytes)
{
    static const char units[][4] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    uint64_t unit = 1, tenths;
    size_t i = 0;

    for (; (uint64_t)bytes / unit >= 1024 && i + 1 < sizeof units / sizeof units[0]; i++)
        unit *= 1024;
    /* In two steps, since ten times the largest size is no number. */
    tenths = (uint64_t)bytes / unit * 10 + ((uint64_t)bytes % unit * 10 + unit / 2) / unit;
    if (i == 0) {
        browse_put_number(p, bytes);
    } else if (tenths >= 100) {
        browse_put_number(p, (int64_t)(tenths + 5) / 10);
    } else {
        browse_put_number(p, (int64_t)tenths / 10);
        browse_put_char(p, '.');
        browse_put_number(p, (int64_t)tenths % 10);
    }
    browse_put_char(p, ' ');
    browse_put(p, str_of(units[i]));
}

void browse_put_time(struct browse_pen *p, int64_t time_s)
{
    char text[DATE_RFC3339_LEN + 1];

    date_format_rfc3339(time_s, text);
    text[10] = ' ';
    browse_put(p, (struct str){text, 16});
}

void browse_put_datetime(struct browse_pen *p, int64_t time_s, uint32_t ns)
{
    char text[DATE_RFC3339_LEN + 1], fraction[16];
    size_t len = 10;

    date_format_rfc3339(time_s, text);
    browse_put(p, (struct str){text, DATE_RFC3339_LEN - 1});
    if (ns > 0) {
        snprintf(fraction, sizeof fraction, ".%09u", (unsigned)(ns % 1000000000));
        while (fraction[len - 1] == '0')
            len--;
        browse_put(p, (struct str){fraction, len});
    }
    browse_put_char(p, 'Z');
}

void browse_put_long_time(struct browse_pen *p, int64_t time_s)
{
    static const char *const months[] = {"January",   "February", "March",    "April",
                                         "May",       "June",     "July",     "August",
                                         "September", "October",  "November", "December"};
    char text[DATE_RFC3339_LEN + 1];
    const char *day = text + 8;

    date_format_rfc3339(time_s, text);
    browse_put(p, str_of(months[((text[5] - '0') * 10 + text[6] - '0' + 11) % 12]));
    browse_put_char(p, ' ');
    browse_put(p, day[0] == '0' ? (struct str){day + 1, 1} : (struct str){day, 2});
    browse_put(p, STR_LIT(", "));
    browse_put(p, (struct str){text, 4});
    browse_put(p, STR_LIT(" at "));
    browse_put(p, (struct str){text + 11, 8});
}
