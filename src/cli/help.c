#include "cli/cli.h"

#include <stdio.h>

void cli_print_help(const struct command *c)
{
    printf("usage: lintel %s%s%s\n\n%s\n", c->name, c->arguments[0] == '\0' ? "" : " ",
           c->arguments, c->summary);
    if (c->help[0] != '\0')
        printf("\n%s", c->help);
}

static void print_all(void)
{
    puts("Lintel serves web sites over HTTPS and looks after their certificates by itself.\n\n"
         "usage: lintel COMMAND\n");
    for (const struct command *c = cli_commands; c->name != NULL; c++) {
        char usage[48];

        snprintf(usage, sizeof usage, "%s %s", c->name, c->arguments);
        printf("  %-26s %s\n", usage, c->summary);
    }
    puts("\nWithout --config (-c) the configuration is ./lintel.conf, else ./Caddyfile, else\n"
         "/etc/lintel/lintel.conf. See lintel(1) and lintel.conf(5).");
}

int cli_help(const struct cli_options *o)
{
    const struct command *c;

    if (o->n_arguments == 0) {
        print_all();
        return EXIT_OK;
    }
    c = cli_find_command(o->arguments[0]);
    if (c == NULL)
        return EXIT_USAGE;
    cli_print_help(c);
    return EXIT_OK;
}
