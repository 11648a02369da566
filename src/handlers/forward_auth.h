/* forward_auth: asks an upstream whether a request may go on. The request is sent to it with GET
 * and another URI; an answer of success lets the next directives go on, any other is the answer. It
 * is a reverse_proxy with a struct proxy_auth in its configuration. */
#ifndef LINTEL_HANDLERS_FORWARD_AUTH_H
#define LINTEL_HANDLERS_FORWARD_AUTH_H

#include "handlers/reverse_proxy_conf.h"
#include "http/exchange.h"

/* A field of the upstream's answer that the request gets. */
struct auth_copy {
    struct str from;
    struct str to;
};

struct proxy_auth {
    struct auth_copy *copies;
    size_t n, cap;
};

/* The directive's set function; its conf is a struct reverse_proxy_conf. */
int forward_auth_set(const struct directive_args *d);

/* The rows of its block that are not reverse_proxy's. */
extern const struct directive forward_auth_options[];

/* Gives the request the fields of the answer. Those that the client sent under the same names are
 * taken away, also where the answer has none. */
void forward_auth_grant(const struct proxy_auth *auth, struct exchange *ex,
                        const struct fields *answer);

#endif
