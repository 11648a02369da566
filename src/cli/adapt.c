#include "server/adapt.h"
#include "cli/cli.h"
#include "server/directives.h"

#include <stdio.h>
#include <stdlib.h>

int cli_adapt(const struct cli_options *o)
{
    struct language language = server_language;
    struct conf *conf;
    char *text;

    language.keep_source = true;
    conf = cli_load_language(o, &language);
    if (conf == NULL)
        return EXIT_USAGE;
    text = adapt_json(conf);
    fputs(text, stdout);
    free(text);
    conf_unref(conf);
    return EXIT_OK;
}
