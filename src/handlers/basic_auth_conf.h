/* What a basic_auth directive says. Built by basic_auth_conf.c, read by the handler. */
#ifndef LINTEL_HANDLERS_BASIC_AUTH_CONF_H
#define LINTEL_HANDLERS_BASIC_AUTH_CONF_H

#include "conf/directive.h"

struct account {
    struct str user;
    const char *hash; /* passed password_check() */
};

struct basic_auth_conf {
    const struct account *accounts; /* at least one, sorted by user, each user once */
    size_t n_accounts;
    struct str challenge; /* WWW-Authenticate: Basic realm="..." */
};

/* NULL if there is no such user. */
const struct account *account_find(const struct basic_auth_conf *c, struct str user);

/* The directive's set function. */
int basic_auth_set(const struct directive_args *d);

#endif
