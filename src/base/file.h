/* Files read whole and replaced atomically. All of these block: main and certificate thread. */
#ifndef LINTEL_BASE_FILE_H
#define LINTEL_BASE_FILE_H

#include "base/buf.h"

#include <sys/types.h>

/* Appends the whole file at path (relative to dirfd) to out, whose ceiling bounds it.
 * ERR_NOT_FOUND if there is none, ERR_LIMIT if it is larger, ERR_INVALID if it is no regular
 * file, else ERR_IO. */
MUST_CHECK int file_read(int dirfd, const char *path, struct buf *out, struct err *e);

/* The same from what is open already, until its end; name is for messages. */
MUST_CHECK int fd_read_all(int fd, const char *name, struct buf *out, struct err *e);

/* Replaces path (relative to dirfd; both in one folder) so that at any instant, also after a
 * power cut, either the old or the new content is there: write beside, fsync, rename, fsync of
 * the folder. The file gets exactly mode. */
MUST_CHECK int file_replace(int dirfd, const char *path, struct str content, mode_t mode,
                            struct err *e);

/* The same for a file that is there: it keeps its mode, owner and group, and if path is a symbolic
 * link, what it points to is replaced. Fails if the owner cannot be kept. */
MUST_CHECK int file_rewrite(const char *path, struct str content, struct err *e);

/* Makes path and its parents, each new one with mode and lasting (its own folder is synced). No
 * error if it is there already. */
MUST_CHECK int file_mkdirs(int dirfd, const char *path, mode_t mode, struct err *e);

/* write(2) until all is written. */
MUST_CHECK int fd_write_all(int fd, struct str data, struct err *e);

#endif
