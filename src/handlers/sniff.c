#include "handlers/sniff.h"

/* Without the beginning of a character at its end. */
static struct str whole_characters(struct str s)
{
    for (size_t i = 1; i <= 3 && i <= s.len; i++) {
        unsigned char c = (unsigned char)s.p[s.len - i];
        size_t len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

        if (c < 0x80 || (c >= 0xc0 && len <= i))
            break;
        if (c >= 0xc0)
            return (struct str){s.p, s.len - i};
    }
    return s;
}

static bool is_binary(char c)
{
    return (unsigned char)c < 0x20 && (c == '\0' || strchr("\t\n\f\r\033", c) == NULL);
}

bool sniff_is_text(struct str head)
{
    size_t len;

    if (head.len >= SNIFF_MAX)
        head = whole_characters((struct str){head.p, SNIFF_MAX});
    for (; head.len > 0; head = str_from(head, len)) {
        if (is_binary(head.p[0]))
            return false;
        len = str_utf8_len(head);
        if (len == 0)
            return false;
    }
    return true;
}

struct str sniff_type(struct str head)
{
    return sniff_is_text(head) ? STR_LIT("text/plain; charset=utf-8")
                               : STR_LIT("application/octet-stream");
}
