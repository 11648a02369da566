/* Words that people bring along from the command lines of Caddy and nginx. */
#include "cli/cli.h"

static const char write_validate[] = "write 'lintel validate'";
static const char write_version[] = "write 'lintel version --verbose'";
static const char stop[] = "SIGTERM ends the server: lintel.pid in its storage has the process";
static const char trust[] =
    "the root certificate is pki/authorities/local/root.crt in the storage; "
    "on Debian update-ca-certificates makes it trusted";
static const char no_plugins[] = "there are no plugins";
static const char printenv[] = "printenv shows the environment";

struct foreign {
    const char *word;
    const char *instead;
};

static const struct foreign commands[] = {
    {"-T", "write 'lintel adapt'"},
    {"-V", write_version},
    {"-c", "write 'lintel run --config FILE'"},
    {"-s", "write 'lintel reload'; SIGTERM ends the server"},
    {"-t", write_validate},
    {"add-package", no_plugins},
    {"build-info", write_version},
    {"check", write_validate},
    {"completion", "that for bash and zsh is installed with the program"},
    {"configtest", write_validate},
    {"environ", printenv},
    {"list-modules", "write 'lintel directives'"},
    {"manpage", "man lintel, and man lintel.conf"},
    {"remove-package", no_plugins},
    {"restart", "write 'lintel reload'; after an update the service manager restarts"},
    {"serve", "write 'lintel run'"},
    {"start", "write 'lintel run', which stays in the foreground"},
    {"stop", stop},
    {"storage", "it is a folder, which can be copied as it is"},
    {"test", write_validate},
    {"trust", trust},
    {"untrust", trust},
    {"upgrade", "a new version is installed over the old one, then started again"},
    {0},
};

/* Of the commands that read a configuration. */
static const struct foreign options[] = {
    {"adapter", "leave it out: the file is in the language of the Caddyfile"},
    {"address", "'admin' in the configuration says where the server is found"},
    {"envfile", "let a shell read it before ('set -a; . FILE'), or the service manager"},
    {"environ", printenv},
    {"force", "leave it out: a reload is always done"},
    {"pidfile", "lintel.pid in the storage is one"},
    {"pretty", "leave it out: it is always so"},
    {"resume", "leave it out: the configuration is what the file says"},
    {"validate", "leave it out: it is always done"},
    {"watch", "write 'lintel reload' when the file has changed"},
    {0},
};

static const char *find(const struct foreign *list, struct str word)
{
    for (; list->word != NULL; list++)
        if (str_is(word, list->word))
            return list->instead;
    return NULL;
}

const char *cli_foreign_command(struct str word)
{
    return find(commands, word);
}

const char *cli_foreign_option(struct str name)
{
    return find(options, name);
}
