#include "base/date.h"

#include <stdio.h>
#include <time.h>

static const char *const day_names[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                        "Thursday", "Friday", "Saturday"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

enum { DAY_S = 86400 };

static const int64_t earliest_s = -62167219200; /* 0000-01-01 00:00:00 */
static const int64_t latest_s = 253402300799;   /* 9999-12-31 23:59:59 */

struct civil {
    int64_t year;
    unsigned month, day, hour, minute, second, weekday;
};

/* Days are counted from 0000-03-01, so that a leap day is the last of its year. */
int64_t date_days(int64_t year, unsigned month, unsigned day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t year_of_era = y - era * 400;
    int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
           719468;
}

static struct civil civil_of(int64_t time_s)
{
    struct civil c;
    int64_t days, rest, era, day_of_era, year_of_era, day_of_year, month;

    if (time_s < earliest_s)
        time_s = earliest_s;
    if (time_s > latest_s)
        time_s = latest_s;
    days = time_s / DAY_S;
    rest = time_s % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    c.hour = (unsigned)(rest / 3600);
    c.minute = (unsigned)(rest / 60 % 60);
    c.second = (unsigned)(rest % 60);
    c.weekday = (unsigned)(((days + 4) % 7 + 7) % 7);
    days += 719468;
    era = (days >= 0 ? days : days - 146096) / 146097;
    day_of_era = days - era * 146097;
    year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    month = (5 * day_of_year + 2) / 153;
    c.day = (unsigned)(day_of_year - (153 * month + 2) / 5 + 1);
    c.month = (unsigned)(month < 10 ? month + 3 : month - 9);
    c.year = year_of_era + era * 400 + (c.month <= 2);
    return c;
}

/* snprintf's length checks see a year of any size: the bounds above make it four digits. */
static void put(char *out, size_t len, const char *text)
{
    memcpy(out, text, len);
    out[len] = '\0';
}

void date_format_http(int64_t time_s, char out[DATE_HTTP_LEN + 1])
{
    struct civil c = civil_of(time_s);
    char text[128];

    snprintf(text, sizeof text, "%.3s, %02u %s %04d %02u:%02u:%02u GMT", day_names[c.weekday],
             c.day, month_names[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
    put(out, DATE_HTTP_LEN, text);
}

static char *put_two(char *at, unsigned n, char after)
{
    *at++ = (char)('0' + n / 10);
    *at++ = (char)('0' + n % 10);
    *at++ = after;
    return at;
}

/* Without snprintf(), since lists of folders have one or two of these in each row. */
void date_format_rfc3339(int64_t time_s, char out[DATE_RFC3339_LEN + 1])
{
    struct civil c = civil_of(time_s);
    char *at = put_two(out, (unsigned)c.year / 100, ' ');

    at = put_two(at - 1, (unsigned)c.year % 100, '-');
    at = put_two(at, c.month, '-');
    at = put_two(at, c.day, 'T');
    at = put_two(at, c.hour, ':');
    at = put_two(at, c.minute, ':');
    at = put_two(at, c.second, 'Z');
    *at = '\0';
}

void date_format_clf(int64_t time_s, char out[DATE_CLF_LEN + 1])
{
    struct civil c = civil_of(time_s);
    char text[128];

    snprintf(text, sizeof text, "%02u/%s/%04d:%02u:%02u:%02u +0000", c.day,
             month_names[c.month - 1], (int)c.year, c.hour, c.minute, c.second);
    put(out, DATE_CLF_LEN, text);
}

/* ---- parsing: a cursor that only moves over what it was told to expect ---- */

static bool take_literal(struct str *s, const char *literal)
{
    struct str want = str_of(literal);

    if (!str_starts(*s, want))
        return false;
    *s = str_from(*s, want.len);
    return true;
}

static bool take_digits(struct str *s, size_t digits, unsigned *value)
{
    uint64_t v;

    if (s->len < digits || !str_to_uint((struct str){s->p, digits}, 9999, &v))
        return false;
    *value = (unsigned)v;
    *s = str_from(*s, digits);
    return true;
}

/* The first prefix_len letters of one of n names. */
static bool take_name(struct str *s, const char *const *names, unsigned n, size_t prefix_len,
                      unsigned *index)
{
    for (unsigned i = 0; i < n; i++) {
        struct str name = str_of(names[i]);

        if (prefix_len != 0)
            name.len = prefix_len;
        if (str_starts(*s, name)) {
            *s = str_from(*s, name.len);
            *index = i;
            return true;
        }
    }
    return false;
}

static bool take_month(struct str *s, unsigned *month)
{
    if (!take_name(s, month_names, 12, 3, month))
        return false;
    ++*month;
    return true;
}

static bool take_clock(struct str *s, struct civil *c)
{
    return take_digits(s, 2, &c->hour) && take_literal(s, ":") && take_digits(s, 2, &c->minute) &&
           take_literal(s, ":") && take_digits(s, 2, &c->second);
}

static unsigned days_in_month(int64_t year, unsigned month)
{
    return (unsigned)(date_days(month == 12 ? year + 1 : year, month == 12 ? 1 : month + 1, 1) -
                      date_days(year, month, 1));
}

/* A leap second (RFC 9110 5.6.7 allows 60) counts as the second after it. */
static bool civil_to_time(const struct civil *c, int64_t *time_s)
{
    if (c->month < 1 || c->month > 12 || c->day < 1 || c->day > days_in_month(c->year, c->month) ||
        c->hour > 23 || c->minute > 59 || c->second > 60)
        return false;
    *time_s =
        date_days(c->year, c->month, c->day) * DAY_S + c->hour * 3600 + c->minute * 60 + c->second;
    return true;
}

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
static bool parse_imf(struct str s, struct civil *c)
{
    unsigned year;
    bool ok = take_name(&s, day_names, 7, 3, &c->weekday) && take_literal(&s, ", ") &&
              take_digits(&s, 2, &c->day) && take_literal(&s, " ") && take_month(&s, &c->month) &&
              take_literal(&s, " ") && take_digits(&s, 4, &year) && take_literal(&s, " ") &&
              take_clock(&s, c) && take_literal(&s, " GMT") && s.len == 0;

    c->year = ok ? (int64_t)year : 0;
    return ok;
}

/* "Sunday, 06-Nov-94 08:49:37 GMT" */
static bool parse_rfc850(struct str s, int64_t now_s, struct civil *c)
{
    struct civil now = civil_of(now_s);
    unsigned year;
    bool ok = take_name(&s, day_names, 7, 0, &c->weekday) && take_literal(&s, ", ") &&
              take_digits(&s, 2, &c->day) && take_literal(&s, "-") && take_month(&s, &c->month) &&
              take_literal(&s, "-") && take_digits(&s, 2, &year) && take_literal(&s, " ") &&
              take_clock(&s, c) && take_literal(&s, " GMT") && s.len == 0;

    if (!ok)
        return false;
    c->year = now.year - now.year % 100 + (int64_t)year;
    if (c->year > now.year + 50)
        c->year -= 100;
    return true;
}

/* "Sun Nov  6 08:49:37 1994" */
static bool parse_asctime(struct str s, struct civil *c)
{
    unsigned year;
    bool ok = take_name(&s, day_names, 7, 3, &c->weekday) && take_literal(&s, " ") &&
              take_month(&s, &c->month) && take_literal(&s, " ") &&
              (take_literal(&s, " ") ? take_digits(&s, 1, &c->day) : take_digits(&s, 2, &c->day)) &&
              take_literal(&s, " ") && take_clock(&s, c) && take_literal(&s, " ") &&
              take_digits(&s, 4, &year) && s.len == 0;

    c->year = ok ? (int64_t)year : 0;
    return ok;
}

bool date_parse_http(struct str s, int64_t now_s, int64_t *time_s)
{
    struct civil c;

    return (parse_imf(s, &c) || parse_rfc850(s, now_s, &c) || parse_asctime(s, &c)) &&
           civil_to_time(&c, time_s);
}

/* "Z", "+01:00" or "-01:00", as seconds east of Greenwich. */
static bool take_offset(struct str *s, int64_t *offset_s)
{
    unsigned hour, minute;
    bool west = s->len > 0 && s->p[0] == '-';

    if (take_literal(s, "Z") || take_literal(s, "z")) {
        *offset_s = 0;
        return true;
    }
    if (!(take_literal(s, "+") || take_literal(s, "-")) || !take_digits(s, 2, &hour) ||
        !take_literal(s, ":") || !take_digits(s, 2, &minute) || hour > 23 || minute > 59)
        return false;
    *offset_s = (int64_t)(hour * 3600 + minute * 60) * (west ? -1 : 1);
    return true;
}

bool date_parse_rfc3339(struct str s, int64_t *time_s)
{
    struct civil c;
    unsigned year;
    int64_t offset_s;

    if (!take_digits(&s, 4, &year) || !take_literal(&s, "-") || !take_digits(&s, 2, &c.month) ||
        !take_literal(&s, "-") || !take_digits(&s, 2, &c.day) ||
        !(take_literal(&s, "T") || take_literal(&s, "t") || take_literal(&s, " ")) ||
        !take_clock(&s, &c))
        return false;
    c.year = (int64_t)year;
    if (take_literal(&s, ".")) {
        size_t digits = 0;

        while (digits < s.len && s.p[digits] >= '0' && s.p[digits] <= '9')
            digits++;
        if (digits == 0)
            return false;
        s = str_from(s, digits);
    }
    if (!take_offset(&s, &offset_s) || s.len != 0 || !civil_to_time(&c, time_s))
        return false;
    *time_s -= offset_s;
    return true;
}

bool date_parse_retry_after(struct str s, int64_t now_s, uint32_t *delay_s)
{
    uint64_t seconds;
    int64_t when;

    s = str_trim(s);
    if (str_to_uint(s, UINT32_MAX, &seconds)) {
        *delay_s = (uint32_t)seconds;
        return true;
    }
    if (!date_parse_http(s, now_s, &when))
        return false;
    if (when < now_s)
        when = now_s;
    *delay_s = when - now_s > UINT32_MAX ? UINT32_MAX : (uint32_t)(when - now_s);
    return true;
}
