#include "handlers/uri_query.h"

#include "base/alloc.h"
#include "base/regex.h"
#include "http/placeholder.h"
#include "http/query.h"
#include "http/rewrite.h"

/* In the order in which they are carried out. */
enum query_op_kind { QUERY_RENAME, QUERY_SET, QUERY_ADD, QUERY_REPLACE, QUERY_DELETE };

struct query_op {
    enum query_op_kind kind;
    struct text key;    /* QUERY_REPLACE: "*" stands for all */
    struct text value;  /* QUERY_RENAME: the new key */
    struct regex *find; /* QUERY_REPLACE */
};

/* ---- configuration ---- */

static void insert(const struct directive_args *d, struct query_ops *ops, const struct query_op *op)
{
    size_t at = ops->n;

    ops->list = arena_grow(d->arena, ops->list, ops->n, &ops->cap, sizeof *ops->list);
    for (; at > 0 && ops->list[at - 1].kind > op->kind; at--)
        ops->list[at] = ops->list[at - 1];
    ops->list[at] = *op;
    ops->n++;
}

/* A part of a word, with the place of the word. */
static struct token part_of(const struct token *t, size_t from, size_t to)
{
    struct token part = *t;

    part.text = (struct str){t->text.p + from, to - from};
    return part;
}

static struct token without_sign(const struct token *t, char sign)
{
    size_t from = 0;

    while (from < t->text.len && t->text.p[from] == sign)
        from++;
    return part_of(t, from, t->text.len);
}

/* The kind, by the sign at the key and the number of words, as Caddy tells them apart. */
static enum query_op_kind kind_of(const struct token *words, size_t n)
{
    if (str_starts(words[0].text, STR_LIT("-")))
        return QUERY_DELETE;
    if (str_starts(words[0].text, STR_LIT("+")))
        return QUERY_ADD;
    if (str_chr(words[0].text, '>') < words[0].text.len)
        return QUERY_RENAME;
    return n == 3 ? QUERY_REPLACE : QUERY_SET;
}

static const struct {
    size_t n_words;
    const char *form;
} forms[] = {
    [QUERY_RENAME] = {1, "KEY>NEW_KEY"},
    [QUERY_SET] = {2, "KEY VALUE"},
    [QUERY_ADD] = {2, "+KEY VALUE"},
    [QUERY_DELETE] = {1, "-KEY"},
    [QUERY_REPLACE] = {3, "KEY FIND REPLACEMENT"},
};

static int add_op(const struct directive_args *d, const struct token *words, size_t n,
                  struct query_ops *ops)
{
    struct query_op op = {.kind = kind_of(words, n)};
    struct token key = words[0], value = words[n - 1];

    if (n != forms[op.kind].n_words)
        return directive_error(d, &words[0], "this is written '%s'", forms[op.kind].form);
    if (op.kind == QUERY_DELETE || op.kind == QUERY_ADD)
        key = without_sign(&key, key.text.p[0]);
    if (op.kind == QUERY_RENAME) {
        size_t mark = str_chr(key.text, '>');

        value = part_of(&key, mark + 1, key.text.len);
        key = part_of(&key, 0, mark);
    }
    if (key.text.len == 0 || (op.kind == QUERY_RENAME && value.text.len == 0))
        return directive_error(d, &words[0], "the key is missing: '%s'", forms[op.kind].form);
    if (directive_text(d, &key, &op.key) != 0)
        return -1;
    if (op.kind == QUERY_REPLACE && directive_replacement(d, &value, &op.value) != 0)
        return -1;
    if (op.kind != QUERY_REPLACE && op.kind != QUERY_DELETE &&
        directive_text(d, &value, &op.value) != 0)
        return -1;
    if (op.kind == QUERY_REPLACE) {
        op.find = directive_regex(d, &words[1]);
        if (op.find == NULL)
            return -1;
    }
    insert(d, ops, &op);
    return 0;
}

int query_ops_set(const struct directive_args *d, size_t first, struct query_ops *out)
{
    int rc = 0;

    if (d->n_args > first && d->node->has_block)
        return directive_error(d, &d->node->words[0],
                               "a query is changed by arguments or by a block, not by both");
    if (d->n_args > first)
        return add_op(d, d->args + first, d->n_args - first, out);
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (line->has_block)
            rc = directive_error(d, &line->words[0], "this has no block");
        else if (add_op(d, line->words, line->n_words, out) != 0)
            rc = -1;
    }
    if (rc == 0 && out->n == 0)
        return directive_error(d, &d->node->words[0], "'uri query' needs a key, or a block");
    return rc;
}

/* ---- at an exchange ---- */

/* False: the query would become too long. */
static bool replace(const struct query_op *op, struct exchange *ex, struct query *q, struct str key,
                    struct str with)
{
    size_t len = 0;

    for (size_t i = 0; i < q->n && len <= REWRITE_MAX; i++) {
        struct query_pair *pair = &q->list[i];

        if (str_is(key, "*") || str_eq(pair->key, key))
            pair->value = regex_replace(op->find, ex->arena, pair->value, with);
        len += pair->key.len + pair->value.len;
    }
    return len <= REWRITE_MAX;
}

static bool run_op(const struct query_op *op, struct exchange *ex, struct query *q)
{
    struct str key = text_expand(&op->key, ex), value = text_expand(&op->value, ex);

    if (key.len == 0)
        return true;
    switch (op->kind) {
    case QUERY_RENAME:
        if (value.len > 0)
            query_rename(q, key, value);
        break;
    case QUERY_SET:
        query_set(q, ex->arena, key, value);
        break;
    case QUERY_ADD:
        query_add(q, ex->arena, key, value);
        break;
    case QUERY_REPLACE:
        return replace(op, ex, q, key, value);
    case QUERY_DELETE:
        query_remove(q, key);
        break;
    }
    return true;
}

int query_ops_run(const struct query_ops *ops, struct exchange *ex)
{
    struct query q = query_parse(ex->arena, ex->query);

    for (size_t i = 0; i < ops->n; i++)
        if (!run_op(&ops->list[i], ex, &q))
            return 414;
    return rewrite_set_query(ex, query_encode(ex->arena, &q));
}
