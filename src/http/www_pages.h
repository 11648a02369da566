/* Pages of www/ that are in the binary. www/embed.awk makes them at build time, those which
 * www/www.mk lists: no indentation, what they include put in. Any thread. */
#ifndef LINTEL_HTTP_WWW_PAGES_H
#define LINTEL_HTTP_WWW_PAGES_H

#include "base/str.h"

extern const struct str www_browse_html;
extern const struct str www_error_html;

#endif
