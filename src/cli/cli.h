/* The command line: one file a subcommand, and what they share. */
#ifndef LINTEL_CLI_CLI_H
#define LINTEL_CLI_CLI_H

#include "base/buf.h"
#include "conf/conf.h"
#include "server/server.h"

#include <stdbool.h>
#include <stdio.h>

/* What may stand after a subcommand. */
struct cli_options {
    const char *conf_path; /* --config, or the first of the usual places that is there */
    char **arguments;      /* the words that are no options; NULL at the end */
    int n_arguments;
};

struct command {
    const char *name;
    const char *arguments;                   /* for the usage line; "" for none */
    const char *summary;                     /* one line */
    const char *help;                        /* further lines; "" for none */
    bool has_conf;                           /* --config is allowed */
    int max_arguments;                       /* words that are no options */
    int (*run)(const struct cli_options *o); /* returns the exit status */
};

/* In the order in which help shows them; ends with a zero row. In main.c. */
extern const struct command cli_commands[];

/* NULL after saying on standard error that there is no such command, and which is near. */
const struct command *cli_find_command(const char *name);

/* Each is the run of a row. */
int cli_run(const struct cli_options *o);
int cli_validate(const struct cli_options *o);
int cli_reload(const struct cli_options *o);
int cli_certs(const struct cli_options *o);
int cli_version(const struct cli_options *o);
int cli_help(const struct cli_options *o);

/* Prints the help of a command on standard output. */
void cli_print_help(const struct command *c);

/* ---- options.c ---- */

enum cli_parsed {
    CLI_GO_ON,
    CLI_HELP, /* --help was there, and help was printed */
    CLI_BAD   /* and that was said on standard error */
};

/* Reads what stands after c's name, which is argv[0]. */
enum cli_parsed cli_parse(const struct command *c, int argc, char **argv, struct cli_options *out);

/* The path of --config, or else of the first of the usual places that is there; NULL, after saying
 * so, if there is none. */
const char *cli_conf_path(const struct cli_options *o);

/* Loads the configuration; what is wrong with it goes to standard error. NULL after errors. */
struct conf *cli_load(const struct cli_options *o);

/* "lintel: " and a line on standard error. Returns EXIT_USAGE. */
int cli_usage_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Of the candidates, the word nearest to word, or NULL if none is near. next(i) gives them, NULL at
 * the end. */
const char *cli_nearest(const char *word, const char *(*next)(size_t i));

/* Writes what there is in b. */
void cli_print(const struct buf *b, FILE *out);

#endif
