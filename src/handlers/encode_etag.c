#include "handlers/encode_etag.h"

struct str encode_etag_add(struct arena *a, struct str tag, struct str coding)
{
    if (tag.len < 2 || tag.p[0] != '"' || tag.p[tag.len - 1] != '"')
        return tag;
    return arena_printf(a, "W/" STR_FMT "-" STR_FMT "\"",
                        STR_ARG(((struct str){tag.p, tag.len - 1})), STR_ARG(coding));
}

/* Whether what ends here, of len bytes, ends with "-coding". */
static bool has_ending(const char *end, size_t len, struct str coding)
{
    return len > coding.len && end[-(ptrdiff_t)coding.len - 1] == '-' &&
           memcmp(end - coding.len, coding.p, coding.len) == 0;
}

/* Takes the ending, and the "W/" before it, off of the tag that lies from its quotation mark at
 * `open` to `at`, in what begins at out. Returns its end. */
static char *restore(char *out, char *open, char *at, struct str coding)
{
    if (!has_ending(at, (size_t)(at - open - 1), coding))
        return at;
    at -= coding.len + 1;
    if (open - out < 2 || open[-1] != '/' || open[-2] != 'W')
        return at;
    memmove(open - 2, open, (size_t)(at - open));
    return at - 2;
}

struct str encode_etag_strip(struct arena *a, struct str list, struct str coding)
{
    char *out = arena_bytes(a, list.len + 1), *at = out, *open = NULL;

    /* No tag has a quotation mark in it: each second one closes. */
    for (size_t i = 0; i < list.len; i++) {
        if (list.p[i] == '"' && open == NULL) {
            open = at;
        } else if (list.p[i] == '"') {
            at = restore(out, open, at, coding);
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
    tag = str_from(tag, str_chr(tag, '"'));
    return tag.len > 0 && list.len >= tag.len && memmem(list.p, list.len, tag.p, tag.len) != NULL;
}
