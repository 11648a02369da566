/* php_fastcgi: a site whose pages are made by PHP. It is short for a route of redir, rewrite and
 * reverse_proxy with "transport fastcgi". */
#ifndef LINTEL_HANDLERS_PHP_FASTCGI_H
#define LINTEL_HANDLERS_PHP_FASTCGI_H

#include "conf/directive.h"

extern const struct directive php_fastcgi_directives[]; /* ended by a zeroed row */

#endif
