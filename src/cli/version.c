#include "cli/cli.h"

#include <stdio.h>

int cli_version(int argc, char **argv)
{
    struct cli_options o;

    switch (cli_parse(argc, argv, false, 0, &o)) {
    case CLI_HELP:
        return EXIT_OK;
    case CLI_BAD:
        return EXIT_USAGE;
    case CLI_GO_ON:
        break;
    }
    printf("lintel %s\n", PACKAGE_VERSION);
    return EXIT_OK;
}
