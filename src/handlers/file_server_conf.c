#include "handlers/file_server_conf.h"

#include "base/alloc.h"

static int set_root(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;

    conf->has_root = true;
    return root_path_set(d, &conf->root);
}

static const char **names_of(const struct directive_args *d)
{
    const char **names = arena_alloc(d->arena, d->n_args * sizeof *names);

    for (size_t i = 0; i < d->n_args; i++)
        names[i] = directive_cstr(d, &d->args[i]);
    return names;
}

static int set_index(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;

    for (size_t i = 0; i < d->n_args; i++) {
        struct str name = d->args[i].text;

        if (name.len == 0 || memchr(name.p, '/', name.len) != NULL || str_is(name, "..") ||
            str_is(name, "."))
            return directive_error(d, &d->args[i], "'" STR_FMT "' is no name of a file",
                                   STR_ARG(name));
    }
    conf->rules.index = names_of(d);
    conf->rules.n_index = d->n_args;
    return 0;
}

/* Globs of whole paths are made absolute here, as Caddy does. */
static int set_hide(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;

    conf->rules.hide = names_of(d);
    conf->rules.n_hide = d->n_args;
    for (size_t i = 0; i < d->n_args; i++)
        if (memchr(d->args[i].text.p, '/', d->args[i].text.len) != NULL)
            conf->rules.hide[i] =
                root_path_clean(d->arena, str_of(directive_path(d, &d->args[i]))).p;
    return 0;
}

static int set_etags(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++) {
        struct str text = d->args[i].text;

        if (text.len < 2 || text.p[0] != '.' || memchr(text.p, '/', text.len) != NULL)
            rc = directive_error(d, &d->args[i], "'" STR_FMT "' is no extension, such as '.sha256'",
                                 STR_ARG(text));
    }
    conf->rules.etags.extensions = names_of(d);
    conf->rules.etags.n = d->n_args;
    return rc;
}

int file_server_status(struct str s)
{
    uint64_t n;

    return s.len == 3 && str_to_uint(s, 599, &n) && n >= 200 ? (int)n : 0;
}

static int set_status(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;

    if (directive_text(d, &d->args[0], &conf->status) != 0)
        return -1;
    if (!conf->status.constant || file_server_status(text_constant(&conf->status)) != 0)
        return 0;
    return directive_error(d, &d->args[0], "'" STR_FMT "' is no status from 200 to 599",
                           STR_ARG(d->args[0].text));
}

/* In the order of Caddy's default. */
static const struct file_coding codings[FILE_CODINGS_MAX] = {
    {STR_LIT("br"), STR_LIT(".br")},
    {STR_LIT("zstd"), STR_LIT(".zst")},
    {STR_LIT("gzip"), STR_LIT(".gz")},
};

static const struct file_coding *find_coding(const struct directive_args *d, const struct token *t)
{
    const char *names[FILE_CODINGS_MAX + 1] = {NULL};

    for (size_t i = 0; i < FILE_CODINGS_MAX; i++) {
        if (str_eq(t->text, codings[i].name))
            return &codings[i];
        names[i] = codings[i].name.p;
    }
    directive_unknown(d, t, "format", names);
    return NULL;
}

static int add_coding(const struct directive_args *d, const struct token *t,
                      struct file_codings *to)
{
    const struct file_coding *c = find_coding(d, t);

    if (c == NULL)
        return -1;
    for (size_t i = 0; i < to->n; i++)
        if (to->list[i] == c)
            return directive_error(d, t, "'" STR_FMT "' stands here twice", STR_ARG(t->text));
    to->list[to->n++] = c;
    return 0;
}

static int set_precompressed(const struct directive_args *d)
{
    struct file_codings *to = &((struct file_server_conf *)d->target)->precompressed;
    int rc = 0;

    to->n = 0;
    for (size_t i = 0; i < d->n_args; i++)
        if (add_coding(d, &d->args[i], to) != 0)
            rc = -1;
    for (size_t i = 0; d->n_args == 0 && i < FILE_CODINGS_MAX; i++)
        to->list[to->n++] = &codings[i];
    return rc;
}

static int set_pass_thru(const struct directive_args *d)
{
    ((struct file_server_conf *)d->target)->pass_thru = true;
    return 0;
}

static int set_any_uri(const struct directive_args *d)
{
    ((struct file_server_conf *)d->target)->any_uri = true;
    return 0;
}

/* It may be said behind the name and as an option, once. */
static int set_browse(const struct directive_args *d)
{
    struct file_server_conf *conf = d->target;
    struct directive_args inner = *d;

    if (conf->browse != NULL)
        return directive_error(d, &d->node->words[0],
                               "'browse' stands behind 'file_server' already: once is enough");
    conf->browse = arena_alloc(d->arena, sizeof *conf->browse);
    conf->rules.browse = true;
    inner.target = conf->browse;
    return browse_conf_set(&inner);
}

const struct directive file_server_options[] = {
    {.name = "browse",
     .max_args = 1,
     .block = true,
     .set = set_browse,
     .help = "browse [<template>] [{ sort, file_limit... }]",
     .options = browse_options},
    {.name = "disable_canonical_uris", .set = set_any_uri, .help = "disable_canonical_uris"},
    {.name = "etag_file_extensions",
     .min_args = 1,
     .max_args = -1,
     .set = set_etags,
     .help = "etag_file_extensions <extensions...>"},
    {.name = "root",
     .min_args = 1,
     .max_args = 1,
     .block = true,
     .set = set_root,
     .help = "root <folder> [{ follow_symlinks }]",
     .options = root_path_options},
    {.name = "index", .min_args = 1, .max_args = -1, .set = set_index, .help = "index <names...>"},
    {.name = "hide", .min_args = 1, .max_args = -1, .set = set_hide, .help = "hide <globs...>"},
    {.name = "pass_thru", .set = set_pass_thru, .help = "pass_thru"},
    {.name = "precompressed",
     .max_args = -1,
     .set = set_precompressed,
     .help = "precompressed [br|zstd|gzip...]"},
    {.name = "status", .min_args = 1, .max_args = 1, .set = set_status, .help = "status <status>"},
    {0},
};

static const struct refused options_to_come[] = {
    {"fs", "files come from folders only: use 'root'"},
    {NULL, NULL},
};

int file_server_set(const struct directive_args *d)
{
    static const char *default_index[] = {"index.html", "index.txt"};
    const struct token here = {.text = STR_LIT("")};
    struct file_server_conf *conf = d->target;

    if (d->n_args > 0 && !str_is(d->args[0].text, "browse"))
        return directive_error(d, &d->args[0], "'file_server' takes no argument but 'browse'");
    if (d->n_args > 0) {
        conf->browse = arena_alloc(d->arena, sizeof *conf->browse);
        conf->rules.browse = true;
        browse_conf_init(conf->browse);
    }
    conf->here = root_path_clean(d->arena, str_of(directive_path(d, &here)));
    conf->rules.index = default_index;
    conf->rules.n_index = ARRAY_LEN(default_index);
    return directive_block(d, file_server_options, options_to_come, conf);
}

void file_server_describe(const void *conf_, struct describer *out)
{
    const struct file_server_conf *conf = conf_;

    if (!conf->has_root)
        describe_text(out, "root", STR_LIT("that of the site"));
    for (size_t i = 0; i < conf->rules.n_index; i++)
        describe_item(out, "index", str_of(conf->rules.index[i]));
    if (conf->browse != NULL)
        browse_conf_describe(conf->browse, out);
}
