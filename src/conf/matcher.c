#include "conf/matcher.h"

#include "conf/build.h"
#include "conf/says.h"
#include "conf/source.h"

enum { MATCHER_DEPTH_MAX = 32 };

/* ---- conditions ---- */

static const struct matcher_type *find_type(const struct conf_builder *b, struct str name)
{
    for (size_t i = 0; b->matchers[i] != NULL; i++)
        for (size_t j = 0; b->matchers[i][j] != NULL; j++)
            if (str_is(name, b->matchers[i][j]->row.name))
                return b->matchers[i][j];
    return NULL;
}

bool matcher_is_type(const struct conf_builder *b, struct str name)
{
    return find_type(b, name) != NULL;
}

bool directive_has_matcher(const struct directive_args *d, struct str name)
{
    return matcher_is_type(d->builder, name);
}

struct str directive_matcher_name(const struct directive_args *d)
{
    return d->builder->matcher_name;
}

/* A matcher under construction. */
struct draft {
    struct condition *list;
    size_t n, cap;
};

static struct condition *add_condition(const struct directive_args *d, struct draft *m,
                                       const struct matcher_type *type)
{
    void *conf = arena_alloc(d->arena, type->row.conf_size > 0 ? type->row.conf_size : 1);

    m->list = arena_grow(d->arena, m->list, m->n, &m->cap, sizeof *m->list);
    m->list[m->n] = (struct condition){type, conf, NULL};
    return &m->list[m->n++];
}

void *directive_add_condition(const struct directive_args *d, struct matcher *m,
                              const struct matcher_type *type)
{
    struct draft draft = {NULL, 0, 0};
    void *conf;

    for (size_t i = 0; i < m->n; i++) {
        draft.list = arena_grow(d->arena, draft.list, draft.n, &draft.cap, sizeof *draft.list);
        draft.list[draft.n++] = m->all[i];
    }
    conf = (void *)add_condition(d, &draft, type)->conf;
    *m = (struct matcher){draft.list, draft.n};
    return conf;
}

/* The condition that a line of that type goes to. */
static struct condition *target_of(const struct directive_args *d, struct draft *m,
                                   const struct matcher_type *type)
{
    for (size_t i = 0; i < m->n && !type->row.repeats; i++)
        if (m->list[i].type == type)
            return &m->list[i];
    return add_condition(d, m, type);
}

static int unknown_type(const struct directive_args *d, const struct token *name)
{
    struct conf_builder *b = d->builder;
    struct nearest nearest;

    nearest_init(&nearest, name->text);
    for (size_t i = 0; b->matchers[i] != NULL; i++)
        for (size_t j = 0; b->matchers[i][j] != NULL; j++)
            nearest_offer(&nearest, str_of(b->matchers[i][j]->row.name));
    return diag_unknown(b->diag, name, "matcher", &nearest);
}

/* Several lines of one condition are kept as one text, which ends where it would be too long to
 * read: each line more costs a copy. */
static const char *add_source(struct arena *a, const char *before, const struct node *line)
{
    enum { SOURCE_LONG = 4096 };
    struct str more;

    if (before != NULL && strlen(before) > SOURCE_LONG)
        return before;
    more = source_line(a, line, 0);
    return before == NULL ? more.p : arena_printf(a, "%s; " STR_FMT, before, STR_ARG(more)).p;
}

/* One line: a type, its arguments, its block. */
static int add_line(const struct directive_args *d, const struct node *line, struct draft *m)
{
    const struct matcher_type *type = find_type(d->builder, line->words[0].text);
    struct directive_args args = build_args(d->builder, line, NULL);
    struct condition *target;

    if (type == NULL)
        return unknown_type(d, &line->words[0]);
    if (build_check(d->builder, &type->row, &args) != 0)
        return -1;
    target = target_of(d, m, type);
    if (d->builder->keep_source)
        target->source = add_source(d->arena, target->source, line);
    args.target = (void *)target->conf;
    return type->row.set(&args);
}

/* A line of an expression alone: "@name `...`" */
static int add_expression(const struct directive_args *d, const struct node *line, struct draft *m)
{
    const struct token name = {.text = STR_LIT("expression"),
                               .file = line->words[0].file,
                               .line = line->words[0].line,
                               .column = line->words[0].column};
    struct token *words = arena_alloc(d->builder->scratch, (line->n_words + 1) * sizeof *words);
    struct node whole = *line;

    words[0] = name;
    memcpy(words + 1, line->words, line->n_words * sizeof *words);
    whole.words = words;
    whole.n_words++;
    return add_line(d, &whole, m);
}

static int add(const struct directive_args *d, const struct node *line, struct draft *m)
{
    return line->words[0].quoted ? add_expression(d, line, m) : add_line(d, line, m);
}

static int compile_draft(const struct directive_args *d, size_t first, struct matcher *out)
{
    const struct node *node = d->node;
    struct node line = *node;
    struct draft m = {NULL, 0, 0};
    int rc = 0;

    line.words += first;
    line.n_words -= first;
    if (line.n_words > 0) {
        rc = add(d, &line, &m);
    } else {
        for (size_t i = 0; i < node->n_children; i++)
            if (add(d, &node->children[i], &m) != 0)
                rc = -1;
        if (rc == 0 && node->n_children == 0)
            rc = directive_error(d, &node->words[0], "'" STR_FMT "' says nothing to match",
                                 STR_ARG(node->words[0].text));
    }
    *out = (struct matcher){m.list, m.n};
    return rc;
}

/* "not not not ..." nests without any braces. */
int directive_matcher(const struct directive_args *d, size_t first, struct matcher *out)
{
    struct conf_builder *b = d->builder;
    int rc;

    if (b->matcher_depth == MATCHER_DEPTH_MAX)
        return directive_error(d, &d->node->words[0], "matchers are nested deeper than %d",
                               MATCHER_DEPTH_MAX);
    b->matcher_depth++;
    rc = compile_draft(d, first, out);
    b->matcher_depth--;
    return rc;
}

/* ---- names ---- */

bool matcher_is_definition(const struct node *node)
{
    return !node->words[0].quoted && str_starts(node->words[0].text, STR_LIT("@"));
}

static const struct named_matcher *find_named(const struct named_matchers *from, struct str name)
{
    const struct named_matcher *found = NULL;

    for (; from != NULL && found == NULL; from = from->up)
        found = map_find(&from->by_name, name);
    return found;
}

/* The path of the one path matcher in the definition, if it is the only one. */
static struct str single_path(const struct node *node)
{
    struct node line = *node;
    struct str path = {NULL, 0};
    size_t n = 0;

    line.words++;
    line.n_words--;
    for (size_t i = 0; i < (line.n_words > 0 ? 1 : node->n_children); i++) {
        const struct node *at = line.n_words > 0 ? &line : &node->children[i];

        if (!str_is(at->words[0].text, "path"))
            continue;
        n += at->n_words - 1;
        if (at->n_words == 2)
            path = at->words[1].text;
    }
    return n == 1 ? path : (struct str){NULL, 0};
}

static int compile(const struct directive_args *d, struct named_matcher *m)
{
    struct str outer = d->builder->matcher_name;
    int rc;

    d->builder->matcher_name = str_from(m->name, 1);
    rc = directive_matcher(d, 1, &m->matcher);
    d->builder->matcher_name = outer;
    return rc;
}

/* Those that say the same under the same name are compiled once: what an expression catches is
 * called by the name. */
static int compile_shared(const struct directive_args *d, struct named_matcher *m)
{
    struct conf_builder *b = d->builder;
    struct str key = says_node(b->scratch, d->node, 1);
    struct matcher *found;

    if (key.len > 0)
        key = arena_printf(b->scratch, STR_FMT " " STR_FMT, STR_ARG(m->name), STR_ARG(key));
    found = key.len == 0 ? NULL : map_find(&b->shared_matchers, key);
    if (found == NULL) {
        if (compile(d, m) != 0)
            return -1;
        found = arena_alloc(b->scratch, sizeof *found);
        *found = m->matcher;
        if (key.len > 0)
            map_add(&b->shared_matchers, b->scratch, key, found);
    }
    m->matcher = *found;
    return 0;
}

/* "@" alone, or a name that is taken: perhaps by the same line, imported twice. */
static void report_name(struct conf_builder *b, const struct token *at,
                        const struct named_matcher *before)
{
    if (before == NULL)
        diag_error(b->diag, at, "a matcher needs a name after its '@'");
    else if (before->at->line == at->line && str_eq(before->at->file, at->file))
        diag_error(b->diag, at, "'" STR_FMT "' is imported more than once into the same block",
                   STR_ARG(at->text));
    else if (str_eq(before->at->file, at->file))
        diag_error(b->diag, at, "matcher '" STR_FMT "' was already defined in line %u",
                   STR_ARG(at->text), before->at->line);
    else
        diag_error(b->diag, at, "matcher '" STR_FMT "' was already defined at " STR_FMT ":%u:%u",
                   STR_ARG(at->text), STR_ARG(before->at->file), before->at->line,
                   before->at->column);
}

static void define(struct conf_builder *b, struct named_matchers *here, const struct node *node)
{
    const struct directive_args d = build_args(b, node, NULL);
    const struct token *at = &node->words[0];
    const struct named_matcher *before = map_find(&here->by_name, at->text);
    struct named_matcher *m;

    if (before != NULL || at->text.len == 1) {
        report_name(b, at, before);
        return;
    }
    m = arena_alloc(b->scratch, sizeof *m);
    m->name = at->text;
    m->at = at;
    /* A broken one is defined too: its uses are no further mistakes. */
    if (compile_shared(&d, m) == 0)
        m->path = single_path(node);
    here->list = arena_grow(b->scratch, here->list, here->n, &here->cap, sizeof(*here->list));
    here->list[here->n++] = m;
    map_add(&here->by_name, b->scratch, m->name, m);
}

void matcher_enter(struct conf_builder *b, struct named_matchers *here, const struct node *parent)
{
    *here = (struct named_matchers){.up = b->named};
    b->named = here;
    for (size_t i = 0; i < parent->n_children; i++)
        if (matcher_is_definition(&parent->children[i]))
            define(b, here, &parent->children[i]);
}

void matcher_leave(struct conf_builder *b)
{
    b->named = b->named->up;
}

/* ---- uses ---- */

/* Whether the first argument is a matcher: "*", "@name", or a path if enough arguments are left
 * without it ("root /srv" has none). */
bool matcher_comes_first(const struct directive *row, const struct directive_args *d)
{
    const struct token *t = d->args;

    if (d->n_args == 0 || row->no_matcher)
        return false;
    if (str_is(t->text, "*") || (t->text.len > 1 && t->text.p[0] == '@'))
        return true;
    return str_starts(t->text, STR_LIT("/")) && d->n_args > (size_t)row->min_args;
}

static int use_named(struct directive_args *d, struct str *path)
{
    const struct token *t = d->matcher;
    const struct named_matcher *m = find_named(d->builder->named, t->text);
    struct nearest nearest;

    if (m != NULL) {
        *d->row_matcher = m->matcher;
        *path = m->path;
        return 0;
    }
    nearest_init(&nearest, t->text);
    for (const struct named_matchers *at = d->builder->named;
         at != NULL && !diag_is_full(d->builder->diag); at = at->up)
        for (size_t i = 0; i < at->n; i++)
            nearest_offer(&nearest, at->list[i]->name);
    if (nearest.best.len > 0)
        return diag_unknown(d->builder->diag, t, "matcher", &nearest);
    return directive_error(d, t, "matcher '" STR_FMT "' is defined nowhere in this block",
                           STR_ARG(t->text));
}

static int use_path(struct directive_args *d, struct str *path)
{
    const struct token name = {.text = STR_LIT("path")};
    const struct token words[] = {name, *d->matcher};
    const struct node line = {.words = words, .n_words = 2};
    struct map *shared = &d->builder->shared_matchers;
    struct matcher *found = map_find(shared, d->matcher->text);
    struct draft m = {NULL, 0, 0};

    *path = d->matcher->text;
    if (found == NULL) {
        if (add_line(d, &line, &m) != 0)
            return -1;
        found = arena_alloc(d->builder->scratch, sizeof *found);
        *found = (struct matcher){m.list, m.n};
        map_add(shared, d->builder->scratch, d->matcher->text, found);
    }
    *d->row_matcher = *found;
    return 0;
}

int matcher_take(const struct directive *row, struct directive_args *d, struct str *path)
{
    if (!matcher_comes_first(row, d))
        return 0;
    d->matcher = d->args;
    d->args++;
    d->n_args--;
    if (d->matcher->text.p[0] == '@')
        return use_named(d, path);
    return str_is(d->matcher->text, "*") ? 0 : use_path(d, path);
}
