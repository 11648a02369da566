#include "http/match.h"

#include "conf/directive.h"
#include "http/match_path.h"
#include "http/matchers.h"

#include <stddef.h>

const struct matcher_type *const http_matcher_table[] = {
    &client_ip_matcher,     &expression_matcher,  &header_matcher,
    &header_regexp_matcher, &host_matcher,        &method_matcher,
    &not_matcher,           &path_matcher,        &path_regexp_matcher,
    &protocol_matcher,      &query_matcher,       &remote_ip_matcher,
    &vars_matcher,          &vars_regexp_matcher, NULL,
};

const struct matcher_type *const *const http_matchers[] = {http_matcher_table, NULL};

bool matcher_matches(const struct matcher *m, struct exchange *ex)
{
    for (size_t i = 0; i < m->n; i++)
        if (!m->all[i].type->match(m->all[i].conf, ex))
            return false;
    return true;
}
