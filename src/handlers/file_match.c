#include "handlers/file_match.h"

#include "base/alloc.h"
#include "base/glob.h"
#include "handlers/beneath.h"
#include "handlers/file_glob.h"
#include "http/path_escapes.h"
#include "http/placeholder.h"
#include "http/vars.h"

#include <errno.h>

/* One file that may be it. */
struct candidate {
    struct str path; /* begins with "/"; of a folder it ends with one */
    struct str remainder;
    struct stat st;
};

struct search {
    const struct file_match *match;
    struct exchange *ex;
    struct beneath root;
};

/* ---- names ---- */

/* What stands for itself in a pattern. */
static struct str glob_escaped(struct arena *a, struct str s)
{
    char *p;
    size_t n = 0;

    if (!glob_has_meta(s))
        return s;
    p = arena_bytes(a, 2 * s.len);
    for (size_t i = 0; i < s.len; i++) {
        if (memchr("*?[\\", s.p[i], 4) != NULL)
            p[n++] = '\\';
        p[n++] = s.p[i];
    }
    return (struct str){p, n};
}

static bool has_nul(struct str s)
{
    return s.len > 0 && memchr(s.p, '\0', s.len) != NULL;
}

/* Only what the configuration says is a pattern, and not what a client sent. False: no file can be
 * called so, since there is a NUL in it, as there may be in what was escaped. */
static bool expand(const struct file_try *t, struct exchange *ex, struct str *out)
{
    if (!t->glob) {
        *out = text_expand(&t->text, ex);
        return !has_nul(*out);
    }
    *out = STR_LIT("");
    for (size_t i = 0; i < t->text.n_parts; i++) {
        const struct text part = {&t->text.parts[i], 1, t->text.parts[i].kind == PH_LITERAL};
        struct str value = text_expand(&part, ex);

        if (has_nul(value))
            return false;
        if (!part.constant)
            value = glob_escaped(ex->arena, value);
        *out = arena_printf(ex->arena, STR_FMT STR_FMT, STR_ARG(*out), STR_ARG(value));
    }
    return true;
}

/* Where the name ends behind a delimiter, at the end of a segment; name.len if nowhere. */
static size_t split_at(struct str name, struct str delimiter)
{
    for (size_t i = 0; i + delimiter.len < name.len; i++) {
        size_t end = i + delimiter.len;

        if (str_eq_nocase((struct str){name.p + i, delimiter.len}, delimiter))
            return name.p[end] == '/' ? end : name.len;
    }
    return name.len;
}

static void split(const struct file_match *m, struct candidate *c)
{
    size_t end = c->path.len;

    for (size_t i = 0; i < m->n_splits && end == c->path.len; i++)
        end = split_at(c->path, m->splits[i]);
    c->remainder = str_from(c->path, end);
    c->path.len = end;
}

/* The name as a path below the root: "/a/b", or "/a/b/" for a folder. False: there is none. */
static bool candidate_of(const struct search *s, const struct file_try *t, struct candidate *c)
{
    struct arena *a = s->ex->arena;
    struct str name;

    if (!expand(t, s->ex, &name))
        return false;
    name = arena_printf(a, "/" STR_FMT, STR_ARG(name));
    *c = (struct candidate){.path = path_without_dots(a, name, false)};
    while (c->path.len > 1 && c->path.p[c->path.len - 1] == '/')
        c->path.len--;
    split(s->match, c);
    if (t->folder && c->path.len > 1)
        c->path = arena_printf(a, STR_FMT "/", STR_ARG(c->path));
    return true;
}

/* Relative to the root and without a slash at the end. */
static struct str relative(struct arena *a, struct str path)
{
    path = str_from(path, 1);
    if (path.len > 0 && path.p[path.len - 1] == '/')
        path.len--;
    return path.len == 0 ? STR_LIT(".") : arena_str(a, path);
}

/* What cannot be looked for now may be there: an error that passes, and not the next name. */
static void note_error(struct exchange *ex, int code)
{
    if (code != EMFILE && code != ENFILE && code != ENOMEM)
        return;
    fields_set(&ex->response, ex->arena, STR_LIT("Retry-After"), STR_LIT("3"));
    ex->match_error = 503;
}

static bool exists(const struct search *s, const struct file_try *t, struct candidate *c)
{
    if (beneath_stat(&s->root, relative(s->ex->arena, c->path).p, &c->st) != 0) {
        note_error(s->ex, errno);
        return false;
    }
    return t->folder ? S_ISDIR(c->st.st_mode) : S_ISREG(c->st.st_mode);
}

/* ---- policies ---- */

static bool is_newer(const struct timespec *a, const struct timespec *b)
{
    return a->tv_sec != b->tv_sec ? a->tv_sec > b->tv_sec : a->tv_nsec > b->tv_nsec;
}

static bool is_better(enum file_policy policy, const struct stat *a, const struct stat *b)
{
    switch (policy) {
    case FILE_FIRST:
    case FILE_FIRST_FALLBACK:
        return false;
    case FILE_SMALLEST:
        return a->st_size < b->st_size;
    case FILE_LARGEST:
        return a->st_size > b->st_size;
    case FILE_NEWEST:
        return is_newer(&a->st_mtim, &b->st_mtim);
    }
    return false;
}

/* The best so far. */
struct best {
    bool found;
    struct candidate candidate;
};

static void offer(const struct search *s, const struct file_try *t, struct candidate *c,
                  struct best *best)
{
    if (!exists(s, t, c) ||
        (best->found && !is_better(s->match->policy, &c->st, &best->candidate.st)))
        return;
    *best = (struct best){true, *c};
}

static void try_pattern(const struct search *s, const struct file_try *t, struct candidate *c,
                        struct best *best)
{
    struct arena *a = s->ex->arena;
    struct paths paths = {NULL, 0, 0};

    file_glob(&s->root, a, relative(a, c->path), &paths);
    for (size_t i = 0; i < paths.n; i++) {
        c->path = arena_printf(a, "/" STR_FMT "%s", STR_ARG(paths.list[i]), t->folder ? "/" : "");
        offer(s, t, c, best);
    }
}

static bool takes_first(const struct search *s)
{
    return s->match->policy == FILE_FIRST || s->match->policy == FILE_FIRST_FALLBACK;
}

/* Whether the search is over. */
static bool try_file(const struct search *s, const struct file_try *t, bool assume,
                     struct best *best)
{
    struct candidate c;

    if (t->status != 0) {
        if (takes_first(s))
            s->ex->match_error = t->status;
        return takes_first(s);
    }
    if (!candidate_of(s, t, &c))
        return false;
    if (assume) {
        c.st.st_mode = t->folder ? S_IFDIR : S_IFREG;
        *best = (struct best){true, c};
    } else if (t->glob) {
        try_pattern(s, t, &c, best);
    } else {
        offer(s, t, &c, best);
    }
    return best->found && takes_first(s);
}

/* ---- looking ---- */

static bool root_of(const struct file_match *m, struct exchange *ex, struct folder *root)
{
    if (m->has_root)
        return root_path_expand(&m->root, ex, root);
    *root = ex->root.path.len > 0 ? ex->root : (struct folder){m->here, false};
    return true;
}

static void remember(const struct search *s, const struct candidate *c)
{
    struct exchange *ex = s->ex;
    const char *root = strcmp(s->root.path, "/") == 0 ? "" : s->root.path;

    vars_set(ex, STR_LIT("file_match.relative"), c->path);
    vars_set(ex, STR_LIT("file_match.absolute"),
             arena_printf(ex->arena, "%s" STR_FMT, root, STR_ARG(c->path)));
    vars_set(ex, STR_LIT("file_match.type"),
             S_ISDIR(c->st.st_mode) ? STR_LIT("directory") : STR_LIT("file"));
    vars_set(ex, STR_LIT("file_match.remainder"), c->remainder);
}

static bool search(struct search *s)
{
    static const struct text_part path[] = {{.kind = PH_PATH}};
    static const struct file_try requested = {.text = {path, 1, false}};
    const struct file_match *m = s->match;
    const struct file_try *files = m->n_files > 0 ? m->files : &requested;
    size_t n = m->n_files > 0 ? m->n_files : 1;
    struct best best = {.found = false};

    for (size_t i = 0; i < n; i++)
        if (try_file(s, &files[i], m->policy == FILE_FIRST_FALLBACK && i + 1 == n, &best) ||
            s->ex->match_error != 0)
            break;
    if (best.found)
        remember(s, &best.candidate);
    return best.found;
}

bool file_match_find(const struct file_match *m, struct exchange *ex)
{
    struct search s = {.match = m, .ex = ex};
    struct folder root;
    bool found;

    if (!root_of(m, ex, &root))
        return false;
    if (beneath_init(&s.root, root.path.p, root.follow_links) != 0) {
        note_error(ex, errno);
        if (ex->match_error != 0)
            return false;
        /* A root that is not there has no files, but "=404" and a fallback still count. */
        s.root = (struct beneath){.fd = -1, .path = root.path.p};
    }
    found = search(&s);
    beneath_fini(&s.root);
    return found;
}

/* ---- configuration ---- */

void file_match_init(const struct directive_args *d, struct file_match *m)
{
    const struct token here = {.text = STR_LIT("")};

    m->here = root_path_clean(d->arena, str_of(directive_path(d, &here)));
}

static int set_status(const struct directive_args *d, const struct token *t, struct file_try *out)
{
    uint64_t status;

    if (!str_to_uint(str_from(t->text, 1), 599, &status) || status < 400)
        return directive_error(d, t, "'" STR_FMT "' is no error status: =400 to =599",
                               STR_ARG(t->text));
    out->status = (int)status;
    return 0;
}

int file_match_add(const struct directive_args *d, const struct token *t, struct file_match *m)
{
    struct file_try file = {.folder = str_ends(t->text, STR_LIT("/"))};

    if (m->n_files > 0 && m->files[m->n_files - 1].status != 0)
        return directive_error(d, t, "nothing is tried behind '=%d'",
                               m->files[m->n_files - 1].status);
    if (str_starts(t->text, STR_LIT("="))) {
        if (set_status(d, t, &file) != 0)
            return -1;
    } else if (directive_text(d, t, &file.text) != 0) {
        return -1;
    }
    for (size_t i = 0; i < file.text.n_parts; i++)
        file.glob |=
            file.text.parts[i].kind == PH_LITERAL && glob_has_meta(file.text.parts[i].text);
    m->files = arena_grow(d->arena, m->files, m->n_files, &m->cap_files, sizeof file);
    m->files[m->n_files++] = file;
    return 0;
}

int file_match_set_policy(const struct directive_args *d, const struct token *t,
                          struct file_match *m)
{
    static const char *const names[] = {[FILE_FIRST] = "first_exist",
                                        [FILE_FIRST_FALLBACK] = "first_exist_fallback",
                                        [FILE_SMALLEST] = "smallest_size",
                                        [FILE_LARGEST] = "largest_size",
                                        [FILE_NEWEST] = "most_recently_modified",
                                        NULL};

    for (size_t i = 0; names[i] != NULL; i++)
        if (str_is(t->text, names[i])) {
            m->policy = (enum file_policy)i;
            return 0;
        }
    return directive_unknown(d, t, "policy", names);
}

static int set_root(const struct directive_args *d)
{
    struct file_match *m = d->target;

    m->has_root = true;
    return root_path_set(d, &m->root);
}

static int add_all(const struct directive_args *d)
{
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (file_match_add(d, &d->args[i], d->target) != 0)
            rc = -1;
    return rc;
}

static int set_policy(const struct directive_args *d)
{
    return file_match_set_policy(d, &d->args[0], d->target);
}

static int set_splits(const struct directive_args *d)
{
    struct file_match *m = d->target;

    m->splits = arena_alloc(d->arena, d->n_args * sizeof *m->splits);
    m->n_splits = d->n_args;
    for (size_t i = 0; i < d->n_args; i++) {
        if (d->args[i].text.len == 0)
            return directive_error(d, &d->args[i], "a delimiter is missing");
        m->splits[i] = directive_str(d, &d->args[i]);
    }
    return 0;
}

static const struct directive options[] = {
    {.name = "root",
     .min_args = 1,
     .max_args = 1,
     .block = true,
     .set = set_root,
     .help = "root <folder> [{ follow_symlinks }]",
     .options = root_path_options},
    {.name = "try_files",
     .min_args = 1,
     .max_args = -1,
     .set = add_all,
     .repeats = true,
     .help = "try_files <files...>"},
    {.name = "try_policy",
     .min_args = 1,
     .max_args = 1,
     .set = set_policy,
     .help = "try_policy <policy>"},
    {.name = "split_path",
     .min_args = 1,
     .max_args = -1,
     .set = set_splits,
     .help = "split_path <delimiters...>"},
    {0},
};

static int file_set(const struct directive_args *d)
{
    int rc = add_all(d);

    file_match_init(d, d->target);
    return directive_block(d, options, NULL, d->target) == 0 ? rc : -1;
}

static bool file_matches(const void *conf, struct exchange *ex)
{
    return file_match_find(conf, ex);
}

static const struct matcher_type file_matcher = {
    .row = {.name = "file",
            .max_args = -1,
            .block = true,
            .conf_size = sizeof(struct file_match),
            .set = file_set,
            .help = "file [<files...>] [{ root, try_files, try_policy, split_path }]"},
    .match = file_matches};

const struct matcher_type *const file_match_matchers[] = {&file_matcher, NULL};
