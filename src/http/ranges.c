#include "http/ranges.h"

enum spec { SPEC_INVALID, SPEC_BEYOND, SPEC_FOUND };

/* Digits; a number too large for an int64_t lies beyond every end, as INT64_MAX does. */
static bool to_position(struct str s, int64_t *out)
{
    int64_t n = 0;

    for (size_t i = 0; i < s.len; i++) {
        int digit = s.p[i] - '0';

        if (digit < 0 || digit > 9)
            return false;
        n = n > (INT64_MAX - digit) / 10 ? INT64_MAX : n * 10 + digit;
    }
    *out = n;
    return s.len > 0;
}

/* Whether a is less than b, which are digits. */
static bool is_less(struct str a, struct str b)
{
    while (a.len > b.len && a.p[0] == '0')
        a = str_from(a, 1);
    while (b.len > a.len && b.p[0] == '0')
        b = str_from(b, 1);
    return a.len != b.len ? a.len < b.len : memcmp(a.p, b.p, a.len) < 0;
}

/* "-500": the last 500 bytes. */
static enum spec parse_suffix(struct str digits, int64_t size, struct range *out)
{
    int64_t len;

    if (!to_position(digits, &len))
        return SPEC_INVALID;
    if (len == 0)
        return SPEC_BEYOND;
    out->len = len < size ? len : size;
    out->first = size - out->len;
    return SPEC_FOUND;
}

/* "0-499" or "500-" */
static enum spec parse_spec(struct str spec, int64_t size, struct range *out)
{
    size_t dash = str_chr(spec, '-');
    struct str first_digits, last_digits;
    int64_t first, last = INT64_MAX;

    if (dash == spec.len)
        return SPEC_INVALID;
    last_digits = str_from(spec, dash + 1);
    if (dash == 0)
        return parse_suffix(last_digits, size, out);
    first_digits = (struct str){spec.p, dash};
    if (!to_position(first_digits, &first))
        return SPEC_INVALID;
    if (last_digits.len > 0 &&
        (!to_position(last_digits, &last) || is_less(last_digits, first_digits)))
        return SPEC_INVALID;
    if (first >= size)
        return SPEC_BEYOND;
    if (last >= size)
        last = size - 1;
    *out = (struct range){first, last - first + 1};
    return SPEC_FOUND;
}

static bool overlaps(const struct range *r, const struct range *others, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (r->first < others[i].first + others[i].len && others[i].first < r->first + r->len)
            return true;
    return false;
}

enum ranges_verdict ranges_parse(struct str value, int64_t size, struct range out[RANGES_MAX],
                                 size_t *n)
{
    struct str rest = value, unit = str_cut(&rest, '='), spec;
    size_t specs = 0;

    *n = 0;
    if (rest.p == NULL || !str_eq_nocase(str_trim(unit), STR_LIT("bytes")))
        return RANGES_WHOLE;
    for (; str_list_next(&rest, &spec); specs++) {
        struct range r;
        enum spec kind = parse_spec(spec, size, &r);

        if (kind == SPEC_INVALID || specs == RANGES_MAX)
            return RANGES_WHOLE;
        if (kind == SPEC_BEYOND)
            continue;
        if (r.len == 0 || overlaps(&r, out, *n))
            return RANGES_WHOLE; /* of empty content, a suffix is all there is */
        out[(*n)++] = r;
    }
    if (*n > 0)
        return RANGES_SOME;
    return specs > 0 ? RANGES_UNSATISFIABLE : RANGES_WHOLE;
}
