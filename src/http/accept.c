#include "http/accept.h"

/* How exactly a range names a type. */
enum exactness { NOT_AT_ALL, ANY_TYPE, ANY_SUBTYPE, NAMED };

bool accept_weight(struct str s, int *weight)
{
    static const int scale[] = {1000, 100, 10, 1};
    int value = 0;

    if (s.len == 0 || s.len > 5 || (s.p[0] != '0' && s.p[0] != '1') || (s.len > 1 && s.p[1] != '.'))
        return false;
    for (size_t i = 0, digit = 0; i < s.len; i++) {
        if (i == 1)
            continue;
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
        value += (s.p[i] - '0') * scale[digit++];
    }
    *weight = value;
    return value <= 1000;
}

/* media-range *( OWS ";" OWS parameter ); without "q", the weight is 1. */
static bool read_element(struct str element, struct str *range, int *weight)
{
    *range = str_trim(str_cut(&element, ';'));
    *weight = 1000;
    while (element.p != NULL) {
        struct str parameter = str_trim(str_cut(&element, ';'));

        if (parameter.len >= 2 && ascii_lower(parameter.p[0]) == 'q' && parameter.p[1] == '=')
            return accept_weight(str_from(parameter, 2), weight);
    }
    return true;
}

static enum exactness compare(struct str range, struct str type)
{
    size_t slash = str_chr(type, '/');

    if (str_eq_nocase(range, type))
        return NAMED;
    if (str_is(range, "*/*"))
        return ANY_TYPE;
    if (range.len == slash + 2 && str_is(str_from(range, slash), "/*") &&
        str_eq_nocase((struct str){range.p, slash}, (struct str){type.p, slash}))
        return ANY_SUBTYPE;
    return NOT_AT_ALL;
}

/* The weight of a type is that of the range that names it best (12.5.1). */
static int weight_of(struct str value, struct str type, enum exactness *best)
{
    struct str element, range;
    int found = 0, weight;

    *best = NOT_AT_ALL;
    while (str_list_next(&value, &element)) {
        enum exactness exactness;

        if (!read_element(element, &range, &weight))
            continue;
        exactness = compare(range, type);
        if (exactness > *best) {
            *best = exactness;
            found = weight;
        }
    }
    return found;
}

size_t accept_choose(struct str value, const struct str *types, size_t n)
{
    enum exactness exactness, best_exactness = NOT_AT_ALL;
    size_t best = 0;
    int most = 0;

    for (size_t i = 0; i < n; i++) {
        int weight = weight_of(value, types[i], &exactness);

        if (weight > most || (weight > 0 && weight == most && exactness > best_exactness)) {
            best = i;
            most = weight;
            best_exactness = exactness;
        }
    }
    return best;
}
