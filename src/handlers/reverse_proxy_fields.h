/* The fields of a proxied message, both ways: what concerns one connection only is taken out
 * (RFC 9110 7.6.1), what a gateway says is put in. */
#ifndef LINTEL_HANDLERS_REVERSE_PROXY_FIELDS_H
#define LINTEL_HANDLERS_REVERSE_PROXY_FIELDS_H

#include "handlers/reverse_proxy_conf.h"
#include "http/exchange.h"

/* What an upstream is asked; texts are NUL-terminated. */
struct proxy_request {
    struct str method;
    const char *target; /* in origin-form: byte for byte as the client sent it, or rewritten */
    bool is_head;
    bool bodiless; /* what the client sends as body is not handed on */
    int64_t body_len;
    struct str upgrade; /* the protocols that the client would change to; len 0: none */
};

/* Fills in *rq. Returns 0, or the status to answer with: what the client sent, put in a method or
 * a URI, makes none, or we are no tunnel. */
MUST_CHECK int proxy_request_make(struct exchange *ex, const struct reverse_proxy_conf *c,
                                  struct proxy_request *rq);

/* The request's fields for upstream u. */
struct fields proxy_request_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                                   const struct proxy_request *rq, const struct upstream *u);

/* The same as lines, as transfer_spec.fields wants them, in the exchange's arena. */
const char *const *proxy_request_lines(struct exchange *ex, const struct reverse_proxy_conf *c,
                                       const struct proxy_request *rq, const struct upstream *u);

/* Whether upstream u is asked for the upgrade that the client asks for. */
bool proxy_hands_on_upgrade(const struct reverse_proxy_conf *c, const struct proxy_request *rq,
                            const struct upstream *u);

/* Whether all protocols that the answer's Upgrade fields name, if any, are of those asked for. */
bool proxy_asks_for(const struct proxy_request *rq, const struct fields *answer);

/* Whether the client sends its body only when it is asked for, and so may we. */
bool proxy_hands_on_expect(const struct exchange *ex, const struct reverse_proxy_conf *c,
                           const struct proxy_request *rq);

/* A list of the fields that are not about one connection, with room for some more. */
struct fields proxy_end_to_end(struct exchange *ex, const struct fields *from, size_t more);

/* Puts an upstream's fields into ex->response. */
void proxy_respond_fields(struct exchange *ex, const struct reverse_proxy_conf *c,
                          const struct fields *upstream_fields);

#endif
