#include "http/conditional.h"

#include "base/date.h"

/* By length and first letter, which few other fields of a request share. */
static bool may_be_condition(struct str name)
{
    switch (name.len) {
    case sizeof "Range" - 1:
        return ascii_lower(name.p[0]) == 'r';
    case sizeof "If-Match" - 1: /* and "If-Range" */
    case sizeof "If-None-Match" - 1:
    case sizeof "If-Modified-Since" - 1:
    case sizeof "If-Unmodified-Since" - 1:
        return ascii_lower(name.p[0]) == 'i';
    default:
        return false;
    }
}

bool conditions_read(const struct fields *request, struct arena *a, struct conditions *c)
{
    size_t i = 0;

    *c = (struct conditions){0};
    while (i < request->n && !may_be_condition(request->list[i].name))
        i++;
    if (i == request->n)
        return false;
    c->if_match = fields_joined(request, a, STR_LIT("If-Match"));
    c->if_none_match = fields_joined(request, a, STR_LIT("If-None-Match"));
    c->if_modified_since = fields_joined(request, a, STR_LIT("If-Modified-Since"));
    c->if_unmodified_since = fields_joined(request, a, STR_LIT("If-Unmodified-Since"));
    c->if_range = fields_joined(request, a, STR_LIT("If-Range"));
    c->range = fields_joined(request, a, STR_LIT("Range"));
    return true;
}

/* ---- entity tags (RFC 9110 8.8.3) ---- */

static bool is_weak(struct str tag)
{
    return str_starts(tag, STR_LIT("W/"));
}

static struct str opaque(struct str tag)
{
    return is_weak(tag) ? str_from(tag, 2) : tag;
}

static bool tags_match(struct str a, struct str b, bool strong)
{
    if (strong && (is_weak(a) || is_weak(b)))
        return false;
    return str_eq(opaque(a), opaque(b));
}

/* Takes one tag off the front of a list, with the commas and blanks before it. A backslash is an
 * ordinary byte in one, so this is no list of quoted strings. False: nothing more, or no tag. */
static bool next_tag(struct str *rest, struct str *tag)
{
    size_t start, end;

    while (rest->len > 0 && memchr(" \t,", rest->p[0], 3) != NULL)
        *rest = str_from(*rest, 1);
    start = is_weak(*rest) ? 2 : 0;
    if (start >= rest->len || rest->p[start] != '"')
        return false;
    end = start + 1 + str_chr(str_from(*rest, start + 1), '"');
    if (end >= rest->len)
        return false;
    *tag = (struct str){rest->p, end + 1};
    *rest = str_from(*rest, end + 1);
    return true;
}

static bool list_has(struct str list, struct str etag, bool strong)
{
    struct str tag;

    if (str_is(str_trim(list), "*"))
        return true;
    while (etag.len > 0 && next_tag(&list, &tag))
        if (tags_match(tag, etag, strong))
            return true;
    return false;
}

/* ---- the conditions, in the order of RFC 9110 13.2.2 ---- */

/* False also if there is no date to compare, or none that can be read: the field is then ignored
 * (13.1.3, 13.1.4). */
static bool read_date(struct str field, const struct validators *v, int64_t now_s, int64_t *date_s)
{
    return field.p != NULL && v->mtime_s != NO_MTIME && date_parse_http(field, now_s, date_s);
}

enum precondition conditions_check(const struct conditions *c, const struct validators *v, bool get,
                                   int64_t now_s)
{
    int64_t date_s;

    if (c->if_match.p != NULL) {
        if (!list_has(c->if_match, v->etag, true))
            return PRECONDITION_FAILED;
    } else if (read_date(c->if_unmodified_since, v, now_s, &date_s) && v->mtime_s > date_s) {
        return PRECONDITION_FAILED;
    }
    if (c->if_none_match.p != NULL) {
        if (list_has(c->if_none_match, v->etag, false))
            return get ? PRECONDITION_NOT_MODIFIED : PRECONDITION_FAILED;
    } else if (get && read_date(c->if_modified_since, v, now_s, &date_s) && v->mtime_s <= date_s) {
        return PRECONDITION_NOT_MODIFIED;
    }
    return PRECONDITION_HOLDS;
}

bool conditions_allow_range(const struct conditions *c, const struct validators *v, int64_t now_s)
{
    struct str rest = c->if_range, tag;
    int64_t date_s;

    if (c->if_range.p == NULL)
        return true;
    if (next_tag(&rest, &tag))
        return rest.len == 0 && v->etag.len > 0 && tags_match(tag, v->etag, true);
    return read_date(c->if_range, v, now_s, &date_s) && date_s == v->mtime_s &&
           v->mtime_s + 1 < now_s;
}
