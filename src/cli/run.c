#include "cli/cli.h"

int cli_run(int argc, char **argv)
{
    struct cli_options o;
    const char *path;

    switch (cli_parse(argc, argv, true, 0, &o)) {
    case CLI_HELP:
        return EXIT_OK;
    case CLI_BAD:
        return EXIT_USAGE;
    case CLI_GO_ON:
        break;
    }
    path = cli_conf_path(&o);
    return path == NULL ? EXIT_USAGE : server_run(path);
}
