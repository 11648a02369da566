#include "cli/cli.h"

int cli_run(const struct cli_options *o)
{
    const char *path;

    path = cli_conf_path(o);
    return path == NULL ? EXIT_USAGE : server_run(path);
}
