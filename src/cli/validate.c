#include "cli/cli.h"

#include <stdio.h>

int cli_validate(const struct cli_options *o)
{
    struct conf *conf;

    conf = cli_load(o);
    if (conf == NULL)
        return EXIT_USAGE;
    puts("valid");
    conf_unref(conf);
    return EXIT_OK;
}
