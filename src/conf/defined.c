#include "conf/defined.h"

#include "conf/build.h"

static size_t place_of(const struct defined *d, struct str name)
{
    size_t i = str_hash_nocase(name) & (d->cap - 1);

    while (d->table[i].p != NULL && !str_eq(d->table[i], name))
        i = (i + 1) & (d->cap - 1);
    return i;
}

bool defined_has(const struct defined *d, struct str name)
{
    return d->n > 0 && d->table[place_of(d, name)].p != NULL;
}

static void grow(struct defined *d, struct arena *a)
{
    const struct defined old = *d;

    d->cap = old.cap == 0 ? 16 : old.cap * 2;
    d->table = arena_alloc(a, d->cap * sizeof *d->table);
    for (size_t i = 0; i < old.cap; i++)
        if (old.table[i].p != NULL)
            d->table[place_of(d, old.table[i])] = old.table[i];
}

static void add(struct defined *d, struct arena *a, struct str name)
{
    if (defined_has(d, name))
        return;
    if ((d->n + 1) * 2 > d->cap)
        grow(d, a);
    d->table[place_of(d, name)] = name;
    d->n++;
}

struct str defined_name(struct str word)
{
    struct str name = {NULL, 0};

    if (word.len < 3 || word.p[0] != '{' || str_chr(word, '}') != word.len - 1)
        return name;
    name = (struct str){word.p + 1, word.len - 2};
    for (size_t i = 0; i < name.len; i++)
        if ((unsigned char)name.p[i] <= ' ' || memchr("{\"\\`", name.p[i], 4) != NULL)
            return (struct str){NULL, 0};
    return name;
}

struct str defined_variable(struct arena *a, struct str name)
{
    return arena_printf(a, "map." STR_FMT, STR_ARG(name));
}

void defined_offer(const struct defined *d, struct nearest *n)
{
    for (size_t i = 0; i < d->cap; i++)
        if (d->table[i].p != NULL)
            nearest_offer(n, d->table[i]);
}

/* ---- the walk ---- */

static const struct directive *find_row(const struct conf_builder *b, struct str name)
{
    for (size_t i = 0; b->tables[i] != NULL; i++)
        for (const struct directive *row = b->tables[i]; row->name != NULL; row++)
            if (row->defines > 0 && str_is(name, row->name))
                return row;
    return NULL;
}

static void gather_words(struct conf_builder *b, const struct directive *row,
                         const struct node *node)
{
    struct directive_args d = build_args(b, node, NULL);
    size_t first = row->defines + (matcher_comes_first(row, &d) ? 1 : 0);

    for (size_t i = first; i < d.n_args; i++) {
        struct str name = defined_name(d.args[i].text);

        if (name.p != NULL)
            add(&b->defined, b->scratch, name);
    }
}

/* The parser bounds the depth. */
static void gather_node(struct conf_builder *b, const struct node *node)
{
    const struct directive *row = node->n_words > 0 ? find_row(b, node->words[0].text) : NULL;

    if (row != NULL)
        gather_words(b, row, node);
    for (size_t i = 0; row == NULL && i < node->n_children; i++)
        gather_node(b, &node->children[i]);
}

void defined_gather(struct conf_builder *b, const struct nodes *top)
{
    for (size_t i = 0; i < top->n; i++)
        gather_node(b, &top->list[i]);
}
