/* reverse_proxy: hands a request on to an upstream over HTTP/1.1 and the answer back, both bodies
 * streamed. Upstreams take turns; one that cannot be connected to is passed over. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_H
#define LINTEL_HANDLERS_REVERSE_PROXY_H

#include "conf/directive.h"

struct exchange;

/* Answers the exchange with what the upstream has answered, and this status. False: there is
 * nothing that could be sent on, the exchange is not being handled by handle_response. */
bool reverse_proxy_copy(struct exchange *ex, int status);

extern const struct directive reverse_proxy_directives[]; /* ended by a zeroed row */

#endif
