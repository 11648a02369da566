/* Rows about certificates that the tls directive shares with the global options. Each works on a
 * struct tls_conf, whichever of the two it belongs to. */
#ifndef LINTEL_CONF_TLS_OPTIONS_H
#define LINTEL_CONF_TLS_OPTIONS_H

#include "conf/build.h"

int tls_options_email(const struct directive_args *d, struct tls_conf *tls, const struct token *t);
int tls_options_ca(const struct directive_args *d, struct tls_conf *tls);
int tls_options_ca_root(const struct directive_args *d, struct tls_conf *tls);
int tls_options_key_type(const struct directive_args *d, struct tls_conf *tls);

/* The part of a certificate's lifetime, "0.33", that is left when it is renewed. */
int tls_options_renewal_ratio(const struct directive_args *d, struct tls_conf *tls);

/* "internal", or "acme [URL] { ... }": sets *internal, or what it says in tls. */
int tls_options_issuer(const struct directive_args *d, struct tls_conf *tls, bool *internal);

/* "eab KEY_ID MAC_KEY", or a block of key_id and mac_key. */
int tls_options_eab(const struct directive_args *d, struct tls_conf *tls);

#endif
