#include "conf/load.h"

#include "base/file.h"
#include "conf/braces.h"
#include "conf/build.h"
#include "conf/compile.h"
#include "conf/expand.h"

#include <fcntl.h>

enum { TABLES_MAX = 32 };

/* conf's own rows come before those of the caller. */
static void join_tables(const struct directive *const *tables,
                        const struct directive *out[TABLES_MAX + 1])
{
    size_t n = 0;

    out[n++] = global_directives;
    out[n++] = site_directives;
    for (size_t i = 0; tables[i] != NULL && n < TABLES_MAX; i++)
        out[n++] = tables[i];
    out[n] = NULL;
}

/* From the text to a tree. */
static int read_tree(struct conf_builder *b, struct str text, struct import_files *files,
                     struct nodes *top)
{
    struct lexemes written, expanded;

    if (lexer_run(b->scratch, b->diag, b->file, text, &written) != 0 ||
        braces_match(b->scratch, b->diag, &written) != 0 ||
        expand_run(b->scratch, b->diag, files, b->file, &written, &expanded) != 0)
        return -1;
    return parser_run(b->scratch, b->diag, &expanded, top);
}

static void list_files(struct conf *conf, const struct import_files *files)
{
    const size_t n = import_files_count(files);
    struct str *list = arena_alloc(conf->arena, n * sizeof *list);

    for (size_t i = 0; i < n; i++)
        list[i] = arena_str(conf->arena, import_files_at(files, i)->path);
    conf->files = list;
    conf->n_files = n;
}

/* The steps, each on what the one before it made. NULL after errors. */
static struct conf *parse(struct conf_builder *b, struct str text)
{
    const struct token whole = {.file = b->file};
    struct import_files *files = import_files_new(b->scratch, b->diag);
    struct nodes top;
    struct conf *conf;

    if (text.len > LEXER_TEXT_MAX) {
        diag_error(b->diag, &whole, "larger than %d bytes", LEXER_TEXT_MAX);
        return NULL;
    }
    if (read_tree(b, text, files, &top) != 0)
        return NULL;
    compile_defaults(b);
    build_run(b, &top);
    conf = compile_run(b);
    list_files(conf, files);
    if (b->n_sites == 0 && diag_errors(b->diag) == 0)
        diag_error(b->diag, &whole, "there is no site in this file");
    return diag_errors(b->diag) == 0 ? conf : NULL;
}

struct conf *conf_parse(const char *path, struct str text, const struct language *language,
                        struct buf *errors, struct buf *warnings)
{
    const struct directive *all[TABLES_MAX + 1];
    struct conf_builder b = {.arena = arena_new(),
                             .scratch = arena_new(),
                             .tables = all,
                             .matchers = language->matchers,
                             .keep_source = language->keep_source};
    struct conf *conf;

    join_tables(language->directives, all);
    b.diag = diag_new(b.scratch);
    b.file = arena_str(b.arena, str_of(path));
    diag_source(b.diag, b.file, text);
    conf = parse(&b, text);
    diag_print(b.diag, errors, warnings);
    arena_free(b.scratch);
    if (conf == NULL)
        arena_free(b.arena);
    return conf;
}

struct conf *conf_load(const char *path, const struct language *language, struct buf *errors,
                       struct buf *warnings)
{
    struct buf text = BUF_INIT(LEXER_TEXT_MAX);
    struct conf *conf = NULL;
    struct err e;

    if (file_read(AT_FDCWD, path, &text, &e) == 0)
        conf = conf_parse(path, buf_str(&text), language, errors, warnings);
    else if (buf_printf(errors, "%s\n", e.msg) != 0)
        buf_clear(errors); /* No room for one line: the caller sees NULL all the same. */
    buf_fini(&text);
    return conf;
}
