/* lintel file-server: a folder by HTTP, or by HTTPS under a name. */
#include "cli/oneliner.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

const struct cli_flag cli_file_server_flags[] = {
    {.name = "root", .letter = 'r', .value = "DIR", .help = "the folder (default: this one)"},
    {.name = "domain",
     .letter = 'd',
     .value = "NAME",
     .help = "serve it under this name only, by HTTPS"},
    {.name = "listen",
     .letter = 'l',
     .value = "ADDRESS",
     .help = "[HOST]:PORT (default: :80, with --domain :443)"},
    {.name = "browse", .letter = 'b', .help = "list folders that have no index"},
    {.name = "reveal-symlinks", .help = "with --browse, show where links lead"},
    {.name = "file-limit",
     .letter = 'f',
     .value = "NUMBER",
     .help = "with --browse, list so many (default: 10000)"},
    {.name = "no-compress", .help = "do not compress"},
    {.name = "precompressed",
     .letter = 'p',
     .value = "FORMATS",
     .help = "send files beside the others: br, zstd or gzip, with commas"},
    ONELINER_FLAG_ACCESS_LOG('a'),
    ONELINER_FLAG_DEBUG,
    {.name = "templates", .letter = 't'},
    {0},
};

static const struct oneliner_refused refused[] = {
    {"templates", "serve such pages from an application, by 'lintel reverse-proxy'"},
    {NULL, NULL},
};

/* The folder, absolute, for the greeting; "" if that depends on the request. */
static void find_root(struct oneliner *l, const char *root, char path[PATH_MAX])
{
    struct stat st;

    path[0] = '\0';
    if (strchr(root, '{') != NULL && stat(root, &st) == -1)
        return; /* a placeholder */
    if (realpath(root, path) == NULL)
        oneliner_fail(l, "--root %s: %s", root, strerror(errno));
    else if (stat(path, &st) == -1 || !S_ISDIR(st.st_mode))
        oneliner_fail(l, "--root %s: not a folder", root);
}

static void read_domain(struct oneliner *l, const char *text, struct address *domain)
{
    struct err e;

    *domain = (struct address){.kind = HOST_ANY};
    if (text == NULL)
        return;
    if (address_parse(str_of(text), domain, &e) != 0)
        oneliner_fail(l, "--domain: %s", e.msg);
    else if (domain->kind == HOST_ANY || domain->port != 0 || domain->scheme != SCHEME_NONE)
        oneliner_fail(l,
                      "--domain takes only a host name, as in example.com; a port is for --listen");
}

/* As Caddy decides it: HTTPS if there is a name, unless the port is that of HTTP. */
static struct address site_address(const struct address *domain, const struct listen *at)
{
    struct address site = *domain;

    site.port = at->first;
    site.scheme =
        site.kind == HOST_ANY || site.port == ONELINER_HTTP_PORT ? SCHEME_HTTP : SCHEME_HTTPS;
    return site;
}

/* The option may be given several times. */
static void put_precompressed(struct oneliner *l)
{
    const char *value;
    size_t at = 0;

    oneliner_put(l, "\t\tprecompressed");
    while ((value = cli_each(l->options, "precompressed", &at)) != NULL) {
        struct str rest = str_of(value), name;

        while (str_list_next(&rest, &name)) {
            if (!str_is(name, "br") && !str_is(name, "zstd") && !str_is(name, "gzip"))
                oneliner_fail(l, "--precompressed " STR_FMT ": there are br, zstd and gzip",
                              STR_ARG(name));
            oneliner_word(l, "--precompressed", name);
        }
    }
    oneliner_put(l, "\n");
}

static void put_browse(struct oneliner *l)
{
    const char *limit = cli_value(l->options, "file-limit");

    oneliner_put(l, "\t\tbrowse {\n");
    if (cli_has(l->options, "reveal-symlinks"))
        oneliner_put(l, "\t\t\treveal_symlinks\n");
    if (limit != NULL) {
        oneliner_put(l, "\t\t\tfile_limit");
        oneliner_word(l, "--file-limit", str_of(limit));
        oneliner_put(l, "\n");
    }
    oneliner_put(l, "\t\t}\n");
}

static void put_options(struct oneliner *l)
{
    static const char *const of_browse[] = {"reveal-symlinks", "file-limit"};
    bool browse = cli_has(l->options, "browse");

    for (size_t i = 0; i < 2; i++)
        if (cli_has(l->options, of_browse[i]) && !browse)
            oneliner_fail(l, "--%s is for --browse", of_browse[i]);
    oneliner_put(l, " {\n");
    if (browse)
        put_browse(l);
    if (cli_has(l->options, "precompressed"))
        put_precompressed(l);
    oneliner_put(l, "\t}");
}

static void put_site(struct oneliner *l, const struct address *site, const struct listen *at,
                     const char *root)
{
    oneliner_globals(l, "");
    oneliner_site(l, site);
    listen_put(l, at);
    oneliner_put(l, "\troot *");
    oneliner_text(l, "--root", str_of(root));
    oneliner_put(l, "\n%s\tfile_server", cli_has(l->options, "no-compress") ? "" : "\tencode\n");
    put_options(l);
    oneliner_put(l, "\n}\n");
}

static void put_all(struct oneliner *l)
{
    const char *domain_text = cli_value(l->options, "domain");
    const char *listen_text = cli_value(l->options, "listen");
    const char *root = cli_value(l->options, "root");
    char folder[PATH_MAX], url[ONELINER_URL_MAX];
    struct address domain, site;
    struct listen at;

    root = root == NULL ? "." : root;
    oneliner_refuse(l, refused);
    find_root(l, root, folder);
    read_domain(l, domain_text, &domain);
    if (listen_text == NULL)
        listen_text = domain.kind == HOST_ANY ? ":80" : ":443";
    if (l->failed || listen_parse(l, listen_text, &at) != 0)
        return;
    if (at.first != at.last)
        oneliner_fail(l, "--listen %s: one port is enough", listen_text);
    site = site_address(&domain, &at);
    put_site(l, &site, &at, root);
    oneliner_url(&site, at.host, url);
    oneliner_greet(l, "Serving %s at %s\n", folder[0] == '\0' ? root : folder, url);
}

int cli_file_server(const struct cli_options *o)
{
    struct oneliner l;

    oneliner_init(&l, o);
    put_all(&l);
    return oneliner_run(&l);
}
