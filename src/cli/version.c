#include "cli/cli.h"

#include <stdio.h>

int cli_version(const struct cli_options *o)
{
    (void)o;
    printf("lintel %s\n", PACKAGE_VERSION);
    return EXIT_OK;
}
