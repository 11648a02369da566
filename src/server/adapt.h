/* A compiled configuration as JSON, for people: what each site will do, with defaults filled in. */
#ifndef LINTEL_SERVER_ADAPT_H
#define LINTEL_SERVER_ADAPT_H

#include "conf/conf.h"

/* Indented text, NUL-terminated, with a newline at its end; to be freed with free(). What
 * directives and matchers say is there if conf was loaded with struct language.keep_source. No key
 * of an external account is shown. */
char *adapt_json(const struct conf *conf);

#endif
