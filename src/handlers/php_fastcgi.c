#include "handlers/php_fastcgi.h"

#include "base/alloc.h"
#include "handlers/reverse_proxy_conf.h"
#include "http/route.h"

#include <assert.h>

enum { OPTIONS_MAX = 128 };

/* The words of its block that are its own; those of "transport fastcgi" go there, and all others
 * are reverse_proxy's. */
struct php {
    const struct directive_args *d;
    struct str index;           /* "index.php"; len 0: off */
    const struct token *splits; /* NULL: .php */
    size_t n_splits;
    const struct token *files; /* NULL: the usual ones */
    size_t n_files;
    struct node own, transport, proxy; /* their lines */
};

/* ---- words and lines as if they had been written ---- */

/* They stand where the directive does, for messages. */
static struct token word(const struct php *p, struct str text)
{
    struct token t = p->d->node->words[0];

    t.text = text;
    t.quoted = false;
    return t;
}

static void add_word(const struct php *p, struct node *line, const struct token *t)
{
    struct token *words = arena_alloc(p->d->arena, (line->n_words + 1) * sizeof *words);

    if (line->n_words > 0)
        memcpy(words, line->words, line->n_words * sizeof *words);
    words[line->n_words++] = *t;
    line->words = words;
}

static void add_words(const struct php *p, struct node *line, const struct token *t, size_t n)
{
    for (size_t i = 0; i < n; i++)
        add_word(p, line, &t[i]);
}

/* A line of the words of a text. */
static struct node line_of(const struct php *p, const char *text)
{
    struct str rest = str_of(text);
    struct node line = {.close = p->d->node->close};

    while (rest.p != NULL) {
        struct token t = word(p, str_cut(&rest, ' '));

        add_word(p, &line, &t);
    }
    return line;
}

static void add_line(const struct php *p, struct node *block, const struct node *line)
{
    struct node *lines = arena_alloc(p->d->arena, (block->n_children + 1) * sizeof *lines);

    if (block->n_children > 0)
        memcpy(lines, block->children, block->n_children * sizeof *lines);
    lines[block->n_children++] = *line;
    block->children = lines;
    block->has_block = true;
}

/* ---- the block ---- */

static int set_index(const struct directive_args *d)
{
    struct php *p = d->target;

    p->index = str_is(d->args[0].text, "off") ? STR_LIT("") : d->args[0].text;
    if (d->args[0].text.len == 0)
        return directive_error(d, &d->args[0], "a file, as index.php, or 'off' stands here");
    return 0;
}

static int set_try_files(const struct directive_args *d)
{
    struct php *p = d->target;

    p->files = d->args;
    p->n_files = d->n_args;
    return 0;
}

static const struct directive own_options[] = {
    {.name = "index",
     .min_args = 1,
     .max_args = 1,
     .set = set_index,
     .help = "index <file>|off: the file for folders, and for what is not there"},
    {.name = "try_files",
     .min_args = 1,
     .max_args = -1,
     .set = set_try_files,
     .help = "try_files <files...>: which are tried, {path} {path}/index.php index.php"},
    {0},
};

static const struct refused refused[] = {
    {"transport", "it is FastCGI; the options of 'transport fastcgi' stand here as they are"},
    {NULL, NULL},
};

static bool is_in(const struct directive *rows, struct str name)
{
    for (size_t i = 0; rows[i].name != NULL; i++)
        if (str_is(name, rows[i].name))
            return true;
    return false;
}

static size_t add_names(const char **names, size_t n, const struct directive *rows)
{
    for (size_t i = 0; rows[i].name != NULL; i++) {
        names[n++] = rows[i].name;
        assert(n < OPTIONS_MAX);
    }
    names[n] = NULL;
    return n;
}

static int unknown(const struct php *p, const struct token *t)
{
    const char *names[OPTIONS_MAX];
    size_t n = add_names(names, 0, own_options);

    n = add_names(names, n, fastcgi_options);
    (void)add_names(names, n, reverse_proxy_options);
    return directive_unknown(p->d, t, "php_fastcgi option", names);
}

/* The ends of scripts' names are needed here as well. */
static int take_line(struct php *p, const struct node *line)
{
    const struct str name = line->words[0].text;

    if (is_in(own_options, name) || str_is(name, refused[0].name)) {
        add_line(p, &p->own, line);
    } else if (is_in(fastcgi_options, name)) {
        add_line(p, &p->transport, line);
        if (str_is(name, "split") && line->n_words > 1) {
            p->splits = line->words + 1;
            p->n_splits = line->n_words - 1;
        }
    } else if (reverse_proxy_knows(name)) {
        add_line(p, &p->proxy, line);
    } else {
        return unknown(p, &line->words[0]);
    }
    return 0;
}

static bool has_upstream(const struct php *p)
{
    for (size_t i = 0; i < p->proxy.n_children; i++)
        if (str_is(p->proxy.children[i].words[0].text, "to"))
            return true;
    return p->d->n_args > 0;
}

static int read_block(struct php *p)
{
    const struct node *node = p->d->node;
    struct directive_args args = *p->d;
    int rc = 0;

    for (size_t i = 0; i < node->n_children; i++)
        if (take_line(p, &node->children[i]) != 0)
            rc = -1;
    p->own.words = node->words;
    p->own.n_words = node->n_words;
    args.node = &p->own;
    return directive_block(&args, own_options, refused, p) == 0 ? rc : -1;
}

/* ---- what it stands for ---- */

static struct str index_of_folder(const struct php *p)
{
    return arena_printf(p->d->arena, "{path}/" STR_FMT, STR_ARG(p->index));
}

/* Whether a folder with an index shall be asked for with a slash at the end. */
static bool redirects(const struct php *p)
{
    const struct str index = index_of_folder(p);
    const struct str same =
        arena_printf(p->d->arena, "{http.request.uri.path}/" STR_FMT, STR_ARG(p->index));

    for (size_t i = 0; i < p->n_files; i++)
        if (str_eq(p->files[i].text, index) || str_eq(p->files[i].text, same))
            return true;
    return p->files == NULL;
}

static void add_redirect(const struct php *p, struct node *route)
{
    struct node matcher = line_of(p, "@php_fastcgi_folder"), file = line_of(p, "file");
    struct node slash = line_of(p, "not path */");
    struct node redir = line_of(p, "redir @php_fastcgi_folder {orig_path}/{orig_?query} 308");
    struct token index = word(p, index_of_folder(p));

    add_word(p, &file, &index);
    add_line(p, &matcher, &file);
    add_line(p, &matcher, &slash);
    add_line(p, route, &matcher);
    add_line(p, route, &redir);
}

static struct node files_line(const struct php *p)
{
    struct node line = line_of(p, "try_files");
    const struct token usual[] = {word(p, STR_LIT("{path}")), word(p, index_of_folder(p)),
                                  word(p, p->index)};

    if (p->files == NULL)
        add_words(p, &line, usual, ARRAY_LEN(usual));
    else
        add_words(p, &line, p->files, p->n_files);
    return line;
}

static struct node splits_line(const struct php *p, const char *text)
{
    struct node line = line_of(p, text);
    const struct token usual = word(p, STR_LIT(".php"));

    if (p->splits == NULL)
        add_word(p, &line, &usual);
    else
        add_words(p, &line, p->splits, p->n_splits);
    return line;
}

static void add_rewrite(const struct php *p, struct node *route)
{
    const bool assumes =
        p->files == NULL || str_ends(p->files[p->n_files - 1].text, STR_LIT(".php"));
    struct node matcher = line_of(p, "@php_fastcgi_file file"), files = files_line(p);
    struct node policy = line_of(p, "try_policy first_exist_fallback");
    struct node split = splits_line(p, "split_path");
    struct node rewrite = line_of(p, "rewrite @php_fastcgi_file {http.matchers.file.relative}");

    add_line(p, &matcher, &files);
    if (assumes)
        add_line(p, &matcher, &policy);
    add_line(p, &matcher, &split);
    add_line(p, route, &matcher);
    add_line(p, route, &rewrite);
}

static void add_proxy(const struct php *p, struct node *route)
{
    struct node matcher = line_of(p, "@php_fastcgi_script path");
    struct node proxy = line_of(p, "reverse_proxy @php_fastcgi_script");
    struct node transport = line_of(p, "transport fastcgi"), split = splits_line(p, "split");
    size_t n = p->splits == NULL ? 1 : p->n_splits;

    for (size_t i = 0; i < n; i++) {
        struct token t = p->splits == NULL ? word(p, STR_LIT(".php")) : p->splits[i];

        t.text = arena_printf(p->d->arena, "*" STR_FMT, STR_ARG(t.text));
        add_word(p, &matcher, &t);
    }
    transport.children = p->transport.children;
    transport.n_children = p->transport.n_children;
    transport.has_block = p->transport.has_block;
    if (p->splits == NULL)
        add_line(p, &transport, &split);
    add_words(p, &proxy, p->d->args, p->d->n_args);
    add_line(p, &proxy, &transport);
    for (size_t i = 0; i < p->proxy.n_children; i++)
        add_line(p, &proxy, &p->proxy.children[i]);
    add_line(p, route, &matcher);
    add_line(p, route, &proxy);
}

static int php_fastcgi_set(const struct directive_args *d)
{
    struct php p = {.d = d, .index = STR_LIT("index.php")};
    struct directive_args args = *d;
    struct node route;
    int rc = read_block(&p);

    if (!has_upstream(&p))
        return directive_error(
            d, &d->node->words[0],
            "'php_fastcgi' needs a server: 'php_fastcgi unix//run/php/php-fpm.sock'");
    route = line_of(&p, "route");
    if (p.index.len > 0 && redirects(&p))
        add_redirect(&p, &route);
    if (p.index.len > 0)
        add_rewrite(&p, &route);
    add_proxy(&p, &route);
    args.node = &route;
    return directive_route(&args, false, d->target) == 0 ? rc : -1;
}

static enum verdict php_fastcgi_handle(const void *conf, struct exchange *ex)
{
    return route_enter(ex, conf);
}

static void php_fastcgi_describe(const void *conf, struct describer *out)
{
    describe_route(out, "route", conf);
}

static const struct handler_type php_fastcgi_handler = {.name = "php_fastcgi",
                                                        .handle = php_fastcgi_handle};

const struct directive php_fastcgi_directives[] = {
    {.name = "php_fastcgi",
     .places = IN_HANDLERS,
     .max_args = -1,
     .block = true,
     .type = &php_fastcgi_handler,
     .conf_size = sizeof(struct route),
     .set = php_fastcgi_set,
     .options = own_options,
     .describe = php_fastcgi_describe,
     .help = "php_fastcgi [matcher] <server>... [{ ... }]: pages that PHP makes"},
    {0},
};
