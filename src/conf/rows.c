#include "conf/rows.h"

#include "base/alloc.h"
#include "base/siphash.h"
#include "conf/build.h"
#include "conf/says.h"
#include "conf/source.h"

/* ---- handlers that are shared ---- */

/* What a directive says, in the scratch arena; len 0 if it says something of its own. A path before
 * its arguments is a part of it, since some look at that; a named matcher is not. */
static struct str says(struct conf_builder *b, const struct directive *row,
                       const struct directive_args *d)
{
    const bool named = d->matcher != NULL && d->matcher->text.p[0] == '@';
    struct str rest;

    if (row->own)
        return (struct str){NULL, 0};
    rest = says_node(b->scratch, d->node, named ? 2 : 1);
    if (rest.p == NULL)
        return rest;
    return arena_printf(b->scratch, "%s%c" STR_FMT, row->name, d->matcher == NULL ? ' ' : '*',
                        STR_ARG(rest));
}

/* The handler that says the same, if there is one. */
static bool find_shared(struct conf_builder *b, struct str text, uint32_t *slot)
{
    const uint32_t *found = text.len == 0 ? NULL : map_find(&b->handlers.shared, text);

    if (found != NULL)
        *slot = *found;
    return found != NULL;
}

static uint32_t add_handler(struct conf_builder *b, const struct handler_conf *conf,
                            struct str text)
{
    struct handlers *h = &b->handlers;
    uint32_t *slot = arena_alloc(b->scratch, sizeof *slot);

    *slot = (uint32_t)h->n;
    h->list = arena_grow(b->scratch, h->list, h->n, &h->cap, sizeof *h->list);
    h->list[h->n++] = *conf;
    if (text.len > 0)
        map_add(&h->shared, b->scratch, text, slot);
    return *slot;
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

    b->handlers.n_own++;
    if (b->current != NULL)
        hash = fold(hash, b->current->site->name);
    return fold_node(hash, d->node);
}

/* ---- rows ---- */

/* The path of a file, in the configuration's arena. Rows of one file come one after the other. */
static struct str keep_file(struct conf_builder *b, struct str file)
{
    struct handlers *h = &b->handlers;

    if (file.p != h->file_source) {
        h->file_source = file.p;
        h->file = arena_str(b->arena, file);
    }
    return h->file;
}

/* Fills in the new handler's conf. *shareable: it depends on nothing but its words, nor does what
 * is in its block. */
static int set_handler(struct conf_builder *b, const struct directive *row,
                       struct directive_args *d, bool *shareable)
{
    const struct matcher matcher = *d->row_matcher;
    const unsigned n_own = b->handlers.n_own;

    if (row->set(d) != 0)
        return -1;
    if (row->own || matcher.all != d->row_matcher->all || matcher.n != d->row_matcher->n)
        b->handlers.n_own++;
    *shareable = b->handlers.n_own == n_own;
    return 0;
}

/* The handler of a directive: one that says the same, or a new one. */
static int handler_of(struct conf_builder *b, const struct directive *row, struct directive_args *d,
                      uint32_t *slot)
{
    struct str text = says(b, row, d);
    struct handler_conf conf = {.type = row->type, .line = d->node->words[0].line, .row = row};
    bool shareable;

    if (find_shared(b, text, slot))
        return 0;
    conf.file = keep_file(b, d->node->words[0].file);
    d->target = arena_alloc(b->arena, row->conf_size > 0 ? row->conf_size : 1);
    conf.conf = d->target;
    if (b->keep_source)
        conf.source = source_keep(b->arena, d);
    if (set_handler(b, row, d, &shareable) != 0)
        return -1;
    *slot = add_handler(b, &conf, shareable ? text : STR_LIT(""));
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

/* A route with the same rows is there once. */
static struct route shared_route(struct conf_builder *b, const struct handler_row *rows, size_t n)
{
    struct str key = {(const char *)rows, n * sizeof *rows};
    struct handler_row *list = n == 0 ? NULL : map_find(&b->handlers.routes, key);

    if (list == NULL && n > 0) {
        list = arena_alloc(b->arena, key.len);
        memcpy(list, rows, key.len);
        map_add(&b->handlers.routes, b->scratch, (struct str){(const char *)list, key.len}, list);
    }
    return (struct route){list, n};
}

struct route rows_compile(struct conf_builder *b, struct rows *rows, bool sorted)
{
    struct handler_row *list = arena_alloc(b->scratch, (rows->n + 1) * sizeof *list);

    if (sorted)
        order_sort(&b->order, rows->list, rows->n);
    for (size_t i = 0; i < rows->n; i++)
        list[i] = rows->list[i].row;
    return shared_route(b, list, rows->n);
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
    return map_find(&b->routes.by_name, name);
}

void named_routes_add(struct conf_builder *b, const struct node *node)
{
    const struct token *t = &node->words[0];
    struct named_routes *routes = &b->routes;
    struct str name = str_from(t->text, 2);
    const struct named_route *before;
    struct named_route *route;

    if (node->n_words > 1 || !node->has_block || !str_ends(t->text, STR_LIT(")")) ||
        t->text.len < 4) {
        diag_error(b->diag, t, "a named route is written '&(name) {', with a block");
        return;
    }
    name.len--;
    before = find_route(b, name);
    if (before != NULL) {
        diag_error(b->diag, t, "named route '" STR_FMT "' was already defined in line %u",
                   STR_ARG(name), before->node->words[0].line);
        return;
    }
    route = arena_alloc(b->scratch, sizeof *route);
    *route = (struct named_route){name, node, arena_alloc(b->arena, sizeof *route->route)};
    routes->list =
        arena_grow(b->scratch, routes->list, routes->n, &routes->cap, sizeof(*routes->list));
    routes->list[routes->n++] = route;
    map_add(&routes->by_name, b->scratch, name, route);
}

void named_routes_build(struct conf_builder *b)
{
    for (size_t i = 0; i < b->routes.n; i++)
        (void)build_route(b, b->routes.list[i]->node, true, b->routes.list[i]->route);
}

const struct route *directive_named_route(const struct directive_args *d, const struct token *t)
{
    struct conf_builder *b = d->builder;
    const struct named_route *found = find_route(b, t->text);
    struct nearest nearest;

    if (found != NULL)
        return found->route;
    nearest_init(&nearest, t->text);
    for (size_t i = 0; i < b->routes.n && !diag_is_full(b->diag); i++)
        nearest_offer(&nearest, b->routes.list[i]->name);
    diag_unknown(b->diag, t, "named route", &nearest);
    return NULL;
}
