/* The table of subcommands, and the way to them. */
#include "cli/cli.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static const struct cli_flag no_flags[] = {{0}};
static const struct cli_flag config_flags[] = {CLI_FLAG_CONFIG, {0}};

const struct command cli_commands[] = {
    {"run", "", "serve until SIGTERM or SIGINT",
     "SIGHUP takes up the configuration again, SIGUSR1 opens log files again.\n"
     "A first SIGTERM or SIGINT waits for requests under way, a second one does not.\n",
     0, config_flags, cli_run},
    {"validate", "", "check the configuration and say all that is wrong with it", "", 0,
     config_flags, cli_validate},
    {"reload", "", "make the running server take up its configuration again",
     "The file only says where to find the server. No connection is lost; if the configuration\n"
     "has errors, they are shown and nothing changes.\n",
     0, config_flags, cli_reload},
    {"status", "", "show what the running server does, as JSON",
     "The file only says where to find the server.\n", 0, config_flags, cli_status},
    {"certs", "list", "show the certificates of the configured names", "", 1, config_flags,
     cli_certs},
    {"adapt", "", "show the compiled configuration, defaults filled in, as JSON",
     "Routes are in the order in which they are asked.\n", 0, config_flags, cli_adapt},
    {"directives", "[NAME]", "show the directives and options there are, or one of them", "", 1,
     no_flags, cli_directives},
    {"hash-password", "", "hash a password for basic_auth",
     "It is asked for at the terminal, or is the first line of standard input.\n", 0,
     cli_hash_password_flags, cli_hash_password},
    {"fmt", "[FILE]", "bring the configuration into its standard form",
     "The result goes to standard output. The exit status is 1 if that is not what the file has.\n"
     "FILE may be -, standard input: its status is 0, unless --diff shows something.\n",
     1, cli_fmt_flags, cli_fmt},
    {"respond", "[BODY|STATUS]", "answer all requests alike, without a configuration",
     "An argument of three digits is the status, any other the body, which may also come from a\n"
     "pipe. In it {{.N}}, {{.Port}} and {{.Address}} tell the listeners apart.\n",
     1, cli_respond_flags, cli_respond},
    {"file-server", "", "serve a folder, without a configuration",
     "With --domain by HTTPS, with a certificate that is obtained by itself.\n", 0,
     cli_file_server_flags, cli_file_server},
    {"reverse-proxy", "", "hand requests on to a server, without a configuration",
     "By HTTPS if --from has a host name, with a certificate that is obtained by itself.\n", 0,
     cli_reverse_proxy_flags, cli_reverse_proxy},
    {"version", "", "show the version", "", 0, cli_version_flags, cli_version},
    {"help", "[COMMAND]", "show this, or the help of a command", "", 1, cli_help_flags, cli_help},
    {0},
};

static const char *command_name(const void *list, size_t i)
{
    (void)list;
    return cli_commands[i].name;
}

const struct command *cli_find_command(const char *name)
{
    const char *near = cli_nearest(name, command_name, NULL);
    const char *instead = cli_foreign_command(str_of(name));

    for (const struct command *c = cli_commands; c->name != NULL; c++)
        if (str_is(str_of(name), c->name))
            return c;
    if (instead != NULL)
        cli_usage_error("there is no command '%s': %s", name, instead);
    else if (near != NULL)
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
    enum cli_parsed parsed = cli_parse(c, argc, argv, &o);
    int status;

    if (parsed == CLI_BAD)
        return EXIT_USAGE;
    status = parsed == CLI_HELP ? EXIT_OK : c->run(&o);
    cli_options_fini(&o);
    return status;
}

/* "lintel --help" and "lintel --version" are commands as well. */
static const char *command_of(const char *word)
{
    struct str first = str_of(word);

    if (str_is(first, "--help") || str_is(first, "-h"))
        return "help";
    if (str_is(first, "--version") || str_is(first, "-v"))
        return "version";
    return word;
}

int main(int argc, char **argv)
{
    const struct command *c;

    open_standard_descriptors();
    if (argc < 2)
        return cli_usage_error("a command is missing; see 'lintel help'");
    c = cli_find_command(command_of(argv[1]));
    return c == NULL ? EXIT_USAGE : run_command(c, argc - 1, argv + 1);
}
