/* The table of subcommands, and the way to them. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

const struct command cli_commands[] = {
    {"run", "[--config FILE]", "serve until SIGTERM or SIGINT",
     "SIGHUP takes up the configuration again, SIGUSR1 opens log files again.\n"
     "A first SIGTERM or SIGINT waits for requests under way, a second one does not.\n",
     true, 0, cli_run},
    {"validate", "[--config FILE]", "check the configuration and say all that is wrong with it", "",
     true, 0, cli_validate},
    {"reload", "[--config FILE]", "make the running server take up its configuration again",
     "The file only says where to find the server. No connection is lost; if the configuration\n"
     "has errors, they are shown and nothing changes.\n",
     true, 0, cli_reload},
    {"certs", "list [--config FILE]", "show the certificates of the configured names", "", true, 1,
     cli_certs},
    {"version", "", "show the version", "", false, 0, cli_version},
    {"help", "[COMMAND]", "show this, or the help of a command", "", false, 1, cli_help},
    {0},
};

static const char *command_name(size_t i)
{
    return cli_commands[i].name;
}

const struct command *cli_find_command(const char *name)
{
    const char *near = cli_nearest(name, command_name);

    for (const struct command *c = cli_commands; c->name != NULL; c++)
        if (str_is(str_of(name), c->name))
            return c;
    if (near != NULL)
        cli_usage_error("unknown command '%s'; did you mean '%s'?", name, near);
    else
        cli_usage_error("unknown command '%s'; see 'lintel help'", name);
    return NULL;
}

/* Whoever starts us without standard descriptors would else find our messages in the first sockets
 * that got their numbers. */
static void open_standard_descriptors(void)
{
    int fd;

    do
        fd = open("/dev/null", O_RDWR);
    while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd > STDERR_FILENO)
        close(fd);
}

/* argv[0] is the subcommand's name. */
static int run_command(const struct command *c, int argc, char **argv)
{
    struct cli_options o;

    switch (cli_parse(c, argc, argv, &o)) {
    case CLI_HELP:
        return EXIT_OK;
    case CLI_BAD:
        return EXIT_USAGE;
    case CLI_GO_ON:
        break;
    }
    return c->run(&o);
}

int main(int argc, char **argv)
{
    struct str first = str_of(argc > 1 ? argv[1] : "");
    const struct command *c;

    open_standard_descriptors();
    if (argc < 2)
        return cli_usage_error("a command is missing; see 'lintel help'");
    if (str_is(first, "--help") || str_is(first, "-h"))
        return cli_help(&(struct cli_options){0});
    if (str_is(first, "--version") || str_is(first, "-v"))
        return cli_version(&(struct cli_options){0});
    c = cli_find_command(argv[1]);
    return c == NULL ? EXIT_USAGE : run_command(c, argc - 1, argv + 1);
}
