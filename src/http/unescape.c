#include "http/unescape.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_lower(c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool unescape(struct arena *a, struct str s, bool plus, struct str *out)
{
    char *p;
    size_t n = 0;

    *out = s;
    if (str_chr(s, '%') == s.len && (!plus || str_chr(s, '+') == s.len))
        return true;
    p = arena_bytes(a, s.len + 1);
    for (size_t i = 0; i < s.len; i++) {
        char c = s.p[i];

        if (c == '%') {
            int high = i + 2 < s.len ? hex_digit(s.p[i + 1]) : -1;
            int low = i + 2 < s.len ? hex_digit(s.p[i + 2]) : -1;

            if (high < 0 || low < 0)
                return false;
            c = (char)(high << 4 | low);
            i += 2;
        } else if (plus && c == '+') {
            c = ' ';
        }
        p[n++] = c;
    }
    p[n] = '\0';
    *out = (struct str){p, n};
    return true;
}
