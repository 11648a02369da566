#include "handlers/retry_match.h"

#include "base/alloc.h"
#include "http/match.h"

int retry_match_add(const struct directive_args *d, struct retry_matches *m)
{
    struct retry_match *r;

    m->list = arena_grow(d->arena, m->list, m->n, &m->cap, sizeof *m->list);
    r = &m->list[m->n++];
    *r = (struct retry_match){0};
    if (directive_matcher(d, 1, &r->matcher) != 0)
        return -1;
    r->of_answer = matcher_reads_answer(&r->matcher);
    return 0;
}

/* One that cannot be evaluated does not match: the failure that led here is what is answered. */
static bool matches(const struct retry_match *r, struct exchange *ex)
{
    const int error = ex->match_error;
    const bool holds = matcher_matches(&r->matcher, ex);

    ex->match_error = error;
    return holds;
}

/* RFC 9110 9.2.2 */
static bool is_idempotent(struct str method)
{
    static const struct str methods[] = {STR_LIT("GET"), STR_LIT("HEAD"),   STR_LIT("OPTIONS"),
                                         STR_LIT("PUT"), STR_LIT("DELETE"), STR_LIT("TRACE")};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (str_eq(method, methods[i]))
            return true;
    return false;
}

bool retry_match_failure(const struct retry_matches *m, struct exchange *ex, struct str method)
{
    for (size_t i = 0; i < m->n; i++)
        if (matches(&m->list[i], ex))
            return true;
    return m->n == 0 && is_idempotent(method);
}

bool retry_match_answer(const struct retry_matches *m, struct exchange *ex)
{
    for (size_t i = 0; i < m->n; i++)
        if (m->list[i].of_answer && matches(&m->list[i], ex))
            return true;
    return false;
}
