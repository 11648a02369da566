#include "cli/cli.h"

#include <stdio.h>

enum { FLAGS_SPELLED_OUT = 3 }; /* in a usage line; more of them are "[OPTION...]" */

const struct cli_flag cli_help_flags[] = {
    /* For the shells' completion: a line for each word, tab-separated: word, what it takes, help.
     * Without a word: what else may stand there. */
    {"words", 0, NULL, NULL, false},
    {0},
};

/* ---- for people ---- */

static void print_usage(const struct command *c)
{
    size_t n = 0;

    printf("usage: lintel %s%s%s", c->name, c->arguments[0] == '\0' ? "" : " ", c->arguments);
    for (const struct cli_flag *f = c->flags; f->name != NULL; f++)
        n += f->help != NULL;
    if (n > FLAGS_SPELLED_OUT)
        fputs(" [OPTION...]", stdout);
    for (const struct cli_flag *f = c->flags; n <= FLAGS_SPELLED_OUT && f->name != NULL; f++)
        if (f->help != NULL)
            printf(" [--%s%s%s]", f->name, f->value == NULL ? "" : " ",
                   f->value == NULL ? "" : f->value);
    putchar('\n');
}

static void print_flag(const struct cli_flag *f)
{
    char letter[] = {'-', f->letter, ',', '\0'}, spelled[64];

    snprintf(spelled, sizeof spelled, "%s%s%s", f->name, f->value == NULL ? "" : " ",
             f->value == NULL ? "" : f->value);
    printf("  %-3s --%-22s %s\n", f->letter == 0 ? "" : letter, spelled, f->help);
}

void cli_print_help(const struct command *c)
{
    print_usage(c);
    printf("\n%s\n", c->summary);
    if (c->help[0] != '\0')
        printf("\n%s", c->help);
    puts("\noptions:");
    for (const struct cli_flag *f = c->flags; f->name != NULL; f++)
        if (f->help != NULL)
            print_flag(f);
    print_flag(&cli_flag_help);
}

static void print_all(void)
{
    puts("Lintel serves web sites over HTTPS and looks after their certificates by itself.\n\n"
         "usage: lintel COMMAND [OPTION...]\n");
    for (const struct command *c = cli_commands; c->name != NULL; c++) {
        char usage[48];

        snprintf(usage, sizeof usage, "%s %s", c->name, c->arguments);
        printf("  %-18s %s\n", usage, c->summary);
    }
    puts("\n'lintel help COMMAND' shows its options. Without --config (-c) the configuration is\n"
         "./lintel.conf, else ./Caddyfile, else /etc/lintel/lintel.conf. See lintel(1) and\n"
         "lintel.conf(5).");
}

/* ---- for shells ---- */

static void print_flag_words(const struct cli_flag *f)
{
    const char *value = f->value == NULL ? "" : f->value;

    if (f->help == NULL)
        return;
    printf("--%s\t%s\t%s\n", f->name, value, f->help);
    if (f->letter != 0)
        printf("-%c\t%s\t%s\n", f->letter, value, f->help);
}

/* "list [FILE]": a word that is to be written as it is, and one that stands for something. */
static void print_argument_words(struct str arguments)
{
    while (arguments.len > 0) {
        struct str word = str_cut(&arguments, ' ');

        if (str_starts(word, STR_LIT("[")) && str_ends(word, STR_LIT("]")))
            printf("\t%.*s\t\n", (int)word.len - 2, word.p + 1);
        else
            printf(STR_FMT "\t\t\n", STR_ARG(word));
    }
}

static void print_command_words(const struct command *c)
{
    print_argument_words(str_of(c->arguments));
    for (const struct cli_flag *f = c->flags; f->name != NULL; f++)
        print_flag_words(f);
    print_flag_words(&cli_flag_help);
}

static void print_all_words(void)
{
    for (const struct command *c = cli_commands; c->name != NULL; c++)
        printf("%s\t\t%s\n", c->name, c->summary);
}

int cli_help(const struct cli_options *o)
{
    bool words = cli_has(o, "words");
    const struct command *c;

    if (o->n_arguments == 0) {
        (words ? print_all_words : print_all)();
        return EXIT_OK;
    }
    c = cli_find_command(o->arguments[0]);
    if (c == NULL)
        return EXIT_USAGE;
    (words ? print_command_words : cli_print_help)(c);
    return EXIT_OK;
}
