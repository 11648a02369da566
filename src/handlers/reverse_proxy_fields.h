/* The fields of a proxied message, both ways: what concerns one connection only is taken out
 * (RFC 9110 7.6.1), what a gateway says is put in. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_FIELDS_H
#define LINTEL_HANDLERS_REVERSE_PROXY_FIELDS_H

#include "handlers/reverse_proxy_conf.h"
#include "http/exchange.h"

/* The request's lines for upstream u, as fetch_spec.fields wants them, in the exchange's arena. */
const char *const *proxy_request_lines(struct exchange *ex, const struct reverse_proxy_conf *c,
                                       const struct upstream *u);

/* The request target in origin-form, NUL-terminated, byte for byte as the client sent it. */
const char *proxy_request_target(struct exchange *ex);

/* Puts an upstream's fields into ex->response. */
void proxy_respond_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                          const struct fields *upstream_fields);

#endif
