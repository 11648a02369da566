#include "conf/build.h"

#include "base/alloc.h"
#include "conf/foreign.h"

static const struct directive *find(const struct vocabulary *v, struct str name, unsigned place)
{
    for (size_t i = 0; v->tables[i] != NULL; i++)
        for (const struct directive *row = v->tables[i]; row->name != NULL; row++)
            if (str_is(name, row->name) && (place == 0 || (row->places & place) != 0))
                return row;
    return NULL;
}

static const struct refused *find_refused(const struct refused *list, struct str word)
{
    for (; list != NULL && list->name != NULL; list++)
        if (str_is(word, list->name))
            return list;
    return NULL;
}

/* ---- names that mean nothing here ---- */

/* A directive that looks like an address: the mistake is in the braces before it. */
static bool is_address_like(const struct node *node)
{
    struct str name = node->words[0].text;

    return (node->has_block || node->n_words == 1) &&
           (str_chr(name, '.') < name.len || str_chr(name, ':') < name.len ||
            str_is(name, "localhost"));
}

/* Where a known directive belongs that stands in the wrong place; NULL for any other word. */
static const char *right_place(const struct vocabulary *v, struct str name)
{
    if (v->place == 0)
        return NULL;
    if (v->place == IN_HANDLERS && find(v, name, IN_SITE | IN_ERRORS) != NULL)
        return "belongs directly in the block of a site";
    if (find(v, name, IN_GLOBAL) != NULL)
        return "is a global option: it belongs in a block without an address at the top of the "
               "file";
    return find(v, name, 0) != NULL ? "belongs in the block of a site" : NULL;
}

/* Lines end with ';' elsewhere. */
static struct str without_semicolon(struct str name)
{
    while (str_ends(name, STR_LIT(";")))
        name.len--;
    return name;
}

/* Words of other servers and of plugins. True: it was one, and that is reported. */
static bool report_foreign(struct conf_builder *b, const struct vocabulary *v,
                           const struct token *t)
{
    struct str name = without_semicolon(t->text);
    const char *instead = (v->place & IN_HANDLERS) != 0 ? foreign_instead(name) : NULL;

    if (instead != NULL)
        diag_error(b->diag, t, "'" STR_FMT "' is no directive: %s", STR_ARG(name), instead);
    else if (v->place != 0 && foreign_is_plugin(name))
        diag_error(b->diag, t,
                   "'" STR_FMT "' belongs to a plugin of Caddy that Lintel does not have",
                   STR_ARG(name));
    else if ((v->place & IN_HANDLERS) != 0 && matcher_is_type(b, name))
        diag_error(b->diag, t,
                   "'" STR_FMT "' is a matcher: write '@name " STR_FMT
                   " ...', and '@name' behind a "
                   "directive",
                   STR_ARG(name), STR_ARG(name));
    else if (name.len < t->text.len && find(v, name, v->place) != NULL)
        diag_error(b->diag, t, "no ';' ends a line: write '" STR_FMT "'", STR_ARG(name));
    else
        return false;
    return true;
}

static void report_unknown(struct conf_builder *b, const struct vocabulary *v,
                           const struct node *node)
{
    const struct token *name = &node->words[0];
    struct nearest nearest;
    const char *place;

    if (v->place == IN_GLOBAL && matcher_is_definition(node)) {
        diag_error(b->diag, name, "matchers ('" STR_FMT "') belong in the block of a site",
                   STR_ARG(name->text));
        return;
    }
    place = right_place(v, name->text);
    if (place != NULL) {
        diag_error(b->diag, name, "'" STR_FMT "' %s", STR_ARG(name->text), place);
        return;
    }
    if (v->place == IN_GLOBAL && node->has_block && is_address_like(node)) {
        diag_error(b->diag, name,
                   "'" STR_FMT "' is no global option; if it is a site, it stands outside of this "
                   "block",
                   STR_ARG(name->text));
        return;
    }
    if ((v->place & IN_HANDLERS) != 0 && is_address_like(node)) {
        diag_error(b->diag, name,
                   "'" STR_FMT "' is no directive; if it is another site, the site before it must "
                   "have its own braces",
                   STR_ARG(name->text));
        return;
    }
    if (report_foreign(b, v, name))
        return;
    nearest_init(&nearest, name->text);
    for (size_t i = 0; v->tables[i] != NULL && !diag_is_full(b->diag); i++)
        for (const struct directive *row = v->tables[i]; row->name != NULL; row++)
            if (v->place == 0 || (row->places & v->place) != 0)
                nearest_offer(&nearest, str_of(row->name));
    diag_unknown(b->diag, name, v->what, &nearest);
}

static const struct directive *lookup(struct conf_builder *b, const struct vocabulary *v,
                                      const struct node *node)
{
    const struct token *name = &node->words[0];
    const struct directive *row = find(v, name->text, v->place);
    const struct refused *refused = row == NULL ? find_refused(v->refused, name->text) : NULL;

    if (row != NULL)
        return row;
    if (refused == NULL)
        report_unknown(b, v, node);
    else if (refused->instead == NULL)
        diag_error(b->diag, name, "'%s' is not supported yet", refused->name);
    else
        diag_error(b->diag, name, "'%s' is not supported: %s", refused->name, refused->instead);
    return NULL;
}

/* ---- the checks every row gets ---- */

int build_check(struct conf_builder *b, const struct directive *row, const struct directive_args *d)
{
    const struct token *name = &d->node->words[0];

    if (d->n_args < (size_t)row->min_args)
        return diag_error(b->diag, name, "'%s' needs %s%d argument%s: %s", row->name,
                          row->max_args == row->min_args ? "" : "at least ", row->min_args,
                          row->min_args == 1 ? "" : "s", row->help);
    if (row->max_args >= 0 && d->n_args > (size_t)row->max_args) {
        const struct token *extra = &d->args[row->max_args];

        if (row->max_args == 0)
            return diag_error(b->diag, extra, "'%s' takes no argument", row->name);
        return diag_error(b->diag, extra, "'%s' takes at most %d argument%s: %s", row->name,
                          row->max_args, row->max_args == 1 ? "" : "s", row->help);
    }
    if (d->node->has_block && !row->block)
        return diag_error(b->diag, name, "'%s' has no block", row->name);
    return 0;
}

/* ---- running rows ---- */

struct directive_args build_args(struct conf_builder *b, const struct node *node, void *target)
{
    return (struct directive_args){.builder = b,
                                   .arena = b->arena,
                                   .node = node,
                                   .args = node->words + 1,
                                   .n_args = node->n_words - 1,
                                   .target = target};
}

/* Where a row that may stand only once has been seen in a block. */
struct seen {
    const struct directive *row;
    const struct token *at;
};

enum { SEEN_MAX = 64 }; /* more than any table has rows */

/* The second may stand in another file, or be the first again, imported twice. */
static int report_second(struct conf_builder *b, const struct directive *row,
                         const struct token *first, const struct token *at)
{
    if (!str_eq(first->file, at->file))
        return diag_error(b->diag, at, "'%s' was already given at " STR_FMT ":%u:%u", row->name,
                          STR_ARG(first->file), first->line, first->column);
    if (first->line == at->line && first->column == at->column)
        return diag_error(b->diag, at, "'%s' is imported more than once into the same block",
                          row->name);
    return diag_error(b->diag, at, "'%s' was already given in line %u", row->name, first->line);
}

static int check_first(struct conf_builder *b, struct seen *seen, const struct directive *row,
                       const struct token *at)
{
    size_t i = 0;

    while (i < SEEN_MAX && seen[i].row != NULL && seen[i].row != row)
        i++;
    if (i < SEEN_MAX && seen[i].row == row)
        return report_second(b, row, seen[i].at, at);
    if (i < SEEN_MAX)
        seen[i] = (struct seen){row, at};
    return 0;
}

/* Once, since who writes one writes many. */
static void check_semicolon(struct conf_builder *b, const struct node *node)
{
    const struct token *last = &node->words[node->n_words - 1];

    if (last->quoted || last->text.len < 2 || !str_ends(last->text, STR_LIT(";")) ||
        b->semicolon_seen)
        return;
    b->semicolon_seen = true;
    diag_warn(b->diag, last, "no ';' ends a line: here it is a part of the word");
}

static void build_directive(struct conf_builder *b, const struct vocabulary *v,
                            const struct node *node, struct seen *seen, void *target)
{
    const struct directive *row = lookup(b, v, node);
    struct directive_args d;

    if (row == NULL)
        return;
    check_semicolon(b, node);
    if ((row->places & (IN_HANDLERS | IN_ERRORS)) != 0) {
        rows_add(b, row, node);
        return;
    }
    d = build_args(b, node, target);
    if ((row->repeats || check_first(b, seen, row, &node->words[0]) == 0) &&
        build_check(b, row, &d) == 0)
        (void)row->set(&d); /* It has reported what is wrong. */
}

void build_block(struct conf_builder *b, const struct vocabulary *v, const struct node *parent,
                 void *target)
{
    struct seen seen[SEEN_MAX] = {{NULL, NULL}};
    const bool handlers = (v->place & IN_HANDLERS) != 0;
    struct named_matchers named;

    if (handlers)
        matcher_enter(b, &named, parent);
    for (size_t i = 0; i < parent->n_children; i++)
        if (!handlers || !matcher_is_definition(&parent->children[i]))
            build_directive(b, v, &parent->children[i], seen, target);
    if (handlers)
        matcher_leave(b);
}

int build_check_ordered(struct conf_builder *b, const struct token *name)
{
    const struct vocabulary v = build_handlers_vocabulary(b);
    const struct node node = {.words = name, .n_words = 1};

    return lookup(b, &v, &node) == NULL ? -1 : 0;
}

struct vocabulary build_handlers_vocabulary(const struct conf_builder *b)
{
    return (struct vocabulary){b->tables, IN_HANDLERS, refused_directives, "directive"};
}

int directive_blocks(const struct directive_args *d, const struct directive *const *tables,
                     const struct refused *refused, void *target)
{
    const size_t before = diag_errors(d->builder->diag);
    struct str what =
        arena_printf(d->builder->scratch, STR_FMT " option", STR_ARG(d->node->words[0].text));
    const struct vocabulary v = {tables, 0, refused, what.p};

    build_block(d->builder, &v, d->node, target);
    return diag_errors(d->builder->diag) == before ? 0 : -1;
}

int directive_block(const struct directive_args *d, const struct directive *rows,
                    const struct refused *refused, void *target)
{
    const struct directive *const tables[] = {rows, NULL};

    return directive_blocks(d, tables, refused, target);
}

/* ---- top-level blocks ---- */

static void build_addresses(struct conf_builder *b, const struct node *node,
                            struct site_draft *site)
{
    site->addresses = arena_alloc(b->scratch, node->n_words * sizeof *site->addresses);
    for (size_t i = 0; i < node->n_words; i++) {
        struct site_address *out = &site->addresses[site->n_addresses];
        struct err e;

        out->token = node->words[i];
        if (address_parse(out->token.text, &out->address, &e) == 0)
            site->n_addresses++;
        else
            diag_error(b->diag, &out->token, "%s", e.msg);
    }
}

/* Sites inherit what the tls options say globally. */
static struct site_draft *add_site(struct conf_builder *b, const struct node *node)
{
    struct site_draft *site = arena_alloc(b->scratch, sizeof *site);

    site->site = arena_alloc(b->arena, sizeof *site->site);
    site->site->name = arena_str(b->arena, node->words[0].text);
    site->site->tls = b->global.tls;
    site->site->index = b->n_sites;
    b->n_identities = 0;
    b->sites = arena_grow(b->scratch, b->sites, b->n_sites, &b->cap_sites, sizeof *b->sites);
    b->sites[b->n_sites++] = site;
    return site;
}

static void build_site(struct conf_builder *b, const struct node *node)
{
    const struct vocabulary v = {b->tables, IN_SITE | IN_HANDLERS | IN_ERRORS, refused_directives,
                                 "directive"};

    b->current = add_site(b, node);
    build_addresses(b, node, b->current);
    b->rows = &b->current->rows;
    build_block(b, &v, node, b->current->site);
    b->current->site->route = rows_compile(b, &b->current->rows, true);
    b->current->site->errors = rows_compile(b, &b->current->errors, true);
    b->current = NULL;
}

/* A directive at the top level: the site it is meant for has no address, or ended too early. */
static bool is_lost_directive(struct conf_builder *b, const struct node *node)
{
    const struct vocabulary v = {.tables = b->tables};
    const struct token *t = &node->words[0];

    if (matcher_is_definition(node)) {
        diag_error(b->diag, t, "a named matcher belongs in the block of a site");
        return true;
    }
    if (str_starts(t->text, STR_LIT("<"))) {
        diag_error(b->diag, t, "'" STR_FMT "' is no address: %s", STR_ARG(t->text),
                   foreign_instead(STR_LIT("server")));
        return true;
    }
    if (node->n_words > 1 && !node->has_block && find(&v, t->text, IN_GLOBAL) != NULL &&
        find(&v, t->text, IN_SITE) == NULL) {
        diag_error(b->diag, t,
                   "'" STR_FMT "' is a global option: it belongs in a block without an address at "
                   "the top of the file",
                   STR_ARG(t->text));
        return true;
    }
    if (find(&v, t->text, IN_SITE | IN_HANDLERS | IN_ERRORS) == NULL &&
        find_refused(refused_directives, t->text) == NULL)
        return false;
    diag_error(b->diag, t,
               "'" STR_FMT "' is a directive, and this is the place of an address: write the "
               "address of the site first, or move it into the block of a site",
               STR_ARG(t->text));
    return true;
}

static bool is_named_route(const struct node *node)
{
    return node->n_words > 0 && str_starts(node->words[0].text, STR_LIT("&("));
}

void build_run(struct conf_builder *b, const struct nodes *top)
{
    const struct vocabulary global = {b->tables, IN_GLOBAL, refused_options, "global option"};

    defined_gather(b, top);
    for (size_t i = 0; i < top->n; i++)
        if (top->list[i].n_words == 0)
            build_block(b, &global, &top->list[i], &b->global);
        else if (is_named_route(&top->list[i]))
            named_routes_add(b, &top->list[i]);
    named_routes_build(b);
    for (size_t i = 0; i < top->n; i++) {
        const struct node *node = &top->list[i];

        if (node->n_words > 0 && !is_named_route(node) && !is_lost_directive(b, node))
            build_site(b, node);
    }
}
