#include "cli/cli.h"

#include <stdio.h>

int cli_validate(int argc, char **argv)
{
    struct cli_options o;
    struct conf *conf;

    switch (cli_parse(argc, argv, true, 0, &o)) {
    case CLI_HELP:
        return EXIT_OK;
    case CLI_BAD:
        return EXIT_USAGE;
    case CLI_GO_ON:
        break;
    }
    conf = cli_load(&o);
    if (conf == NULL)
        return EXIT_USAGE;
    puts("valid");
    conf_unref(conf);
    return EXIT_OK;
}
