/* The matchers of the language: what a request must be like. Each compiles its arguments at load
 * and lives in a file of its own, http/match_<what>.c. */
#ifndef LINTEL_HTTP_MATCHERS_H
#define LINTEL_HTTP_MATCHERS_H

#include "conf/directive.h"

extern const struct matcher_type client_ip_matcher;
extern const struct matcher_type expression_matcher;
extern const struct matcher_type header_matcher;
extern const struct matcher_type header_regexp_matcher;
extern const struct matcher_type host_matcher;
extern const struct matcher_type method_matcher;
extern const struct matcher_type not_matcher;
extern const struct matcher_type path_regexp_matcher;
extern const struct matcher_type protocol_matcher;
extern const struct matcher_type query_matcher;
extern const struct matcher_type remote_ip_matcher;
extern const struct matcher_type vars_matcher;
extern const struct matcher_type vars_regexp_matcher;

#endif
