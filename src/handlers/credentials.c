#include "handlers/credentials.h"

#include "base/base64.h"

bool credentials_parse(struct credentials *c, struct str value)
{
    struct str rest = value, scheme = str_cut(&rest, ' ');
    struct str text;
    size_t len;

    if (!str_eq_nocase(scheme, STR_LIT("Basic")) || rest.p == NULL)
        return false;
    while (str_starts(rest, STR_LIT(" "))) /* 1*SP: RFC 9110 11.4 */
        rest = str_from(rest, 1);
    if (!base64_decode(rest, (uint8_t *)c->bytes, sizeof c->bytes, &len))
        return false;
    text = (struct str){c->bytes, len};
    c->user = (struct str){text.p, str_chr(text, ':')};
    if (c->user.len == text.len)
        return false;
    c->password = str_from(text, c->user.len + 1);
    return true;
}
