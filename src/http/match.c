#include "http/match.h"

#include "conf/directive.h"
#include "http/match_path.h"

#include <stddef.h>

const struct matcher_type *const http_matchers[] = {
    &path_matcher,
    NULL,
};

bool matcher_matches(const struct matcher *m, struct exchange *ex)
{
    for (size_t i = 0; i < m->n; i++)
        if (!m->all[i].type->match(m->all[i].conf, ex))
            return false;
    return true;
}
