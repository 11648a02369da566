/* What is done to the value of a field of the access log before it is written. */
#ifndef LINTEL_HTTP_LOG_FILTER_H
#define LINTEL_HTTP_LOG_FILTER_H

#include "base/arena.h"
#include "conf/log_format.h"

/* The value as the rule wants it, in a; neither deletes nor renames. */
struct str log_rule_apply(const struct log_rule *rule, struct arena *a, struct str value);

#endif
