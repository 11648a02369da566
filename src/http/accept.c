#include "http/accept.h"

/* How exactly a range names a type. */
enum exactness { NOT_AT_ALL, ANY_TYPE, ANY_SUBTYPE, NAMED };

/* What a client says of a type. */
struct said {
    int weight;
    enum exactness exactness;
    size_t place; /* among its elements */
};

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

/* What counts is the range that names the type best (12.5.1). */
static struct said said_of(struct str value, struct str type)
{
    struct said said = {0};
    struct str element, range;
    int weight;

    for (size_t place = 0; str_list_next(&value, &element); place++) {
        enum exactness exactness;

        if (!read_element(element, &range, &weight))
            continue;
        exactness = compare(range, type);
        if (exactness > said.exactness)
            said = (struct said){weight, exactness, place};
    }
    return said;
}

static bool is_better(const struct said *a, const struct said *b)
{
    if (a->weight != b->weight)
        return a->weight > b->weight;
    if (a->exactness != b->exactness)
        return a->exactness > b->exactness;
    return a->place < b->place;
}

size_t accept_choose(struct str value, const struct str *types, size_t n)
{
    struct said most = {0};
    size_t best = 0;

    for (size_t i = 0; i < n; i++) {
        struct said said = said_of(value, types[i]);

        if (said.weight > 0 && is_better(&said, &most)) {
            best = i;
            most = said;
        }
    }
    return best;
}
