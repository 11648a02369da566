/* Which requests the HTTP/1.1 engine lets in: one function with tables of allowed bytes, called
 * before anything of a request is used. libmicrohttpd's own parser is lenient; what two parsers
 * read differently is how requests are smuggled. */
#ifndef LINTEL_ENGINES_H1_GATE_H
#define LINTEL_ENGINES_H1_GATE_H

#include "http/exchange.h"

/* Why a request was refused. */
struct gate_refusal {
    int status;
    const char *why; /* a short text with the section of the RFC */
};

/* Checks method, target and request fields of ex (http_minor and secure are set), and sets
 * ex->authority, ex->is_head and ex->request_body_len. NULL: let in. A refused request's connection
 * must be closed. */
const struct gate_refusal *h1_gate(struct exchange *ex);

/* Whether s is an authority without userinfo: host [ ":" port ] (RFC 3986 3.2), not empty. */
bool h1_gate_authority(struct str s);

#endif
