/* The admin socket: a Unix socket (0600) that only our own user and root may talk to. One line in,
 * an answer out, then it closes. Main thread.
 *
 *   reload   takes up the configuration file again: "ok", or what is wrong with it
 *   status   what the server does, as a JSON object: server/status.h
 */
#ifndef LINTEL_SERVER_ADMIN_H
#define LINTEL_SERVER_ADMIN_H

#include "base/buf.h"
#include "io/loop.h"

struct admin;

enum { ADMIN_ANSWER_MAX = 64 * 1024 };

/* What is obeyed. */
struct admin_commands {
    /* Asks for a reload. Returns the number of the change that will answer it. */
    uint64_t (*reload)(void *arg);
    /* The answer to "status", malloc'ed. */
    char *(*status)(void *arg);
};

struct admin *admin_new(struct loop *l, const struct admin_commands *commands, void *arg);
void admin_free(struct admin *a); /* removes the socket; NULL is fine */

/* Listens at path from now on ("" = nowhere). A socket that a dead server left is replaced;
 * ERR_BUSY if a living one listens there. On failure nothing has changed. */
MUST_CHECK int admin_listen(struct admin *a, const char *path, struct err *e);

/* Answers whoever waits for this change or an earlier one: error is NULL, or text for people. */
void admin_answer(struct admin *a, uint64_t number, const char *error);

/* ---- the other side, for "lintel reload" and "lintel status" ---- */

/* Sends a line to the socket at path and appends the answer. ERR_NOT_FOUND if nobody listens there.
 * Blocks for at most a minute. */
MUST_CHECK int admin_ask(const char *path, const char *line, struct buf *answer, struct err *e);

#endif
