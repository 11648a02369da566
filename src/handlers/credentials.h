/* What a client sends to say who it is: "Authorization: Basic ..." (RFC 7617). Pure. */
#ifndef LINTEL_HANDLERS_CREDENTIALS_H
#define LINTEL_HANDLERS_CREDENTIALS_H

#include "base/str.h"

enum { CREDENTIALS_MAX = 1024 }; /* bytes of user, colon and password */

struct credentials {
    struct str user;     /* no colon in it */
    struct str password; /* any bytes */
    char bytes[CREDENTIALS_MAX];
};

/* Reads the value of an Authorization field. False if it is no well-formed Basic, or longer than
 * any password should be. The caller wipes c, in either case. */
bool credentials_parse(struct credentials *c, struct str value);

#endif
