#include "base/idna.h"
#include "base/password.h"
#include "base/regex.h"
#include "cert/jdoc.h"
#include "cli/cli.h"
#include "engines/h1_mhd.h"
#include "engines/tls_session.h"
#include "handlers/encode_coder.h"
#include "io/fetch.h"

const struct cli_flag cli_version_flags[] = {
    {.name = "verbose", .help = "also those of libraries, and what was built in"},
    {0},
};

static const struct {
    const char *name;
    const char *(*version)(void); /* which answers NULL if it was not built in */
} libraries[] = {
    {"libmicrohttpd", h1_engine_version},
    {"GnuTLS", tls_session_version},
    {"libcurl", fetch_version},
    {"json-c", jdoc_version},
    {"PCRE2", regex_version},
    {"libidn2", idna_version},
};

static void print_row(const char *name, const char *value)
{
    printf("%-15s %s\n", name, value);
}

static void print_formats(void)
{
    printf("%-15s", "encode");
    for (size_t i = 0; coder_types[i] != NULL; i++)
        if (coder_types[i]->make != NULL)
            printf(" " STR_FMT, STR_ARG(coder_types[i]->name));
    putchar('\n');
}

static bool has_argon2id(void)
{
    struct err e;

    return password_check(PASSWORD_ARGON2ID, STR_LIT(""), &e) == 0 || e.code != ERR_INVALID;
}

int cli_version(const struct cli_options *o)
{
    printf("lintel %s\n", PACKAGE_VERSION);
    if (!cli_has(o, "verbose"))
        return EXIT_OK;
    for (size_t i = 0; i < sizeof libraries / sizeof libraries[0]; i++) {
        const char *version = libraries[i].version();

        print_row(libraries[i].name, version == NULL ? "none" : version);
    }
    print_formats();
    print_row("basic_auth", has_argon2id() ? "bcrypt argon2id" : "bcrypt");
    return EXIT_OK;
}
