/* The format of an access log: what encodes a line, and what is done to its fields. */
#ifndef LINTEL_CONF_LOG_FORMAT_H
#define LINTEL_CONF_LOG_FORMAT_H

#include "conf/directive.h"

enum log_rule_kind {
    LOG_RULE_DELETE,
    LOG_RULE_RENAME,
    LOG_RULE_REPLACE,
    LOG_RULE_IP_MASK,
    LOG_RULE_QUERY,
    LOG_RULE_COOKIE, /* nothing to do: cookies are never logged */
    LOG_RULE_REGEXP,
    LOG_RULE_HASH
};

/* Of a key in a query: deleted, replaced or hashed. */
struct log_query_rule {
    enum log_rule_kind kind;
    struct str key;
    struct str value;
};

/* What is done to one field of the line. */
struct log_rule {
    enum log_rule_kind kind;
    struct str field;         /* "request>headers>Cookie" */
    struct str text;          /* LOG_RULE_RENAME, _REPLACE, _REGEXP: what to put there */
    const struct regex *find; /* LOG_RULE_REGEXP */
    unsigned ipv4_bits, ipv6_bits;
    const struct log_query_rule *keys;
    size_t n_keys;
};

/* A field that every line has. */
struct log_member {
    struct str key;
    struct str value;
};

/* "delete" */
const char *log_rule_name(enum log_rule_kind kind);

/* "format" in the block of a log; the target is its struct log_conf. */
int log_format_set(const struct directive_args *d);

#endif
