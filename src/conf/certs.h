/* Which certificate each name of the configuration gets (automatic HTTPS), during a load. */
#ifndef LINTEL_CONF_CERTS_H
#define LINTEL_CONF_CERTS_H

#include "conf/build.h"

/* A name that needs a certificate, and who says so. */
struct need {
    const char *name;
    const struct tls_conf *tls;
    const struct token *at;
    bool automatic; /* its site has no tls directive */
};

struct needs {
    struct need *list;
    size_t n, cap;
};

/* Adds what a TLS address of a site needs; source says where it comes from. Returns -1 after an
 * error. */
int certs_add(struct conf_builder *b, struct site_draft *site, const struct site_address *sa,
              struct needs *needs, enum cert_source *source);

/* Sorts, leaves each name once, reports names with two different settings. */
void certs_settle(struct conf_builder *b, struct needs *needs);

#endif
