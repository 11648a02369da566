/* The command line: one file a subcommand, and what they share. */
#ifndef LINTEL_CLI_CLI_H
#define LINTEL_CLI_CLI_H

#include "base/buf.h"
#include "conf/directive.h"
#include "server/server.h"

#include <stdbool.h>
#include <stdio.h>

/* An option of a command, "--name" or "-x". */
struct cli_flag {
    const char *name;  /* without its dashes */
    char letter;       /* its short form; 0: it has none */
    const char *value; /* what it takes, as help shows it: "FILE", "DIR"...; NULL: it is a switch */
    const char *help;  /* one line; NULL: help does not show the option */
    bool may_be_empty; /* an empty value means something */
};

/* The row of a command that reads the configuration; cli_conf_path() and cli_load() look at it. */
#define CLI_FLAG_CONFIG                                                                            \
    {                                                                                              \
        .name = "config", .letter = 'c', .value = "FILE", .help = "the configuration"              \
    }

struct command;
struct cli_given;

/* What stands after a subcommand. */
struct cli_options {
    const struct command *command;
    struct cli_given *given; /* the options, in their order */
    size_t n_given;
    char **arguments; /* the words that are no options; NULL at the end */
    int n_arguments;
};

struct command {
    const char *name;
    const char *arguments; /* what is no option, for the usage line; "" for none */
    const char *summary;   /* one line */
    const char *help;      /* further lines; "" for none */
    int max_arguments;
    const struct cli_flag *flags;            /* ends with a zero row */
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
int cli_status(const struct cli_options *o);
int cli_certs(const struct cli_options *o);
int cli_adapt(const struct cli_options *o);
int cli_directives(const struct cli_options *o);
int cli_hash_password(const struct cli_options *o);
int cli_fmt(const struct cli_options *o);
int cli_respond(const struct cli_options *o);
int cli_file_server(const struct cli_options *o);
int cli_reverse_proxy(const struct cli_options *o);
int cli_version(const struct cli_options *o);
int cli_help(const struct cli_options *o);

/* Of every command: prints its help. */
extern const struct cli_flag cli_flag_help;

/* Options of one command, each table in the file of its command. */
extern const struct cli_flag cli_hash_password_flags[];
extern const struct cli_flag cli_fmt_flags[];
extern const struct cli_flag cli_version_flags[];
extern const struct cli_flag cli_respond_flags[];
extern const struct cli_flag cli_file_server_flags[];
extern const struct cli_flag cli_reverse_proxy_flags[];
extern const struct cli_flag cli_help_flags[];

/* Prints the help of a command on standard output. */
void cli_print_help(const struct command *c);

/* What to do in the place of a word that only other servers know; NULL: it is none of those.
 * Options are those of commands that read a configuration. */
const char *cli_foreign_command(struct str word);
const char *cli_foreign_option(struct str name);

/* ---- options.c ---- */

enum cli_parsed {
    CLI_GO_ON,
    CLI_HELP, /* --help was there, and help was printed */
    CLI_BAD   /* and that was said on standard error */
};

/* Reads what stands after c's name, which is argv[0]: "--name value", "--name=value", "-x value",
 * "-xvalue", switches as "-x" or several as "-xy"; after "--" nothing is an option. The words stay
 * where argv has them. Unless CLI_BAD, *out is to be freed by cli_options_fini(). */
enum cli_parsed cli_parse(const struct command *c, int argc, char **argv, struct cli_options *out);
void cli_options_fini(struct cli_options *o);

/* What was given of an option of the command's table; its name is asserted to be there.
 * cli_has: whether it was. cli_value: the value, the last one if there are several, or NULL.
 * cli_each: for options that may come several times: the value that follows in order, or NULL at
 * the end; *at is 0 before the first call. */
bool cli_has(const struct cli_options *o, const char *name);
const char *cli_value(const struct cli_options *o, const char *name);
const char *cli_each(const struct cli_options *o, const char *name, size_t *at);

/* The path of --config, or else of the first of the usual places that is there; NULL, after saying
 * so, if there is none. */
const char *cli_conf_path(const struct cli_options *o);

/* Loads the configuration; what is wrong with it goes to standard error. NULL after errors. */
struct conf *cli_load(const struct cli_options *o);
struct conf *cli_load_language(const struct cli_options *o, const struct language *language);

/* "lintel: " and a line on standard error. Returns EXIT_USAGE. */
int cli_usage_error(const char *fmt, ...) PRINTF_LIKE(1, 2);

/* Of the candidates, the word nearest to word, or NULL if none is near. next(list, i) gives them,
 * NULL at the end. */
const char *cli_nearest(const char *word, const char *(*next)(const void *list, size_t i),
                        const void *list);

/* Writes what there is in b. */
void cli_print(const struct buf *b, FILE *out);

#endif
