/* The running server: the main thread's part. */
#ifndef LINTEL_SERVER_SERVER_H
#define LINTEL_SERVER_SERVER_H

/* Exit statuses of the program. */
enum {
    EXIT_OK = 0,
    EXIT_USAGE = 1, /* bad configuration or usage */
    EXIT_RUN = 2    /* failed at run time */
};

/* Serves what the configuration file says until SIGTERM or SIGINT; a second one ends it at once.
 * SIGHUP takes up the file again, SIGUSR1 opens the log files again. Returns the exit status; what
 * went wrong has been logged. To be called before any other thread exists. */
int server_run(const char *conf_path);

#endif
