#include "conf/source.h"

#include "base/buf.h"

enum { LINE_MAX_LEN = 1 << 20 };

/* Whether a word means the same without quotes. */
static bool is_plain(const struct token *t)
{
    if (t->text.len == 0 || str_is(t->text, "{") || str_is(t->text, "}"))
        return false;
    for (size_t i = 0; i < t->text.len; i++)
        if ((unsigned char)t->text.p[i] <= ' ' || strchr("\"`;#", t->text.p[i]) != NULL)
            return false;
    return true;
}

static int put_word(struct buf *b, const struct token *t)
{
    int rc;

    if (is_plain(t))
        return buf_append_str(b, t->text);
    rc = buf_putc(b, '"');
    for (size_t i = 0; i < t->text.len && rc == 0; i++) {
        if (t->text.p[i] == '"')
            rc = buf_putc(b, '\\');
        if (rc == 0)
            rc = buf_putc(b, t->text.p[i]);
    }
    return rc == 0 ? buf_putc(b, '"') : rc;
}

static int put_node(struct buf *b, const struct node *node, size_t first)
{
    int rc = 0;

    for (size_t i = first; i < node->n_words && rc == 0; i++) {
        if (i > first)
            rc = buf_putc(b, ' ');
        if (rc == 0)
            rc = put_word(b, &node->words[i]);
    }
    if (!node->has_block || rc != 0)
        return rc;
    rc = buf_puts(b, " {");
    for (size_t i = 0; i < node->n_children && rc == 0; i++) {
        rc = buf_puts(b, i > 0 ? "; " : " ");
        if (rc == 0)
            rc = put_node(b, &node->children[i], 0);
    }
    return rc == 0 ? buf_puts(b, " }") : rc;
}

struct str source_line(struct arena *a, const struct node *node, size_t first)
{
    struct buf b = BUF_INIT(LINE_MAX_LEN);
    struct str line;

    /* What is longer is cut: it is only to be read. */
    (void)!put_node(&b, node, first);
    line = arena_str(a, buf_str(&b));
    buf_fini(&b);
    return line;
}

const struct source *source_keep(struct arena *a, const struct directive_args *d)
{
    struct source *s = arena_alloc(a, sizeof *s);
    struct str *arguments = arena_alloc(a, (d->n_args + 1) * sizeof *arguments);
    struct str *lines = arena_alloc(a, (d->node->n_children + 1) * sizeof *lines);

    for (size_t i = 0; i < d->n_args; i++)
        arguments[i] = arena_str(a, d->args[i].text);
    for (size_t i = 0; i < d->node->n_children; i++)
        lines[i] = source_line(a, &d->node->children[i], 0);
    s->arguments = arguments;
    s->n_arguments = d->n_args;
    s->lines = lines;
    s->n_lines = d->node->n_children;
    return s;
}
