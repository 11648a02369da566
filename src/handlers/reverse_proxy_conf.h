/* What a reverse_proxy directive says. Built by reverse_proxy_conf.c, read by the handler. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_CONF_H
#define LINTEL_HANDLERS_REVERSE_PROXY_CONF_H

#include "handlers/field_edit.h"
#include "handlers/proxy_answer.h"
#include "handlers/upstream.h"
#include "http/rewrite.h"

/* Which upstream is the first to be asked. */
enum proxy_policy { POLICY_TURNS, POLICY_FIRST, POLICY_RANDOM };

struct reverse_proxy_conf {
    struct upstream *upstreams; /* at least one */
    size_t n_upstreams;
    size_t cap;
    enum proxy_policy policy;
    struct field_edits up;   /* of the request */
    struct field_edits down; /* of the answer */
    struct text method;      /* no parts: that of the request */
    bool has_rewrite;
    struct rewrite_target rewrite;
    struct ip_set trusted;    /* peers that are believed about their clients, beside those of all */
    unsigned dial_timeout_ms; /* 3 s */
    unsigned response_header_timeout_ms; /* 0: none, as in Caddy */
    struct answer_rules answers;
    struct proxy_auth *auth; /* of forward_auth; NULL: a proxy */
};

/* The directive's set function. */
int reverse_proxy_set(const struct directive_args *d);

/* The rows of its block. */
extern const struct directive reverse_proxy_options[];

/* For directives that are a reverse_proxy with something more: with the rows of their own options,
 * which have the same target as reverse_proxy_options. */
MUST_CHECK int reverse_proxy_set_with(const struct directive_args *d,
                                      const struct directive *options);

/* The set function of "transport". */
int reverse_proxy_set_transport(const struct directive_args *d);

#endif
