/* What a reverse_proxy directive says. Built by reverse_proxy_conf.c, read by the handler. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_CONF_H
#define LINTEL_HANDLERS_REVERSE_PROXY_CONF_H

#include "conf/directive.h"
#include "http/exchange.h"

struct upstream {
    const char *name;            /* as written, for messages */
    const char *url;             /* "http://host:port/" */
    struct upstream_names names; /* hostport is that of the url */
    const char *unix_socket;     /* absolute path, or NULL */
    bool secure;                 /* https: the Host field is then the upstream's own */
};

/* A change to the fields of the request (header_up) or the response (header_down). */
enum field_op_kind { FIELD_SET, FIELD_ADD, FIELD_REMOVE };

struct field_op {
    enum field_op_kind kind;
    struct str name;
    struct text value; /* SET, ADD */
};

struct field_ops {
    struct field_op *list;
    size_t n;
    size_t cap;
};

struct reverse_proxy_conf {
    struct upstream *upstreams; /* at least one */
    size_t n_upstreams;
    size_t cap;
    struct field_ops up;
    struct field_ops down;
    unsigned dial_timeout_ms;            /* 3 s */
    unsigned response_header_timeout_ms; /* 0: none, as in Caddy */
    const struct proxy_auth *auth;       /* of forward_auth; NULL: a proxy */
};

/* Reads one upstream address: "host:port", ":port", "http://host:port", "https://host",
 * "unix//path". Returns 0, or -1 with *e set. Everything lives in a. */
MUST_CHECK int upstream_parse(struct arena *a, struct str text, struct upstream *u, struct err *e);

/* The directive's set function. */
int reverse_proxy_set(const struct directive_args *d);

/* Its steps, for directives that are a reverse_proxy with something more: the defaults and the
 * upstreams of the arguments, one option of the block, what must be there at the end. */
MUST_CHECK int reverse_proxy_set_upstreams(const struct directive_args *d);
MUST_CHECK int reverse_proxy_set_option(const struct directive_args *d, const struct node *n);
MUST_CHECK int reverse_proxy_check(const struct directive_args *d);

#endif
