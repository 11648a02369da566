#include "conf/braces.h"

struct open_brace {
    struct lexeme *lexeme;
    unsigned indent; /* the column of the first word of its line */
};

/* Braces that are where their line's indentation does not let expect them: the first of each kind.
 * When the counts are wrong, the mistake is most likely there. */
struct suspects {
    const struct token *open;  /* closed by a brace that stands further left than its line */
    const struct token *close; /* stands further right than the line of what it closes */
    unsigned close_of;         /* the line of that */
    const struct token *glued; /* a word that ends its line with '{' */
};

static void suspect(struct suspects *s, const struct open_brace *open, const struct lexeme *close)
{
    if (!close->starts_line)
        return;
    if (s->open == NULL && close->token.column < open->indent)
        s->open = &open->lexeme->token;
    if (s->close == NULL && close->token.column > open->indent) {
        s->close = &close->token;
        s->close_of = open->lexeme->token.line;
    }
}

static bool is_glued(const struct lexemes *in, size_t i)
{
    const struct token *t = &in->list[i].token;

    return !t->quoted && t->text.len > 1 && str_ends(t->text, STR_LIT("{")) &&
           (i + 1 == in->n || in->list[i + 1].starts_line);
}

/* "{{" or "}}": only braces, and more than one. */
static bool is_doubled(const struct token *t, char brace)
{
    size_t n = 0;

    while (n < t->text.len && t->text.p[n] == brace)
        n++;
    return !t->quoted && n > 1 && n == t->text.len;
}

static int report_doubled(struct diag *d, const struct token *open)
{
    return diag_error(d, open, "a block begins with one '{'");
}

static int report_stray(struct diag *d, const struct suspects *s, const struct token *stray,
                        const struct token *closed)
{
    if (s->glued != NULL && is_doubled(s->glued, '{'))
        return report_doubled(d, s->glued);
    if (s->glued != NULL)
        return diag_error(d, s->glued, "a blank is missing before the '{' that ends this word");
    if (s->close != NULL && s->close->column != stray->column)
        return diag_error(d, s->close,
                          "one '}' too many: by its place it is not that of the '{' in line %u, "
                          "which it closes",
                          s->close_of);
    if (closed != NULL)
        return diag_error(d, stray,
                          "unexpected '}': no block is open here, the one before was closed in "
                          "line %u",
                          closed->line);
    return diag_error(d, stray, "unexpected '}': no block is open here");
}

int braces_match(struct arena *a, struct diag *d, struct lexemes *in)
{
    struct suspects suspects = {0};
    struct open_brace *stack = NULL;
    const struct token *closed = NULL;
    size_t depth = 0, cap = 0;
    unsigned indent = 1;

    for (size_t i = 0; i < in->n; i++) {
        struct lexeme *l = &in->list[i];

        if (l->starts_line)
            indent = l->token.column;
        if (suspects.glued == NULL && is_glued(in, i))
            suspects.glued = &l->token;
        if (l->starts_line && is_doubled(&l->token, '}'))
            return suspects.glued != NULL && is_doubled(suspects.glued, '{')
                       ? report_doubled(d, suspects.glued)
                       : diag_error(d, &l->token, "each '}' stands on a line of its own");
        if (lexeme_is(l, "{")) {
            stack = arena_grow(a, stack, depth, &cap, sizeof *stack);
            stack[depth++] = (struct open_brace){l, indent};
        } else if (lexeme_is(l, "}")) {
            if (depth == 0)
                return report_stray(d, &suspects, &l->token, closed);
            closed = &l->token;
            suspect(&suspects, &stack[--depth], l);
            stack[depth].lexeme->to_close = (unsigned)(l - stack[depth].lexeme);
        }
    }
    if (depth == 0)
        return 0;
    return diag_error(d, suspects.open != NULL ? suspects.open : &stack[depth - 1].lexeme->token,
                      "this '{' is never closed");
}
