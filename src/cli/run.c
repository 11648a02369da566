#include "cli/cli.h"

int cli_run(const struct cli_options *o)
{
    struct server_source source = {.path = cli_conf_path(o)};

    return source.path == NULL ? EXIT_USAGE : server_run(&source);
}
