/* How "import" gets at files: all that it does to the disk is here, so that a fuzz target can link
 * other functions in the place of these. Blocks: main thread only. */
#ifndef LINTEL_CONF_IMPORT_DISK_H
#define LINTEL_CONF_IMPORT_DISK_H

#include "base/arena.h"
#include "base/buf.h"

struct disk_paths {
    struct str *list; /* sorted by their bytes; each is terminated by a NUL */
    size_t n;
};

/* The paths that a pattern of glob(7) matches: none is no error. A wildcard at the start of a name
 * matches no hidden file. */
MUST_CHECK int import_disk_glob(struct arena *a, const char *pattern, struct disk_paths *out,
                                struct err *e);

/* Appends the file to out, as file_read() does. */
MUST_CHECK int import_disk_read(const char *path, struct buf *out, struct err *e);

#endif
