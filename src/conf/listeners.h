/* The listeners of a configuration while it is being compiled: which site is reached at which
 * address, port and host, and where http redirects to https. */
#ifndef LINTEL_CONF_LISTENERS_H
#define LINTEL_CONF_LISTENERS_H

#include "conf/build.h"

enum { LISTENERS_MAX = 1024 };

struct listeners;

struct listeners *listeners_new(struct conf_builder *b);

/* A site's address, at each binding of the site. */
void listeners_add_site(struct listeners *ls, const struct site_draft *site,
                        const struct site_address *sa, uint16_t port, bool tls);

/* After all sites: the redirect from http_port to a TLS address. */
void listeners_add_redirect(struct listeners *ls, const struct site_draft *site,
                            const struct site_address *sa, uint16_t https_port);

/* After all sites: a listener for http-01 challenges where the site is bound. */
void listeners_add_challenge(struct listeners *ls, const struct site_draft *site);

/* Reports addresses given twice, and makes the tables. */
void listeners_compile(struct listeners *ls, struct conf *conf);

#endif
