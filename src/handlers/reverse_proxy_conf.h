/* What a reverse_proxy directive says. Built by reverse_proxy_conf.c, read by the handler. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_CONF_H
#define LINTEL_HANDLERS_REVERSE_PROXY_CONF_H

#include "handlers/balance.h"
#include "handlers/dynamic.h"
#include "handlers/fastcgi_conf.h"
#include "handlers/field_edit.h"
#include "handlers/health.h"
#include "handlers/proxy_answer.h"
#include "handlers/retry_match.h"
#include "handlers/upstream.h"
#include "http/rewrite.h"

/* What speaks with upstreams that are not https://, for which it is always libcurl. */
enum proxy_client { CLIENT_DIRECT, CLIENT_CURL };

enum { UPSTREAM_HEADER_MAX = 16 * 1024 }; /* of a response: more the HTTP/1 engine cannot send */

struct reverse_proxy_conf {
    struct upstream_how how;
    struct upstream *upstreams; /* at least one, or one of dynamic */
    size_t n_upstreams;
    size_t cap;
    struct dynamic_conf dynamic; /* what DNS names, if there is some */
    struct balance balance;
    uint64_t identity; /* of the directive: what is known of its upstreams outlives a reload */

    /* When one cannot be asked, others are; and with these, all of them again. */
    unsigned retries;         /* further attempts; 0: no limit but the time's */
    uint64_t try_ms;          /* 0: no limit but the number's */
    uint64_t try_interval_ms; /* 250 */
    struct retry_matches retry_matches;

    struct passive_health passive;
    struct response_match unhealthy; /* answers that are failures; empty: none */

    struct health_conf health; /* active checks */

    uint64_t stream_timeout_ms; /* of upgrades; 0: none */
    bool has_stream_close_delay;
    uint64_t stream_close_delay_ms; /* after a reload; else they go on */

    uint64_t request_buffers;  /* bytes of a body that are read before an upstream is asked */
    uint64_t response_buffers; /* bytes of an answer that are read before it is sent on */
    bool prompt;               /* flush_interval: what follows waits for nothing */
    struct field_edits up;     /* of the request */
    struct field_edits down;   /* of the answer */
    struct text method;        /* no parts: that of the request */
    bool has_rewrite;
    struct rewrite_target rewrite;
    struct ip_set trusted;    /* peers that are believed about their clients, beside those of all */
    unsigned dial_timeout_ms; /* 3 s */
    unsigned expect_timeout_ms;          /* 0: upstreams are not asked whether they want a body */
    unsigned response_header_timeout_ms; /* 0: none, as in Caddy */
    unsigned read_timeout_ms;            /* 0: none, as in Caddy */
    unsigned write_timeout_ms;           /* 0: none, as in Caddy */
    size_t max_header;                   /* bytes of an answer's */
    enum proxy_client client;
    struct answer_rules answers;
    struct proxy_auth *auth;      /* of forward_auth; NULL: a proxy */
    struct fastcgi_conf *fastcgi; /* NULL: by HTTP */
};

/* The directive's set function. */
int reverse_proxy_set(const struct directive_args *d);

/* The rows of its block. */
extern const struct directive reverse_proxy_options[];

/* The directive's describe function. */
void reverse_proxy_describe(const void *conf, struct describer *out);

/* Whether a line of its block may begin so, or there is something better to say than that it may
 * not.
 */
bool reverse_proxy_knows(struct str word);

/* For directives that are a reverse_proxy with something more: with the rows of their own options,
 * which have the same target as reverse_proxy_options. */
MUST_CHECK int reverse_proxy_set_with(const struct directive_args *d,
                                      const struct directive *options);

/* The set function of "transport". */
int reverse_proxy_set_transport(const struct directive_args *d);

/* Of a timeout in its block. */
MUST_CHECK int reverse_proxy_set_timeout(const struct directive_args *d, unsigned *ms);

/* The rows of its block that say how connections are made secure, which last, and what is spoken:
 * of the target's `how`. */
extern const struct directive upstream_how_options[];

#endif
