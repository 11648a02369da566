/* The polite end of a connection that no engine gets: a few last bytes, then a close that lets the
 * client read them. Closing a socket with unread bytes makes TCP reset it, and a reset makes the
 * client throw away what it has not read yet; so what it sent is read, our side is shut down and
 * the client gets a moment to close. Worker's thread. */
#ifndef LINTEL_SERVER_REFUSAL_H
#define LINTEL_SERVER_REFUSAL_H

#include "base/list.h"
#include "base/str.h"
#include "io/loop.h"

struct refusals {
    struct loop *loop;
    struct list waiting; /* the oldest first */
    unsigned n;
    struct timer timer;
};

void refusals_init(struct refusals *r, struct loop *l);
void refusals_fini(struct refusals *r); /* closes all */

/* Sends the bytes and closes fd, now or a little later. */
void refusals_add(struct refusals *r, int fd, struct str last_words);

/* The same with a fatal TLS alert in a plaintext record (RFC 8446 6.2). */
void refusals_add_alert(struct refusals *r, int fd, unsigned alert);

#endif
