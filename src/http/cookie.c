#include "http/cookie.h"

static bool is_cookie_byte(char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != ';' && c != '\\';
}

/* RFC 6265 5.2 is lenient; Caddy drops what has other bytes than cookie-octets, blanks and commas,
 * and so do we. */
static bool is_cookie_value(struct str *value)
{
    if (value->len > 1 && value->p[0] == '"' && value->p[value->len - 1] == '"')
        *value = (struct str){value->p + 1, value->len - 2};
    for (size_t i = 0; i < value->len; i++)
        if (!is_cookie_byte(value->p[i]))
            return false;
    return true;
}

static bool find_cookie(struct str list, struct str name, struct str *value)
{
    while (list.p != NULL) {
        struct str pair = str_trim(str_cut(&list, ';'));

        *value = pair;
        if (str_eq_nocase(str_trim(str_cut(value, '=')), name) && value->p != NULL &&
            is_cookie_value(value))
            return true;
    }
    return false;
}

struct str cookie_get(const struct fields *request, struct str name)
{
    struct str value;

    for (size_t i = 0; i < request->n; i++)
        if (str_eq_nocase(request->list[i].name, STR_LIT("Cookie")) &&
            find_cookie(request->list[i].value, name, &value))
            return value;
    return (struct str){NULL, 0};
}
