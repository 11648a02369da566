/* Commands that serve without a configuration file: each writes a configuration in memory, which is
 * loaded and served like any other. The rows of their options and the words they take are Caddy's.
 */
#ifndef LINTEL_CLI_ONELINER_H
#define LINTEL_CLI_ONELINER_H

#include "cli/cli.h"
#include "conf/address.h"

#include <stdint.h>

/* Options of all of them. */
#define ONELINER_FLAG_ACCESS_LOG(short_name)                                                       \
    {                                                                                              \
        .name = "access-log", .letter = (short_name), .help = "log each request"                   \
    }
#define ONELINER_FLAG_DEBUG                                                                        \
    {                                                                                              \
        .name = "debug", .letter = 'v', .help = "log more"                                         \
    }

/* The configuration as it grows. After a failure, which is said on standard error at once, all that
 * follows does nothing. */
struct oneliner {
    const struct cli_options *options;
    struct buf text;
    struct buf greeting; /* for standard output, when all is served */
    int reserved;        /* a descriptor that keeps others from a port that was chosen, or -1 */
    bool failed;
};

/* An option of Caddy's that Lintel has not. */
struct oneliner_refused {
    const char *name; /* NULL: the last */
    const char *why;
};

void oneliner_init(struct oneliner *l, const struct cli_options *o);

/* Says it on standard error, after the command's name. */
void oneliner_fail(struct oneliner *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* Fails if one of these was given. */
void oneliner_refuse(struct oneliner *l, const struct oneliner_refused *list);

/* Our own words, to the configuration; to the greeting. */
void oneliner_put(struct oneliner *l, const char *fmt, ...) PRINTF_LIKE(2, 3);
void oneliner_greet(struct oneliner *l, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* A blank and somebody's value as one word, in which nothing is replaced; what: its name in
 * messages, such as "--to". */
void oneliner_word(struct oneliner *l, const char *what, struct str value);

/* The same where a text with placeholders is read. */
void oneliner_text(struct oneliner *l, const char *what, struct str value);

/* A line for each "Field: value" that the option was given. before: the words of the line. */
void oneliner_fields(struct oneliner *l, const char *option, const char *before);

/* The block of global options; extra: further lines for it. */
void oneliner_globals(struct oneliner *l, const char *extra);

enum { ONELINER_HTTP_PORT = 80, ONELINER_HTTPS_PORT = 443 };
enum { ONELINER_URL_MAX = sizeof "https://[]:65535/" + HOST_LEN_MAX };

/* The first line of a site, and what options say of every site: "log" if --access-log was given.
 * Scheme and port are set. */
void oneliner_site(struct oneliner *l, const struct address *site);

/* Where a browser on this machine finds a site; bound: the address it is bound to, or "". */
void oneliner_url(const struct address *site, const char *bound, char out[ONELINER_URL_MAX]);

/* Serves, unless something has failed. Returns the exit status; l is gone afterwards. */
int oneliner_run(struct oneliner *l);

/* ---- listen.c: where --listen says ---- */

struct listen {
    char host[64];        /* an IP address without brackets, or "localhost"; "": all addresses */
    uint16_t first, last; /* ports */
};

enum { LISTEN_TEXT_MAX = 64 + 2 + 6 + 1 };

/* "host:port", "host:first-last" or ":port", with "tcp/" before it or not. Port 0: one that is free
 * is chosen. Fails after saying why. */
MUST_CHECK int listen_parse(struct oneliner *l, const char *text, struct listen *out);

/* "host:port" as people write it, with brackets where there must be. */
void listen_text(const struct listen *a, uint16_t port, char out[LISTEN_TEXT_MAX]);

/* The line of a site that says so, if it is not everywhere. */
void listen_put(struct oneliner *l, const struct listen *a);

#endif
