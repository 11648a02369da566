/* Matchers as functions of an expression: path('/a*'), header({'X': 'y'}). Their arguments become
 * the lines that say the same outside of an expression, and are compiled as those are. */
#include "base/alloc.h"
#include "http/cel_priv.h"

enum shape {
    SHAPE_WORDS, /* name('a', 'b'): one line, "name a b" */
    SHAPE_MAP,   /* name({'k': ['a', 'b']}): for each key a line, "name k a b" */
    SHAPE_PAIRS, /* the same, "name k=a k=b" */
    SHAPE_FILE   /* words, or a map of what stands in the block */
};

static const struct {
    const char *name;
    enum shape shape;
} shapes[] = {
    {"client_ip", SHAPE_WORDS},     {"file", SHAPE_FILE},         {"header", SHAPE_MAP},
    {"header_regexp", SHAPE_WORDS}, {"host", SHAPE_WORDS},        {"method", SHAPE_WORDS},
    {"path", SHAPE_WORDS},          {"path_regexp", SHAPE_WORDS}, {"protocol", SHAPE_WORDS},
    {"query", SHAPE_PAIRS},         {"remote_ip", SHAPE_WORDS},   {"vars", SHAPE_MAP},
    {"vars_regexp", SHAPE_WORDS},
};

/* The lines of one call. */
struct lines {
    struct cel_compiler *c;
    struct str name;
    size_t at; /* of the call */
    struct node *list;
    size_t n, cap;
};

/* ---- words ---- */

/* A text as it is written outside of an expression. */
static int source_of(const struct cel_compiler *c, const struct cel_node *n, struct str *out)
{
    struct str a, b;

    if (n->kind == CEL_TEXT || (n->kind == CEL_LITERAL && n->type == CEL_STRING)) {
        *out = n->value.text;
        return 0;
    }
    if (n->kind != CEL_ADD || n->type != CEL_STRING)
        return cel_error(c, n->at,
                         "a matcher takes texts in quotes and placeholders, also joined by '+'");
    if (source_of(c, n->kids[0], &a) != 0 || source_of(c, n->kids[1], &b) != 0)
        return -1;
    *out = arena_printf(c->d->arena, STR_FMT STR_FMT, STR_ARG(a), STR_ARG(b));
    return 0;
}

struct words {
    struct token *list;
    size_t n, cap;
};

static void add_word(const struct lines *l, struct words *w, size_t at, struct str text)
{
    w->list = arena_grow(l->c->d->arena, w->list, w->n, &w->cap, sizeof *w->list);
    w->list[w->n++] = cel_token(l->c, at, text);
}

/* A text, or each of a list; with a key, as "key=text". */
static int add_values(const struct lines *l, struct words *w, const struct cel_node *n,
                      const struct str *key)
{
    struct str text;

    if (n->type == CEL_LIST) {
        for (size_t i = 0; i < n->n; i++)
            if (add_values(l, w, n->kids[i], key) != 0)
                return -1;
        return 0;
    }
    if (source_of(l->c, n, &text) != 0)
        return -1;
    if (key != NULL)
        text = arena_printf(l->c->d->arena, STR_FMT "=" STR_FMT, STR_ARG(*key), STR_ARG(text));
    add_word(l, w, n->at, text);
    return 0;
}

static struct node *add_line(struct lines *l, const struct words *w)
{
    struct node line = {.words = w->list, .n_words = w->n};

    l->list = arena_grow(l->c->d->arena, l->list, l->n, &l->cap, sizeof *l->list);
    l->list[l->n] = line;
    return &l->list[l->n++];
}

/* ---- lines ---- */

static int add_words(struct lines *l, const struct cel_node *call)
{
    struct words w = {NULL, 0, 0};

    add_word(l, &w, l->at, l->name);
    for (size_t i = 0; i < call->n; i++) {
        if (call->kids[i]->type == CEL_LIST || call->kids[i]->type == CEL_MAP)
            return cel_error(l->c, call->kids[i]->at, "'" STR_FMT "' takes texts, one or several",
                             STR_ARG(l->name));
        if (add_values(l, &w, call->kids[i], NULL) != 0)
            return -1;
    }
    add_line(l, &w);
    return 0;
}

static int add_map(struct lines *l, const struct cel_node *call, bool pairs)
{
    const struct cel_node *map = call->n == 1 ? call->kids[0] : NULL;

    if (map == NULL || map->type != CEL_MAP || map->n == 0)
        return cel_error(l->c, map == NULL ? l->at : map->at,
                         "'" STR_FMT "' takes a map: " STR_FMT "({'name': 'value'})",
                         STR_ARG(l->name), STR_ARG(l->name));
    for (size_t i = 0; i < map->n; i += 2) {
        struct words w = {NULL, 0, 0};
        struct str key;

        if (source_of(l->c, map->kids[i], &key) != 0)
            return -1;
        add_word(l, &w, l->at, l->name);
        if (!pairs)
            add_word(l, &w, map->kids[i]->at, key);
        if (add_values(l, &w, map->kids[i + 1], pairs ? &key : NULL) != 0)
            return -1;
        add_line(l, &w);
    }
    return 0;
}

/* file({'root': '...', 'try_files': [...]}) */
static int add_file_block(struct lines *l, const struct cel_node *map)
{
    struct lines block = {.c = l->c};
    struct words name = {NULL, 0, 0};
    struct node *line;

    for (size_t i = 0; i < map->n; i += 2) {
        struct words w = {NULL, 0, 0};
        struct str key;

        if (source_of(l->c, map->kids[i], &key) != 0)
            return -1;
        add_word(l, &w, map->kids[i]->at, key);
        if (add_values(l, &w, map->kids[i + 1], NULL) != 0)
            return -1;
        add_line(&block, &w);
    }
    add_word(l, &name, l->at, l->name);
    line = add_line(l, &name);
    line->children = block.list;
    line->n_children = block.n;
    line->has_block = true;
    return 0;
}

static int add_lines(struct lines *l, const struct cel_node *call, enum shape shape)
{
    switch (shape) {
    case SHAPE_WORDS:
        break;
    case SHAPE_MAP:
    case SHAPE_PAIRS:
        return add_map(l, call, shape == SHAPE_PAIRS);
    case SHAPE_FILE:
        if (call->n == 1 && call->kids[0]->type == CEL_MAP)
            return add_file_block(l, call->kids[0]);
        break;
    }
    return add_words(l, call);
}

int cel_make_matcher(struct cel_compiler *c, struct cel_node *n, struct str name, bool *is_matcher)
{
    struct lines lines = {.c = c, .name = name, .at = n->at};
    const struct token head = cel_token(c, n->at, name);
    struct node node = {.words = &head, .n_words = 1, .has_block = true};
    struct directive_args d = *c->d;
    size_t i = 0;

    while (i < ARRAY_LEN(shapes) && !str_is(name, shapes[i].name))
        i++;
    *is_matcher = i < ARRAY_LEN(shapes) && directive_has_matcher(c->d, name);
    if (!*is_matcher || add_lines(&lines, n, shapes[i].shape) != 0)
        return -1;
    node.children = lines.list;
    node.n_children = lines.n;
    d.node = &node;
    n->kind = CEL_MATCHER;
    n->type = CEL_BOOL;
    n->n = 0;
    return directive_matcher(&d, 1, &n->matcher);
}
