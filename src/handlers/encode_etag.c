#include "handlers/encode_etag.h"

struct str encode_etag_add(struct arena *a, struct str tag, struct str coding)
{
    if (tag.len < 2 || tag.p[0] != '"' || tag.p[tag.len - 1] != '"')
        return tag;
    return arena_printf(a, STR_FMT "-" STR_FMT "\"", STR_ARG(((struct str){tag.p, tag.len - 1})),
                        STR_ARG(coding));
}

/* Whether what ends here, of len bytes, ends with "-coding". */
static bool has_ending(const char *end, size_t len, struct str coding)
{
    return len > coding.len && end[-(ptrdiff_t)coding.len - 1] == '-' &&
           memcmp(end - coding.len, coding.p, coding.len) == 0;
}

struct str encode_etag_strip(struct arena *a, struct str list, struct str coding)
{
    char *out = arena_bytes(a, list.len + 1), *at = out, *open = NULL;

    /* No tag has a quotation mark in it: each second one closes. */
    for (size_t i = 0; i < list.len; i++) {
        if (list.p[i] == '"' && open == NULL) {
            open = at + 1;
        } else if (list.p[i] == '"') {
            if (has_ending(at, (size_t)(at - open), coding))
                at -= coding.len + 1;
            open = NULL;
        }
        *at++ = list.p[i];
    }
    if ((size_t)(at - out) == list.len)
        return list;
    *at = '\0';
    return (struct str){out, (size_t)(at - out)};
}

bool encode_etag_listed(struct str list, struct str tag)
{
    return tag.len > 0 && list.len >= tag.len && memmem(list.p, list.len, tag.p, tag.len) != NULL;
}
