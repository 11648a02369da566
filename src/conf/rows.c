#include "conf/rows.h"

#include "base/alloc.h"
#include "base/siphash.h"
#include "conf/build.h"
#include "conf/source.h"

/* ---- handlers that are shared ---- */

struct shared_handler {
    struct str says; /* len 0: empty place */
    uint32_t slot;
};

static int put_tokens(struct buf *b, const struct token *words, size_t n)
{
    int rc = 0;

    for (size_t i = 0; i < n && rc == 0; i++) {
        /* What a name stands for differs from block to block. */
        if (str_starts(words[i].text, STR_LIT("@")))
            return -1;
        rc = buf_printf(b, "%zu%c", words[i].text.len, words[i].quoted ? '"' : ':');
        if (rc == 0)
            rc = buf_append_str(b, words[i].text);
    }
    return rc;
}

static int put_block(struct buf *b, const struct node *node)
{
    int rc = node->has_block ? buf_putc(b, '{') : 0;

    for (size_t i = 0; i < node->n_children && rc == 0; i++) {
        const struct node *child = &node->children[i];

        rc = put_tokens(b, child->words, child->n_words);
        if (rc == 0)
            rc = put_block(b, child);
        if (rc == 0)
            rc = buf_putc(b, ';');
    }
    return rc == 0 && node->has_block ? buf_putc(b, '}') : rc;
}

/* What a directive says, in the scratch arena; len 0 if it says something of its own, or too much.
 * A path before its arguments is a part of it, since some look at that; a named matcher is not. */
static struct str says(struct conf_builder *b, const struct directive *row,
                       const struct directive_args *d)
{
    enum { SAYS_MAX = 64 * 1024 };
    struct buf text = BUF_INIT(SAYS_MAX);
    struct str result = {NULL, 0};

    bool has_path = d->matcher != NULL && d->matcher->text.p[0] != '@';

    if (!row->own && put_tokens(&text, d->node->words, 1) == 0 &&
        put_tokens(&text, d->matcher, has_path ? 1 : 0) == 0 && buf_putc(&text, ',') == 0 &&
        put_tokens(&text, d->args, d->n_args) == 0 && put_block(&text, d->node) == 0)
        result = arena_str(b->scratch, buf_str(&text));
    buf_fini(&text);
    return result;
}

/* The place of what is said in the table: of an equal one, or an empty one. */
static struct shared_handler *place_of(const struct handlers *h, struct str text)
{
    size_t i = str_hash_nocase(text) & (h->cap_table - 1);

    while (h->table[i].says.len > 0 && !str_eq(h->table[i].says, text))
        i = (i + 1) & (h->cap_table - 1);
    return &h->table[i];
}

static void grow_table(struct conf_builder *b)
{
    struct handlers old = b->handlers, *h = &b->handlers;

    h->cap_table = old.cap_table == 0 ? 64 : old.cap_table * 2;
    h->table = arena_alloc(b->scratch, h->cap_table * sizeof *h->table);
    for (size_t i = 0; i < old.cap_table; i++)
        if (old.table[i].says.len > 0)
            *place_of(h, old.table[i].says) = old.table[i];
}

/* The handler that says the same, if there is one. */
static bool find_shared(struct conf_builder *b, struct str text, uint32_t *slot)
{
    const struct shared_handler *found;

    if (text.len == 0 || b->handlers.n_shared == 0)
        return false;
    found = place_of(&b->handlers, text);
    *slot = found->slot;
    return found->says.len > 0;
}

static uint32_t add_handler(struct conf_builder *b, const struct handler_conf *conf,
                            struct str text)
{
    struct handlers *h = &b->handlers;
    uint32_t slot = (uint32_t)h->n;

    h->list = arena_grow(b->scratch, h->list, h->n, &h->cap, sizeof *h->list);
    h->list[h->n++] = *conf;
    if (text.len > 0) {
        if ((h->n_shared + 1) * 2 > h->cap_table)
            grow_table(b);
        *place_of(h, text) = (struct shared_handler){text, slot};
        h->n_shared++;
    }
    return slot;
}

/* ---- identity ---- */

/* A hash of all that was put in, each text with its length. */
static uint64_t fold(uint64_t hash, struct str text)
{
    struct siphash_key key = {{0}};

    memcpy(key.bytes, &hash, sizeof hash);
    return siphash(&key, text);
}

static uint64_t fold_node(uint64_t hash, const struct node *node)
{
    for (size_t i = 0; i < node->n_words; i++)
        hash = fold(hash, node->words[i].text);
    hash = fold(hash, STR_LIT("{"));
    for (size_t i = 0; i < node->n_children; i++)
        hash = fold_node(hash, &node->children[i]);
    return fold(hash, STR_LIT("}"));
}

uint64_t directive_identity(const struct directive_args *d)
{
    struct conf_builder *b = d->builder;
    uint64_t hash = b->n_identities++;

    if (b->current != NULL)
        hash = fold(hash, b->current->site->name);
    return fold_node(hash, d->node);
}

/* ---- rows ---- */

/* The handler of a directive: one that says the same, or a new one. */
static int handler_of(struct conf_builder *b, const struct directive *row, struct directive_args *d,
                      uint32_t *slot)
{
    struct str text = says(b, row, d);
    struct handler_conf conf = {.type = row->type,
                                .file = d->node->words[0].file,
                                .line = d->node->words[0].line,
                                .row = row};

    if (find_shared(b, text, slot))
        return 0;
    d->target = arena_alloc(b->arena, row->conf_size > 0 ? row->conf_size : 1);
    conf.conf = d->target;
    if (b->keep_source)
        conf.source = source_keep(b->arena, d);
    if (row->set(d) != 0)
        return -1;
    *slot = add_handler(b, &conf, text);
    return 0;
}

void rows_add(struct conf_builder *b, const struct directive *row, const struct node *node)
{
    struct rows *rows = (row->places & IN_ERRORS) != 0 ? &b->current->errors : b->rows;
    struct directive_args d = build_args(b, node, NULL);
    struct order_row out = {.directive = row->name, .index = rows->n};

    d.row_matcher = &out.row.matcher;
    if (matcher_take(row, &d, &out.path) != 0 || build_check(b, row, &d) != 0 ||
        handler_of(b, row, &d, &out.row.slot) != 0)
        return;
    out.row.type = row->type;
    out.row.conf = b->handlers.list[out.row.slot].conf;
    out.row.group = row->group;
    rows->list = arena_grow(b->scratch, rows->list, rows->n, &rows->cap, sizeof *rows->list);
    rows->list[rows->n++] = out;
}

struct route rows_compile(struct conf_builder *b, struct rows *rows, bool sorted)
{
    struct handler_row *list = arena_alloc(b->arena, (rows->n + 1) * sizeof *list);

    if (sorted)
        order_sort(&b->order, rows->list, rows->n);
    for (size_t i = 0; i < rows->n; i++)
        list[i] = rows->list[i].row;
    return (struct route){list, rows->n};
}

/* ---- blocks of directives ---- */

static int build_route(struct conf_builder *b, const struct node *node, bool sorted,
                       struct route *out)
{
    const struct vocabulary v = build_handlers_vocabulary(b);
    const size_t before = diag_errors(b->diag);
    struct rows rows = {NULL, 0, 0}, *outer = b->rows;

    b->rows = &rows;
    build_block(b, &v, node, NULL);
    b->rows = outer;
    *out = rows_compile(b, &rows, sorted);
    return diag_errors(b->diag) == before ? 0 : -1;
}

int directive_route(const struct directive_args *d, bool sorted, struct route *out)
{
    if (!d->node->has_block)
        return directive_error(d, &d->node->words[0], "'" STR_FMT "' needs a block of directives",
                               STR_ARG(d->node->words[0].text));
    return build_route(d->builder, d->node, sorted, out);
}

/* ---- named routes ---- */

static const struct named_route *find_route(const struct conf_builder *b, struct str name)
{
    for (size_t i = 0; i < b->routes.n; i++)
        if (str_eq(b->routes.list[i].name, name))
            return &b->routes.list[i];
    return NULL;
}

void named_routes_add(struct conf_builder *b, const struct node *node)
{
    const struct token *t = &node->words[0];
    struct named_routes *routes = &b->routes;
    struct named_route route = {.name = str_from(t->text, 2), .node = node};
    const struct named_route *before;

    if (node->n_words > 1 || !node->has_block || !str_ends(t->text, STR_LIT(")")) ||
        t->text.len < 4) {
        diag_error(b->diag, t, "a named route is written '&(name) {', with a block");
        return;
    }
    route.name.len--;
    before = find_route(b, route.name);
    if (before != NULL) {
        diag_error(b->diag, t, "named route '" STR_FMT "' was already defined in line %u",
                   STR_ARG(route.name), before->node->words[0].line);
        return;
    }
    route.route = arena_alloc(b->arena, sizeof *route.route);
    routes->list =
        arena_grow(b->scratch, routes->list, routes->n, &routes->cap, sizeof *routes->list);
    routes->list[routes->n++] = route;
}

void named_routes_build(struct conf_builder *b)
{
    for (size_t i = 0; i < b->routes.n; i++)
        (void)build_route(b, b->routes.list[i].node, true, b->routes.list[i].route);
}

const struct route *directive_named_route(const struct directive_args *d, const struct token *t)
{
    struct conf_builder *b = d->builder;
    const struct named_route *found = find_route(b, t->text);
    struct nearest nearest;

    if (found != NULL)
        return found->route;
    nearest_init(&nearest, t->text);
    for (size_t i = 0; i < b->routes.n; i++)
        nearest_offer(&nearest, b->routes.list[i].name);
    diag_unknown(b->diag, t, "named route", &nearest);
    return NULL;
}
