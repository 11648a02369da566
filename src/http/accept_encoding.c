#include "http/accept_encoding.h"

#include "http/accept.h"

#include <assert.h>

enum { UNSAID = -1 };

/* What the field says: weights in thousandths, or UNSAID. */
struct wants {
    const struct str *codings;
    size_t n;
    int weight[ACCEPT_CODINGS_MAX];
    int identity;
    int any; /* "*" */
};

/* codings [ weight ]; weight = OWS ";" OWS "q=" qvalue */
static bool read_element(struct str element, struct str *coding, int *weight)
{
    struct str rest = element;

    *coding = str_trim(str_cut(&rest, ';'));
    *weight = 1000;
    if (rest.p == NULL)
        return true;
    rest = str_trim(rest);
    return rest.len >= 2 && ascii_lower(rest.p[0]) == 'q' && rest.p[1] == '=' &&
           accept_weight(str_from(rest, 2), weight);
}

static int *find(struct wants *w, struct str coding)
{
    if (str_is(coding, "*"))
        return &w->any;
    if (str_eq_nocase(coding, STR_LIT("identity")))
        return &w->identity;
    if (str_eq_nocase(coding, STR_LIT("x-gzip")))
        coding = STR_LIT("gzip");
    for (size_t i = 0; i < w->n; i++)
        if (str_eq_nocase(coding, w->codings[i]))
            return &w->weight[i];
    return NULL;
}

static void read_value(struct wants *w, struct str value)
{
    struct str element, coding;
    int weight, *at;

    w->identity = w->any = UNSAID;
    for (size_t i = 0; i < w->n; i++)
        w->weight[i] = UNSAID;
    while (str_list_next(&value, &element)) {
        if (!read_element(element, &coding, &weight))
            continue;
        at = find(w, coding);
        if (at != NULL && *at == UNSAID)
            *at = weight;
    }
}

/* What is not named has the weight of "*"; without one, a coding is not wanted, and content as it
 * is comes after all that is. */
static int weight_of(int said, int any)
{
    if (said != UNSAID)
        return said;
    return any == UNSAID ? 0 : any;
}

size_t accept_encoding_choose(struct str value, const struct str *codings, size_t n)
{
    struct wants w = {.codings = codings, .n = n};
    size_t best = n;
    int most = 0;

    assert(n <= ACCEPT_CODINGS_MAX);
    if (value.len == 0)
        return n;
    read_value(&w, value);
    for (size_t i = 0; i < n; i++) {
        int weight = weight_of(w.weight[i], w.any);

        if (weight > most) {
            most = weight;
            best = i;
        }
    }
    return weight_of(w.identity, w.any) > most ? n : best;
}
