#include "base/is_json.h"

enum { DEPTH_MAX = 32 };

/* Each function takes what it reads off the front of *s, with the white space behind it; false if
 * it is not there. */

static void space(struct str *s)
{
    while (s->len > 0 && memchr(" \t\r\n", s->p[0], 4) != NULL)
        *s = str_from(*s, 1);
}

static bool sign(struct str *s, char c)
{
    if (s->len == 0 || s->p[0] != c)
        return false;
    *s = str_from(*s, 1);
    space(s);
    return true;
}

static bool word(struct str *s, const char *literal)
{
    if (!str_starts(*s, str_of(literal)))
        return false;
    *s = str_from(*s, strlen(literal));
    space(s);
    return true;
}

static size_t count(struct str s, const char *set)
{
    size_t n = 0;

    while (n < s.len && s.p[n] != '\0' && strchr(set, s.p[n]) != NULL)
        n++;
    return n;
}

/* The length of what a backslash begins, or 0. */
static size_t escape_len(struct str s)
{
    if (s.len >= 2 && s.p[1] != '\0' && strchr("\"\\/bfnrt", s.p[1]) != NULL)
        return 2;
    if (s.len < 6 || s.p[1] != 'u')
        return 0;
    return count((struct str){s.p + 2, 4}, "0123456789abcdefABCDEF") == 4 ? 6 : 0;
}

static bool string(struct str *s)
{
    if (s->len == 0 || s->p[0] != '"')
        return false;
    *s = str_from(*s, 1);
    while (s->len > 0 && s->p[0] != '"') {
        size_t n = s->p[0] == '\\' ? escape_len(*s) : (unsigned char)s->p[0] >= 0x20;

        if (n == 0)
            return false;
        *s = str_from(*s, n);
    }
    return sign(s, '"');
}

static bool digits(struct str *s)
{
    size_t n = count(*s, "0123456789");

    *s = str_from(*s, n);
    return n > 0;
}

static bool number(struct str *s)
{
    if (s->len > 0 && s->p[0] == '-')
        *s = str_from(*s, 1);
    if (s->len > 0 && s->p[0] == '0')
        *s = str_from(*s, 1); /* no digit may follow */
    else if (!digits(s))
        return false;
    if (s->len > 0 && s->p[0] == '.') {
        *s = str_from(*s, 1);
        if (!digits(s))
            return false;
    }
    if (count(*s, "eE") > 0) {
        *s = str_from(*s, 1);
        if (s->len > 0 && (s->p[0] == '+' || s->p[0] == '-'))
            *s = str_from(*s, 1);
        if (!digits(s))
            return false;
    }
    space(s);
    return true;
}

static bool composite(struct str *s, unsigned depth);

static bool value(struct str *s, unsigned depth)
{
    if (s->len == 0)
        return false;
    switch (s->p[0]) {
    case '{':
    case '[':
        return depth < DEPTH_MAX && composite(s, depth + 1);
    case '"':
        return string(s);
    case 't':
        return word(s, "true");
    case 'f':
        return word(s, "false");
    case 'n':
        return word(s, "null");
    default:
        return number(s);
    }
}

static bool composite(struct str *s, unsigned depth)
{
    bool object = s->p[0] == '{';
    char end = object ? '}' : ']';

    (void)sign(s, s->p[0]);
    if (sign(s, end))
        return true;
    do {
        if (object && (!string(s) || !sign(s, ':')))
            return false;
        if (!value(s, depth))
            return false;
    } while (sign(s, ','));
    return sign(s, end);
}

bool is_json(struct str s)
{
    space(&s);
    return s.len > 0 && (s.p[0] == '{' || s.p[0] == '[') && composite(&s, 1) && s.len == 0;
}
