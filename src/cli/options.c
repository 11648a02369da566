#include "cli/cli.h"

#include "base/alloc.h"
#include "conf/load.h"
#include "server/admin.h"
#include "server/directives.h"

#include <assert.h>
#include <stdarg.h>
#include <stdlib.h>
#include <unistd.h>

int cli_usage_error(const char *fmt, ...)
{
    va_list ap;

    fputs("lintel: ", stderr);
    va_start(ap, fmt);
    vfprintf(stderr, fmt, ap);
    va_end(ap);
    fputc('\n', stderr);
    return EXIT_USAGE;
}

const char *cli_nearest(const char *word, const char *(*next)(const void *list, size_t i),
                        const void *list)
{
    unsigned best_distance = 3; /* beyond, it is another word */
    const char *best = NULL, *candidate;

    for (size_t i = 0; (candidate = next(list, i)) != NULL; i++) {
        unsigned distance = str_distance(str_of(word), str_of(candidate));

        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

/* ---- options ---- */

struct cli_given {
    const struct cli_flag *flag;
    const char *value; /* "" for a switch */
};

/* Where cli_parse() is. */
struct parse {
    const struct command *command;
    char **argv; /* NULL at the end */
    int at;
    struct cli_options *out;
};

const struct cli_flag cli_flag_help = {"help", 'h', NULL, "show this", false};

/* The names of a command's options, "help" last. */
static const char *flag_name(const void *list, size_t i)
{
    const struct cli_flag *flags = list;

    if (i > 0 && flags[i - 1].name == NULL)
        return NULL;
    return flags[i].name == NULL ? cli_flag_help.name : flags[i].name;
}

static const struct cli_flag *find_name(const struct command *c, struct str name)
{
    for (const struct cli_flag *f = c->flags; f->name != NULL; f++)
        if (str_is(name, f->name))
            return f;
    return str_is(name, cli_flag_help.name) ? &cli_flag_help : NULL;
}

static const struct cli_flag *find_letter(const struct command *c, char letter)
{
    for (const struct cli_flag *f = c->flags; f->name != NULL; f++)
        if (f->letter == letter)
            return f;
    return letter == cli_flag_help.letter ? &cli_flag_help : NULL;
}

static bool reads_configuration(const struct command *c)
{
    return find_name(c, STR_LIT("config")) != NULL;
}

static enum cli_parsed bad_flag(const struct parse *p, struct str name)
{
    const char *command = p->command->name;
    char *word = xstrndup(name.p, name.len);
    const char *near = cli_nearest(word, flag_name, p->command->flags);
    const char *instead = reads_configuration(p->command) ? cli_foreign_option(name) : NULL;

    if (instead != NULL)
        cli_usage_error("%s: there is no --%s: %s", command, word, instead);
    else if (near != NULL)
        cli_usage_error("%s: unknown option --%s; did you mean --%s?", command, word, near);
    else
        cli_usage_error("%s: unknown option --%s; see 'lintel help %s'", command, word, command);
    free(word);
    return CLI_BAD;
}

static enum cli_parsed lacks_value(const struct parse *p, const struct cli_flag *f)
{
    char *what = xstrdup(f->value);

    for (char *c = what; *c != '\0'; c++)
        *c = ascii_lower(*c);
    cli_usage_error("%s: --%s needs a%s %s", p->command->name, f->name,
                    strchr("aeiou", what[0]) != NULL ? "n" : "", what);
    free(what);
    return CLI_BAD;
}

/* An option with what was written to it, or NULL. Takes the next word if a value is missing. */
static enum cli_parsed give(struct parse *p, const struct cli_flag *f, const char *value)
{
    if (f == &cli_flag_help) {
        cli_print_help(p->command);
        return CLI_HELP;
    }
    if (f->value == NULL && value != NULL) {
        cli_usage_error("%s: --%s takes no value", p->command->name, f->name);
        return CLI_BAD;
    }
    if (f->value != NULL && value == NULL && p->argv[p->at + 1] != NULL)
        value = p->argv[++p->at];
    if (f->value != NULL && (value == NULL || (value[0] == '\0' && !f->may_be_empty)))
        return lacks_value(p, f);
    p->out->given[p->out->n_given++] = (struct cli_given){f, value == NULL ? "" : value};
    return CLI_GO_ON;
}

/* "--name" or "--name=value", without the dashes. */
static enum cli_parsed parse_long(struct parse *p, const char *word)
{
    struct str value = str_of(word), name = str_cut(&value, '=');
    const struct cli_flag *f = find_name(p->command, name);

    return f == NULL ? bad_flag(p, name) : give(p, f, value.p);
}

/* "-xyz", without the dash: switches, and the last may take the rest of the word, or the next. */
static enum cli_parsed parse_letters(struct parse *p, const char *word)
{
    struct str rest = str_of(word), name = str_cut(&rest, '=');
    enum cli_parsed result = CLI_GO_ON;

    if (name.len > 1 && find_name(p->command, name) != NULL) {
        cli_usage_error("%s: unknown option -" STR_FMT "; did you mean --" STR_FMT "?",
                        p->command->name, STR_ARG(name), STR_ARG(name));
        return CLI_BAD;
    }
    for (const char *c = word; *c != '\0' && result == CLI_GO_ON; c++) {
        const struct cli_flag *f = find_letter(p->command, *c);

        if (f == NULL) {
            cli_usage_error("%s: unknown option -%c; see 'lintel help %s'", p->command->name, *c,
                            p->command->name);
            return CLI_BAD;
        }
        if (f->value != NULL)
            return give(p, f, c[1] == '\0' ? NULL : c + 1 + (c[1] == '='));
        result = give(p, f, NULL);
    }
    return result;
}

static enum cli_parsed parse_words(struct parse *p)
{
    enum cli_parsed result = CLI_GO_ON;
    bool options_over = false;

    for (p->at = 1; p->argv[p->at] != NULL && result == CLI_GO_ON; p->at++) {
        struct str word = str_of(p->argv[p->at]);

        if (options_over || !str_starts(word, STR_LIT("-")) || word.len == 1)
            p->out->arguments[p->out->n_arguments++] = p->argv[p->at];
        else if (str_is(word, "--"))
            options_over = true;
        else if (str_starts(word, STR_LIT("--")))
            result = parse_long(p, word.p + 2);
        else
            result = parse_letters(p, word.p + 1);
    }
    return result;
}

static enum cli_parsed bad_argument(const struct command *c, const char *word)
{
    if (reads_configuration(c) && word[0] != '-')
        cli_usage_error("%s: unexpected argument '%s'; did you mean --config %s?", c->name, word,
                        word);
    else
        cli_usage_error("%s: unexpected argument '%s'", c->name, word);
    return CLI_BAD;
}

enum cli_parsed cli_parse(const struct command *c, int argc, char **argv, struct cli_options *out)
{
    struct parse p = {.command = c, .argv = argv, .out = out};
    enum cli_parsed result;
    size_t letters = 0; /* no more options than that are given */

    for (int i = 1; i < argc; i++)
        letters += strlen(argv[i]);
    *out = (struct cli_options){.command = c, .arguments = argv + 1};
    out->given = xalloc((letters + 1) * sizeof *out->given);
    result = parse_words(&p);
    if (result == CLI_GO_ON && out->n_arguments > c->max_arguments)
        result = bad_argument(c, out->arguments[c->max_arguments]);
    if (result == CLI_BAD)
        cli_options_fini(out);
    else
        out->arguments[out->n_arguments] = NULL;
    return result;
}

void cli_options_fini(struct cli_options *o)
{
    free(o->given);
    *o = (struct cli_options){0};
}

const char *cli_each(const struct cli_options *o, const char *name, size_t *at)
{
    assert(find_name(o->command, str_of(name)) != NULL);
    while (*at < o->n_given) {
        const struct cli_given *g = &o->given[(*at)++];

        if (strcmp(g->flag->name, name) == 0)
            return g->value;
    }
    return NULL;
}

const char *cli_value(const struct cli_options *o, const char *name)
{
    const char *last = NULL, *value;
    size_t at = 0;

    while ((value = cli_each(o, name, &at)) != NULL)
        last = value;
    return last;
}

bool cli_has(const struct cli_options *o, const char *name)
{
    return cli_value(o, name) != NULL;
}

/* ---- the configuration file ---- */

const char *cli_conf_path(const struct cli_options *o)
{
    static const char *const usual[] = {"./lintel.conf", "./Caddyfile", "/etc/lintel/lintel.conf"};

    const char *named = cli_value(o, "config");

    if (named != NULL)
        return named;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], F_OK) == 0)
            return usual[i];
    cli_usage_error("there is no configuration: neither %s nor %s nor %s; name one with --config",
                    usual[0], usual[1], usual[2]);
    return NULL;
}

struct conf *cli_load_language(const struct cli_options *o, const struct language *language)
{
    struct buf errors = BUF_INIT(ADMIN_ANSWER_MAX), warnings = BUF_INIT(ADMIN_ANSWER_MAX);
    const char *path = cli_conf_path(o);
    struct conf *conf = NULL;

    if (path != NULL)
        conf = conf_load(path, language, &errors, &warnings);
    cli_print(&warnings, stderr);
    cli_print(&errors, stderr);
    buf_fini(&warnings);
    buf_fini(&errors);
    return conf;
}

struct conf *cli_load(const struct cli_options *o)
{
    return cli_load_language(o, &server_language);
}

void cli_print(const struct buf *b, FILE *out)
{
    if (b->len > 0) /* an empty buffer has no memory to point at */
        fwrite(b->p, 1, b->len, out);
}
