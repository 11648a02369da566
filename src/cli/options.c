#include "base/buf.h"
#include "cli/cli.h"
#include "conf/load.h"
#include "server/admin.h"
#include "server/directives.h"

#include <stdarg.h>
#include <stdio.h>
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

const char *cli_nearest(const char *word, const char *(*next)(size_t i))
{
    unsigned best_distance = 3; /* beyond, it is another word */
    const char *best = NULL, *candidate;

    for (size_t i = 0; (candidate = next(i)) != NULL; i++) {
        unsigned distance = str_distance(str_of(word), str_of(candidate));

        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

/* ---- options ---- */

static const char *option_name(size_t i)
{
    static const char *const names[] = {"--config", "--help", NULL};

    return names[i];
}

static enum cli_parsed bad_option(const char *command, const char *option)
{
    const char *near = cli_nearest(option, option_name);

    if (near != NULL)
        cli_usage_error("%s: unknown option %s; did you mean %s?", command, option, near);
    else
        cli_usage_error("%s: unknown option %s; see 'lintel help %s'", command, option, command);
    return CLI_BAD;
}

/* --config FILE, --config=FILE or -c FILE at argv[*i]. False if it is something else. */
static bool take_conf(char **argv, int *i, struct cli_options *out)
{
    struct str word = str_of(argv[*i]);

    if (str_starts(word, STR_LIT("--config="))) {
        out->conf_path = argv[*i] + sizeof "--config=" - 1;
        return true;
    }
    if (!str_is(word, "--config") && !str_is(word, "-c"))
        return false;
    out->conf_path = argv[*i + 1] == NULL ? "" : argv[++*i];
    return true;
}

enum cli_parsed cli_parse(const struct command *c, int argc, char **argv, struct cli_options *out)
{
    bool options_over = false;

    *out = (struct cli_options){.arguments = argv + 1};
    for (int i = 1; i < argc; i++) {
        struct str word = str_of(argv[i]);

        if (options_over || !str_starts(word, STR_LIT("-")) || word.len == 1) {
            out->arguments[out->n_arguments++] = argv[i];
        } else if (str_is(word, "--")) {
            options_over = true;
        } else if (str_is(word, "--help") || str_is(word, "-h")) {
            cli_print_help(c);
            return CLI_HELP;
        } else if (!c->has_conf || !take_conf(argv, &i, out)) {
            return bad_option(argv[0], argv[i]);
        }
    }
    out->arguments[out->n_arguments] = NULL;
    if (out->conf_path != NULL && out->conf_path[0] == '\0') {
        cli_usage_error("%s: --config needs a file", argv[0]);
        return CLI_BAD;
    }
    if (out->n_arguments > c->max_arguments) {
        cli_usage_error("%s: unexpected argument '%s'", argv[0], out->arguments[c->max_arguments]);
        return CLI_BAD;
    }
    return CLI_GO_ON;
}

/* ---- the configuration file ---- */

const char *cli_conf_path(const struct cli_options *o)
{
    static const char *const usual[] = {"./lintel.conf", "./Caddyfile", "/etc/lintel/lintel.conf"};

    if (o->conf_path != NULL)
        return o->conf_path;
    for (size_t i = 0; i < sizeof usual / sizeof usual[0]; i++)
        if (access(usual[i], F_OK) == 0)
            return usual[i];
    cli_usage_error("there is no configuration: neither %s nor %s nor %s; name one with --config",
                    usual[0], usual[1], usual[2]);
    return NULL;
}

struct conf *cli_load(const struct cli_options *o)
{
    struct buf errors = BUF_INIT(ADMIN_ANSWER_MAX), warnings = BUF_INIT(ADMIN_ANSWER_MAX);
    const char *path = cli_conf_path(o);
    struct conf *conf = NULL;

    if (path != NULL)
        conf = conf_load(path, server_directives, &errors, &warnings);
    cli_print(&warnings, stderr);
    cli_print(&errors, stderr);
    buf_fini(&warnings);
    buf_fini(&errors);
    return conf;
}

void cli_print(const struct buf *b, FILE *out)
{
    if (b->len > 0) /* an empty buffer has no memory to point at */
        fwrite(b->p, 1, b->len, out);
}
