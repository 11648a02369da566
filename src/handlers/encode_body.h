/* The body of a response, encoded: at once if it is small, else as the client takes it. */
#ifndef LINTEL_HANDLERS_ENCODE_BODY_H
#define LINTEL_HANDLERS_ENCODE_BODY_H

#include "handlers/encode_pool.h"
#include "http/exchange.h"

enum {
    ENCODE_SMALL = 64 * 1024, /* bytes in memory up to this are encoded at once */
    ENCODE_TURN = 64 * 1024   /* of input at most before something is put out: a worker has others
                                 to serve */
};

struct encode_how {
    struct coder_pool *pool;
    const struct coder_type *type;
    struct coder_settings settings;
    bool prompt; /* what has come is sent while more is waited for */
};

/* in, at most ENCODE_SMALL bytes, encoded: in memory for free(). p == NULL: memory is short. */
struct str encode_bytes(const struct encode_how *how, struct str in);

/* Puts the encoded body in the place of ex->body, which is not BODY_NONE or BODY_PREPARED. False,
 * and nothing is changed, if there is no memory for it. The body of a response to HEAD gets its
 * kind and length: for that, it is made only where GET would make it at once (RFC 9110 9.3.2). */
MUST_CHECK bool encode_body(struct exchange *ex, const struct encode_how *how);

#endif
