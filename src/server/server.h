/* The running server: the main thread's part. */
#ifndef LINTEL_SERVER_SERVER_H
#define LINTEL_SERVER_SERVER_H

#include "base/str.h"

/* Exit statuses of the program. */
enum {
    EXIT_OK = 0,
    EXIT_USAGE = 1, /* bad configuration or usage */
    EXIT_RUN = 2    /* failed at run time */
};

/* Where the configuration comes from: a file, which a reload reads again, or a text. A server with
 * a text leaves no mark in the storage and has no admin socket, since there is nothing to reload.
 */
struct server_source {
    const char *path;     /* of the file; of a text, what messages call it */
    struct str text;      /* p == NULL: the file is meant */
    const char *greeting; /* for standard output, when all is served; NULL: none */
};

/* Serves what the configuration says until SIGTERM or SIGINT; a second one ends it at once.
 * SIGHUP takes up the file again, SIGUSR1 opens the log files again. Returns the exit status; what
 * went wrong has been logged. To be called before any other thread exists. */
int server_run(const struct server_source *source);

#endif
