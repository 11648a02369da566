/* The mark of a running server in its storage folder: lintel.pid, locked for as long as the server
 * lives. By it a second server on the same storage is noticed, and "lintel reload" finds the
 * process when there is no admin socket. */
#ifndef LINTEL_SERVER_INSTANCE_H
#define LINTEL_SERVER_INSTANCE_H

#include "base/err.h"

#include <sys/types.h>

/* Takes the mark in the folder, which is made if it is missing. Returns the descriptor to keep
 * open, or -1: ERR_BUSY if another process has it, ERR_IO if it cannot be written. */
MUST_CHECK int instance_take(const char *storage, struct err *e);
void instance_release(int fd); /* -1 is fine */

/* The process that has the mark. -1: ERR_NOT_FOUND if there is none. */
MUST_CHECK int instance_find(const char *storage, pid_t *pid, struct err *e);

#endif
