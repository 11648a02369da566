#include "conf/import_files.h"

#include "base/map.h"
#include "conf/braces.h"
#include "conf/import_disk.h"

struct import_files {
    struct arena *arena;
    struct diag *diag;
    struct map by_path;    /* struct import_file */
    struct map by_pattern; /* struct import_match */
    struct import_file **list;
    size_t n, cap;
    size_t bytes; /* read so far */
    size_t words;
};

struct import_files *import_files_new(struct arena *a, struct diag *d)
{
    struct import_files *im = arena_alloc(a, sizeof *im);

    im->arena = a;
    im->diag = d;
    return im;
}

static struct import_file *add(struct import_files *im, struct str path)
{
    struct import_file *f = arena_alloc(im->arena, sizeof *f);

    f->path = path;
    map_add(&im->by_path, im->arena, path, f);
    im->list = arena_grow(im->arena, im->list, im->n, &im->cap, sizeof(*im->list));
    im->list[im->n++] = f;
    return f;
}

struct import_file *import_files_main(struct import_files *im, struct str path,
                                      struct lexemes lexemes)
{
    struct import_file *f = add(im, path);

    f->lexemes = lexemes;
    im->words += lexemes.n;
    return f;
}

size_t import_files_words(const struct import_files *im)
{
    return im->words;
}

size_t import_files_count(const struct import_files *im)
{
    return im->n;
}

const struct import_file *import_files_at(const struct import_files *im, size_t i)
{
    return im->list[i];
}

/* ---- reading ---- */

static int read_text(struct import_files *im, struct import_file *f, struct str *text)
{
    struct buf b = BUF_INIT(LEXER_TEXT_MAX);
    int rc = -1;

    if (im->n > IMPORT_FILES_MAX)
        err_set(&f->e, ERR_LIMIT, "more than %d files are imported", IMPORT_FILES_MAX);
    else if (import_disk_read(f->path.p, &b, &f->e) != 0)
        ; /* the error is set */
    else if (b.len > IMPORT_BYTES_MAX - im->bytes)
        err_set(&f->e, ERR_LIMIT, "the imported files have more than %d bytes", IMPORT_BYTES_MAX);
    else
        rc = 0;
    if (rc == 0) {
        im->bytes += b.len;
        *text = arena_str(im->arena, buf_str(&b));
    }
    buf_fini(&b);
    return rc;
}

static bool is_blank(struct str text)
{
    size_t i = 0;

    while (i < text.len && (unsigned char)text.p[i] <= ' ')
        i++;
    return i == text.len;
}

static void load(struct import_files *im, struct import_file *f)
{
    const struct token whole = {.file = f->path};
    struct str text = {NULL, 0};

    f->failed = true;
    if (read_text(im, f, &text) != 0)
        return;
    diag_source(im->diag, f->path, text);
    if (lexer_run(im->arena, im->diag, f->path, text, &f->lexemes) != 0 ||
        braces_match(im->arena, im->diag, &f->lexemes) != 0)
        return;
    if (is_blank(text))
        diag_warn(im->diag, &whole, "this imported file is empty");
    im->words += f->lexemes.n;
    f->failed = false;
}

/* path is terminated by a NUL. */
static struct import_file *file_at(struct import_files *im, struct str path)
{
    struct import_file *f = map_find(&im->by_path, path);

    if (f == NULL) {
        f = add(im, path);
        load(im, f);
    }
    return f;
}

/* ---- finding ---- */

/* What a relative path in a file begins with: its folder, up to the last slash. */
static struct str folder_of(struct str file)
{
    while (file.len > 0 && file.p[file.len - 1] != '/')
        file.len--;
    return file;
}

static struct str skip_dots(struct str word)
{
    while (str_starts(word, STR_LIT("./")))
        word = str_from(word, 2);
    return word;
}

struct str import_files_path(struct import_files *im, struct str base, struct str word)
{
    struct str folder = folder_of(base);

    if (str_starts(word, STR_LIT("/")))
        return arena_str(im->arena, word);
    word = skip_dots(word);
    return arena_printf(im->arena, STR_FMT STR_FMT, STR_ARG(folder), STR_ARG(word));
}

static bool is_wildcard(char c)
{
    return c == '*' || c == '?' || c == '[';
}

static size_t wildcards(struct str word)
{
    size_t n = 0;

    for (size_t i = 0; i < word.len; i++)
        n += is_wildcard(word.p[i]);
    return n;
}

/* The pattern with its folder, in which nothing is a wildcard. */
static const char *full_pattern(struct import_files *im, struct str base, struct str word)
{
    struct str folder = str_starts(word, STR_LIT("/")) ? STR_LIT("") : folder_of(base);
    char *out = arena_bytes(im->arena, 2 * folder.len + word.len + 1);
    size_t n = 0;

    word = skip_dots(word);
    for (size_t i = 0; i < folder.len; i++) {
        if (is_wildcard(folder.p[i]) || folder.p[i] == '\\')
            out[n++] = '\\';
        out[n++] = folder.p[i];
    }
    memcpy(out + n, word.p, word.len);
    out[n + word.len] = '\0';
    return out;
}

static int match_pattern(struct import_files *im, const struct token *at, struct str base,
                         struct str word, struct import_match *out)
{
    struct disk_paths paths;
    struct err e;

    if (import_disk_glob(im->arena, full_pattern(im, base, word), &paths, &e) != 0)
        return diag_error(im->diag, at, "cannot import: %s", e.msg);
    if (paths.n == 0)
        diag_warn(im->diag, at, "no file matches '" STR_FMT "'", STR_ARG(word));
    out->list = arena_alloc(im->arena, (paths.n + 1) * sizeof(*out->list));
    for (out->n = 0; out->n < paths.n; out->n++)
        out->list[out->n] = file_at(im, paths.list[out->n]);
    return 0;
}

static void match_path(struct import_files *im, struct str path, struct import_match *out)
{
    out->list = arena_alloc(im->arena, sizeof(*out->list));
    out->list[0] = file_at(im, path);
    out->n = 1;
    out->missing = out->list[0]->e.code == ERR_NOT_FOUND;
}

const struct import_match *import_files_find(struct import_files *im, const struct token *at,
                                             struct str base, struct str word)
{
    const size_t n = wildcards(word);
    struct str path = import_files_path(im, base, word);
    struct import_match *m = map_find(&im->by_pattern, path);

    if (n > 1) {
        diag_error(im->diag, at, "'" STR_FMT "' has more than one wildcard", STR_ARG(word));
        return NULL;
    }
    if (m != NULL)
        return m;
    m = arena_alloc(im->arena, sizeof *m);
    if (n == 0)
        match_path(im, path, m);
    else if (match_pattern(im, at, base, word, m) != 0)
        return NULL;
    map_add(&im->by_pattern, im->arena, path, m);
    return m;
}
