#include "conf/expand.h"

#include "base/map.h"
#include "conf/import_args.h"

struct snippet {
    struct str name;
    struct token at; /* of its definition */
    const struct lexeme *defined;
    struct lexemes body;
};

struct frame;

/* The block of an import, to be put in the place of {block}. */
struct block {
    struct lexemes body;
    const struct frame *frame; /* of the import's line: what its words mean */
    struct map keys;           /* struct part, once {blocks.KEY} was met */
    bool has_keys;
    bool used;
};

/* What {blocks.KEY} stands for: the rest of the key's line, then what is in its braces. */
struct part {
    struct lexemes words, body;
    const struct token *again; /* a second one of the same key */
};

/* What is imported, while its tokens are gone through. The frames up to the main file are on the
 * stack. */
struct frame {
    const struct frame *parent; /* of the import's line; NULL: this is the main file */
    const void *source;         /* the snippet or file */
    struct str name;            /* of that */
    struct import_args args;    /* args.at: the import */
    struct block *block;        /* NULL: none was passed */
};

/* An import whose word is no snippet that is known there, and no file. */
struct unknown {
    struct token word;
    struct str path;
};

struct expander {
    struct arena *arena;
    struct diag *diag;
    struct import_files *files;
    struct map snippets;
    struct snippet **order; /* the same, as defined */
    size_t n_order, cap_order;
    struct unknown *unknown;
    size_t n_unknown, cap_unknown;
    struct lexemes *out;
    size_t cap;
    size_t nesting; /* of braces, in out */
    bool line;      /* a word that began a line vanished: the next one begins it */
    size_t depth;   /* of imports and blocks */
    size_t n_tokens;
    struct buf word;
    size_t text_len;
    bool incomplete; /* a file is missing: snippets may be missing too */
    bool stopped;    /* after an error that ends it all */
};

static void run(struct expander *x, struct lexemes in, const struct frame *f, bool starts_line);

static struct lexemes slice(struct lexemes in, size_t from, size_t to)
{
    return (struct lexemes){in.list + from, to - from};
}

static int stop(struct expander *x)
{
    x->stopped = true;
    return -1;
}

/* The import in the main file that led here. */
static const struct token *outermost(const struct frame *f)
{
    while (f->parent != NULL && f->parent->parent != NULL)
        f = f->parent;
    return f->args.at;
}

/* What is written once may be used often, but a few lines cannot become millions. */
static size_t tokens_max(const struct expander *x)
{
    size_t max = EXPAND_TOKENS_BASE + EXPAND_TOKENS_FACTOR * import_files_words(x->files);

    return max < EXPAND_TOKENS_MAX ? max : EXPAND_TOKENS_MAX;
}

/* Counts work, so that a few lines cannot ask for an endless one. */
static int count(struct expander *x, const struct frame *f, size_t n)
{
    x->n_tokens += n;
    if (x->n_tokens <= EXPAND_TOKENS_BASE || f->parent == NULL || x->n_tokens <= tokens_max(x))
        return 0;
    diag_error(x->diag, outermost(f), "this and the imports before it make more than %zu words",
               tokens_max(x));
    return stop(x);
}

/* ---- words ---- */

static void emit(struct expander *x, struct lexeme l)
{
    struct lexemes *out = x->out;

    if (lexeme_is(&l, "{"))
        x->nesting++;
    else if (lexeme_is(&l, "}"))
        x->nesting--;
    l.starts_line = l.starts_line || x->line;
    x->line = false;
    out->list = arena_grow(x->arena, out->list, out->n, &x->cap, sizeof *out->list);
    out->list[out->n++] = l;
}

/* A word made of arguments is never a brace. */
static struct token as_text(struct token t)
{
    t.quoted = t.quoted || str_is(t.text, "{") || str_is(t.text, "}") || str_is(t.text, "{}");
    return t;
}

static int replace_args(struct expander *x, struct token *t, const struct frame *f)
{
    buf_clear(&x->word);
    if (import_args_replace(x->diag, t, &f->args, &x->word) != 0)
        return -1;
    x->text_len += x->word.len;
    if (x->text_len > EXPAND_TEXT_MAX) {
        diag_error(x->diag, outermost(f), "arguments of imports make more than %d bytes of text",
                   EXPAND_TEXT_MAX);
        return stop(x);
    }
    t->text = arena_str(x->arena, buf_str(&x->word));
    *t = as_text(*t);
    return 0;
}

/* What a word becomes in a frame. */
struct words {
    const struct token *list;
    size_t n;
    struct token one; /* list may point here */
};

/* None after an error. */
static void words_of(struct expander *x, const struct lexeme *l, const struct frame *f,
                     struct words *out)
{
    struct args_range range = {0, 0};

    *out = (struct words){&out->one, 1, l->token};
    if (f->parent == NULL)
        return;
    switch (import_args_look(x->diag, &l->token, &f->args, &range)) {
    case ARGS_NONE:
        break;
    case ARGS_RANGE:
        out->list = f->args.list + range.from;
        out->n = range.to - range.from;
        break;
    case ARGS_PART:
        if (replace_args(x, &out->one, f) == 0)
            break;
        out->n = 0;
        break;
    case ARGS_WRONG:
        out->n = 0;
        break;
    }
}

static void run_word(struct expander *x, const struct lexeme *l, const struct frame *f)
{
    struct words words;

    words_of(x, l, f, &words);
    if (words.list == &words.one) {
        emit(x, (struct lexeme){words.one, l->starts_line, 0});
        return;
    }
    x->line = x->line || l->starts_line;
    for (size_t i = 0; i < words.n; i++) {
        struct token t = words.list[i];

        t.quoted = l->token.quoted;
        emit(x, (struct lexeme){as_text(t), false, 0});
    }
}

/* ---- {block} and {blocks.KEY} ---- */

static struct str block_key(struct str text)
{
    return (struct str){text.p + 8, text.len - 9};
}

static bool is_block_word(const struct lexeme *l)
{
    return lexeme_is(l, "{block}") ||
           (!l->token.quoted && str_starts(l->token.text, STR_LIT("{blocks.")) &&
            str_ends(l->token.text, STR_LIT("}")));
}

/* The end of the words that begin at i: a line end or a brace. */
static size_t words_end(struct lexemes in, size_t i)
{
    do
        i++;
    while (i < in.n && !in.list[i].starts_line && !lexeme_is(&in.list[i], "{") &&
           !lexeme_is(&in.list[i], "}"));
    return i;
}

/* One line of a block, from its key on. Returns where the next one begins. */
static size_t add_part(struct expander *x, struct block *b, size_t i)
{
    const struct lexemes in = b->body;
    const struct token *key = &in.list[i].token;
    struct part *part = map_find(&b->keys, key->text);
    size_t end = words_end(in, i), next = end;
    struct part found = {.words = slice(in, i + 1, end)};

    if (end < in.n && lexeme_is(&in.list[end], "{")) {
        next = end + in.list[end].to_close;
        found.body = slice(in, end + 1, next);
        next++;
    }
    if (part != NULL) {
        part->again = key;
        return next;
    }
    part = arena_alloc(x->arena, sizeof *part);
    *part = found;
    map_add(&b->keys, x->arena, key->text, part);
    return next;
}

static int find_keys(struct expander *x, struct block *b)
{
    b->has_keys = true;
    if (count(x, b->frame, b->body.n) != 0)
        return -1;
    for (size_t i = 0; i < b->body.n;) {
        if (lexeme_is(&b->body.list[i], "{"))
            return diag_error(x->diag, &b->body.list[i].token,
                              "a block in the block of an import needs a name before its '{'");
        i = add_part(x, b, i);
    }
    return 0;
}

static const struct part *find_part(struct expander *x, const struct token *t, struct block *b)
{
    const struct part *part;

    if (!b->has_keys && find_keys(x, b) != 0)
        return NULL;
    part = map_find(&b->keys, block_key(t->text));
    if (part != NULL && part->again != NULL)
        diag_error(x->diag, part->again,
                   "'" STR_FMT "' was already given: there can be only one for '" STR_FMT "'",
                   STR_ARG(part->again->text), STR_ARG(t->text));
    return part;
}

static int enter(struct expander *x, const struct token *at)
{
    if (x->depth == EXPAND_DEPTH_MAX) {
        diag_error(x->diag, at, "imports are nested deeper than %d", EXPAND_DEPTH_MAX);
        return stop(x);
    }
    x->depth++;
    return 0;
}

/* The words of a block mean what they mean where it is written: they get the frame of its import.
 */
static void run_block_word(struct expander *x, const struct lexeme *l, const struct frame *f)
{
    struct block *b = f->block;

    if (f->parent == NULL) {
        diag_error(x->diag, &l->token,
                   "'" STR_FMT "' has a meaning only in a snippet or an imported file",
                   STR_ARG(l->token.text));
    } else if (b != NULL && enter(x, &l->token) == 0) {
        const bool whole = lexeme_is(l, "{block}");
        const struct part *part = whole ? NULL : find_part(x, &l->token, b);

        b->used = true;
        if (whole)
            run(x, b->body, b->frame, l->starts_line);
        else if (part != NULL && part->words.n > 0)
            run(x, part->words, b->frame, l->starts_line);
        if (part != NULL)
            run(x, part->body, b->frame, part->words.n > 0 || l->starts_line);
        x->depth--;
    }
    x->line = x->line || l->starts_line;
}

/* ---- snippets ---- */

/* What stands behind the closing brace of a block that is taken away. */
static void check_rest(struct expander *x, struct lexemes in, size_t next)
{
    if (next == in.n || in.list[next].starts_line || lexeme_is(&in.list[next], "}"))
        return;
    diag_error(x->diag, &in.list[next].token, "unexpected '" STR_FMT "' after '}'",
               STR_ARG(in.list[next].token.text));
    x->line = true;
}

static bool is_snippet_name(const struct lexeme *l)
{
    return !l->token.quoted && str_starts(l->token.text, STR_LIT("(")) &&
           str_ends(l->token.text, STR_LIT(")"));
}

static void define(struct expander *x, const struct lexeme *l, struct lexemes body)
{
    const struct token *t = &l->token;
    struct str name = {t->text.p + 1, t->text.len - 2};
    struct snippet *s = map_find(&x->snippets, name);

    if (name.len == 0) {
        diag_error(x->diag, t, "a snippet needs a name between its parentheses");
    } else if (s == NULL) {
        s = arena_alloc(x->arena, sizeof *s);
        *s = (struct snippet){name, *t, l, body};
        map_add(&x->snippets, x->arena, name, s);
        x->order = arena_grow(x->arena, x->order, x->n_order, &x->cap_order, sizeof(*x->order));
        x->order[x->n_order++] = s;
    } else if (s->defined != l) { /* else its file was imported twice */
        diag_error(x->diag, t, "the snippet '" STR_FMT "' is already defined at " STR_FMT ":%u:%u",
                   STR_ARG(name), STR_ARG(s->at.file), s->at.line, s->at.column);
    }
}

/* Inside of a block it is a mistake; a word alone there may be something else. */
static bool is_snippet(const struct expander *x, struct lexemes in, size_t i)
{
    return is_snippet_name(&in.list[i]) &&
           (x->nesting == 0 || (i + 1 < in.n && lexeme_is(&in.list[i + 1], "{")));
}

/* "(name) {" at the top level. Returns where the next line begins. */
static size_t run_snippet(struct expander *x, struct lexemes in, size_t i)
{
    size_t end = words_end(in, i), next = end;
    const bool block = end < in.n && lexeme_is(&in.list[end], "{");

    if (block)
        next = end + in.list[end].to_close + 1;
    if (x->nesting > 0)
        diag_error(x->diag, &in.list[i].token,
                   "a snippet is defined outside of all blocks: move '" STR_FMT "' there",
                   STR_ARG(in.list[i].token.text));
    else if (block && end == i + 1)
        define(x, &in.list[i], slice(in, end + 1, next - 1));
    else
        diag_error(x->diag, &in.list[i].token, "a snippet is its name and a block: '" STR_FMT " {'",
                   STR_ARG(in.list[i].token.text));
    check_rest(x, in, next);
    return next;
}

/* ---- imports ---- */

/* "a (imported at f:3:1) -> b (...) -> a" */
static int report_cycle(struct expander *x, const struct token *at, const struct frame *f,
                        const void *source)
{
    const struct frame *chain[EXPAND_DEPTH_MAX + 2];
    struct str name = STR_LIT(""), text;
    size_t n = 0;

    for (; f != NULL; f = f->parent) {
        chain[n++] = f;
        name = f->name;
        if (f->source == source)
            break;
    }
    text = arena_str(x->arena, name);
    for (size_t i = n - 1; i-- > 0;) {
        const struct token *t = chain[i]->args.at;

        text = arena_printf(x->arena, STR_FMT " -> " STR_FMT " (" STR_FMT ":%u:%u)", STR_ARG(text),
                            STR_ARG(chain[i]->name), STR_ARG(t->file), t->line, t->column);
    }
    return diag_error(x->diag, at, "this import leads back to itself: " STR_FMT " -> " STR_FMT,
                      STR_ARG(text), STR_ARG(name));
}

static bool is_active(const struct frame *f, const void *source)
{
    while (f != NULL && f->source != source)
        f = f->parent;
    return f != NULL;
}

static void run_source(struct expander *x, struct frame *f, struct lexemes in)
{
    const struct token *at = f->args.at;

    if (is_active(f->parent, f->source)) {
        report_cycle(x, at, f->parent, f->source);
    } else if (enter(x, at) == 0) {
        run(x, in, f, true);
        x->depth--;
    }
}

static void note_unknown(struct expander *x, const struct frame *f, const struct token *word)
{
    struct unknown u = {*word, import_files_path(x->files, f->args.at->file, word->text)};

    x->unknown =
        arena_grow(x->arena, x->unknown, x->n_unknown, &x->cap_unknown, sizeof *x->unknown);
    x->unknown[x->n_unknown++] = u;
}

static void run_files(struct expander *x, struct frame *f, const struct import_match *m)
{
    for (size_t i = 0; i < m->n && !x->stopped; i++) {
        struct import_file *file = m->list[i];

        f->source = file;
        f->name = file->path;
        if (file->failed)
            x->incomplete = true;
        if (file->e.code != ERR_NONE)
            diag_error(x->diag, f->args.at, "cannot import: %s", file->e.msg);
        else if (!file->failed)
            run_source(x, f, file->lexemes);
    }
}

/* f->args is set; word says what to import. Relative paths begin at the file of the import, also if
 * an argument gave the word. */
static void run_target(struct expander *x, struct frame *f, const struct token *word)
{
    const struct snippet *s = map_find(&x->snippets, word->text);
    const struct import_match *m;

    if (s != NULL) {
        f->source = s;
        f->name = s->name;
        run_source(x, f, s->body);
        return;
    }
    m = import_files_find(x->files, word, f->args.at->file, word->text);
    if (m == NULL)
        x->incomplete = true;
    else if (m->missing)
        note_unknown(x, f, word);
    else
        run_files(x, f, m);
}

/* The words after "import" in its frame. */
static struct words import_words(struct expander *x, struct lexemes in, const struct frame *f)
{
    struct token *list = NULL;
    size_t n = 0, cap = 0;

    for (size_t i = 0; i < in.n; i++) {
        struct words words;

        words_of(x, &in.list[i], f, &words);
        if (count(x, f, words.n) != 0)
            break;
        for (size_t w = 0; w < words.n; w++) {
            list = arena_grow(x->arena, list, n, &cap, sizeof *list);
            list[n++] = words.list[w];
        }
    }
    return (struct words){.list = list, .n = n};
}

static void check_open(struct expander *x, const struct lexeme *open)
{
    const struct lexeme *first = open + 1;

    if (!first->starts_line && !lexeme_is(first, "}"))
        diag_error(x->diag, &first->token,
                   "unexpected '" STR_FMT "' after '{' on the same line: it belongs on the next",
                   STR_ARG(first->token.text));
}

static void check_use(struct expander *x, const struct frame *f, const struct token *open)
{
    if (f->block != NULL && !f->block->used && f->source != NULL && diag_errors(x->diag) == 0)
        diag_warn(x->diag, open, "this block is not used: '" STR_FMT "' has no {block}",
                  STR_ARG(f->name));
}

/* An import line and its block. Returns where the next line begins. */
static size_t run_import(struct expander *x, struct lexemes in, size_t i, const struct frame *f)
{
    const struct token *at = &in.list[i].token;
    size_t end = words_end(in, i), next = end;
    const size_t errors = diag_errors(x->diag);
    struct words words = import_words(x, slice(in, i + 1, end), f);
    struct block block = {.frame = f};
    struct frame imported = {.parent = f, .args = {.at = at}};

    if (end < in.n && lexeme_is(&in.list[end], "{")) {
        next = end + in.list[end].to_close;
        block.body = slice(in, end + 1, next);
        check_open(x, &in.list[end]);
        imported.block = &block;
        next++;
    }
    if (words.n > 0 && words.list[0].text.len > 0) {
        imported.args.list = words.list + 1;
        imported.args.n = words.n - 1;
        run_target(x, &imported, &words.list[0]);
        check_use(x, &imported, &in.list[end].token);
    } else if (diag_errors(x->diag) == errors) {
        diag_error(x->diag, at, "'import' needs the name of a snippet or the path of a file");
    }
    x->line = false;
    if (imported.block != NULL)
        check_rest(x, in, next);
    return next;
}

/* Goes through tokens in a frame. The first of them begins a line or goes on with one, whatever it
 * did where it is written. */
static void run(struct expander *x, struct lexemes in, const struct frame *f, bool starts_line)
{
    for (size_t i = 0; i < in.n && !x->stopped;) {
        struct lexeme l = in.list[i];

        if (i == 0)
            l.starts_line = starts_line;
        if (count(x, f, 1) != 0)
            return;
        if (l.starts_line && lexeme_is(&l, "import")) {
            i = run_import(x, in, i, f);
        } else if (l.starts_line && is_snippet(x, in, i)) {
            i = run_snippet(x, in, i);
        } else {
            if (is_block_word(&l))
                run_block_word(x, &l, f);
            else
                run_word(x, &l, f);
            i++;
        }
    }
}

/* ---- what was not found ---- */

/* Snippets that are defined further down are known by now. */
static void report_unknown(struct expander *x, const struct unknown *u)
{
    const struct snippet *s = map_find(&x->snippets, u->word.text);
    struct nearest nearest;

    if (s != NULL) {
        diag_error(x->diag, &u->word,
                   "the snippet '" STR_FMT "' is defined only later, at " STR_FMT
                   ":%u:%u: move it before this line",
                   STR_ARG(u->word.text), STR_ARG(s->at.file), s->at.line, s->at.column);
        return;
    }
    nearest_init(&nearest, u->word.text);
    for (size_t i = 0; i < x->n_order && !diag_is_full(x->diag); i++)
        nearest_offer(&nearest, x->order[i]->name);
    if (nearest.best.len > 0)
        diag_error(x->diag, &u->word,
                   "there is no snippet '" STR_FMT "' and no file '" STR_FMT
                   "'; did you mean '" STR_FMT "'?",
                   STR_ARG(u->word.text), STR_ARG(u->path), STR_ARG(nearest.best));
    else
        diag_error(x->diag, &u->word, "there is no snippet '" STR_FMT "' and no file '" STR_FMT "'",
                   STR_ARG(u->word.text), STR_ARG(u->path));
}

int expand_run(struct arena *a, struct diag *d, struct import_files *files, struct str file,
               const struct lexemes *in, struct lexemes *out)
{
    struct expander x = {.arena = a, .diag = d, .files = files, .out = out};
    const struct frame main_file = {.source = import_files_main(files, file, *in), .name = file};

    *out = (struct lexemes){NULL, 0};
    buf_init(&x.word, EXPAND_TEXT_MAX);
    run(&x, *in, &main_file, true);
    for (size_t i = 0; i < x.n_unknown; i++)
        if (!x.incomplete || map_find(&x.snippets, x.unknown[i].word.text) != NULL)
            report_unknown(&x, &x.unknown[i]);
    buf_fini(&x.word);
    return x.stopped ? -1 : 0;
}
