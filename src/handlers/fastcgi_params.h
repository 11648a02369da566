/* The variables that tell a FastCGI server of a request: those of RFC 3875 4.1, with what Caddy and
 * others add. */
#ifndef LINTEL_HANDLERS_FASTCGI_PARAMS_H
#define LINTEL_HANDLERS_FASTCGI_PARAMS_H

#include "handlers/fastcgi_script.h"
#include "handlers/reverse_proxy_fields.h"
#include "io/fcgi.h"
#include "io/transfer.h"

struct fastcgi_params {
    struct fcgi_param *list;
    size_t n, cap;
};

/* What fields, those that an upstream would get by HTTP, and the rest of the request become; all of
 * it lives as long as ex. A field whose name is not of letters, digits and "-" is left out, since
 * it could pass for another ("_", "."), and so is "Proxy", which would be HTTP_PROXY. */
void fastcgi_params_make(struct exchange *ex, const struct fastcgi_conf *c,
                         const struct proxy_request *rq, const struct fields *fields,
                         const struct fastcgi_script *script, struct fastcgi_params *out);

/* The same for a request of our own, with spec's method, target, fields and length; in a. */
void fastcgi_params_plain(struct arena *a, const struct fastcgi_conf *c,
                          const struct transfer_spec *spec, struct fastcgi_params *out);

#endif
