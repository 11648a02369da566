#include "conf/parser.h"

#include <assert.h>

struct parser {
    struct arena *arena;
    struct diag *diag;
    const struct lexeme *list;
    size_t n;
    size_t at;
    unsigned depth;
    bool broken; /* nested too deep: what follows is not looked at */
};

static bool at_end(const struct parser *p)
{
    return p->at == p->n;
}

static const struct token *current(const struct parser *p)
{
    return &p->list[p->at].token;
}

static bool starts_line(const struct parser *p)
{
    return p->list[p->at].starts_line;
}

static bool is_word(const struct token *t, const char *word)
{
    return !t->quoted && str_is(t->text, word);
}

static bool at_word(const struct parser *p, const char *word)
{
    return !at_end(p) && is_word(current(p), word);
}

/* Appends a node, growing the list by doubling. */
static struct node *add_node(struct parser *p, struct nodes *nodes, size_t *cap)
{
    nodes->list = arena_grow(p->arena, nodes->list, nodes->n, cap, sizeof *nodes->list);
    return &nodes->list[nodes->n++];
}

/* ---- blocks ---- */

static void parse_children(struct parser *p, struct node *parent);

/* The closing brace of a block. What follows it on its line is an error, and looked at as if it
 * began a line. A block that is written in one line is one mistake. */
static void parse_close(struct parser *p, struct node *node, const struct token *open)
{
    if (!starts_line(p) && current(p)->line != open->line)
        diag_error(p->diag, current(p), "'}' must stand on a line of its own");
    node->close = *current(p);
    p->at++;
    if (!at_end(p) && !starts_line(p) && !at_word(p, "}"))
        diag_error(p->diag, current(p), "unexpected '" STR_FMT "' after '}'",
                   STR_ARG(current(p)->text));
}

/* A block, from its opening brace. */
static void parse_block(struct parser *p, struct node *node)
{
    const struct token *open = current(p);

    node->has_block = true;
    p->at++;
    if (p->depth == PARSER_DEPTH_MAX) {
        diag_error(p->diag, open, "blocks are nested deeper than %d", PARSER_DEPTH_MAX);
        p->broken = true;
        p->at = p->n;
        return;
    }
    if (!at_end(p) && !starts_line(p) && !at_word(p, "}"))
        diag_error(p->diag, current(p),
                   "unexpected '" STR_FMT "' after '{' on the same line: it belongs on the next",
                   STR_ARG(current(p)->text));
    p->depth++;
    parse_children(p, node);
    p->depth--;
    assert(p->broken || !at_end(p)); /* conf/braces.h */
    if (!at_end(p))
        parse_close(p, node, open);
}

/* One line: its words up to the line end or a brace. */
static void parse_words(struct parser *p, struct node *node)
{
    const size_t start = p->at;
    struct token *words;

    do
        p->at++;
    while (!at_end(p) && !starts_line(p) && !at_word(p, "{") && !at_word(p, "}"));
    node->n_words = p->at - start;
    words = arena_alloc(p->arena, node->n_words * sizeof *words);
    for (size_t i = 0; i < node->n_words; i++)
        words[i] = p->list[start + i].token;
    node->words = words;
    if (is_word(&words[node->n_words - 1], "{}"))
        diag_error(p->diag, &words[node->n_words - 1],
                   "write an empty block as '{', a line end and '}'");
}

/* A brace that begins a line: its block is taken to be that of the directive before. */
static void parse_stray_block(struct parser *p, struct node *before)
{
    struct node unused = {0};

    diag_error(p->diag, current(p), "'{' must stand at the end of the line before");
    parse_block(p, before == NULL || before->has_block ? &unused : before);
}

/* The directives of a block up to its closing brace, or of a site without braces up to the end of
 * the file. */
static void parse_children(struct parser *p, struct node *parent)
{
    struct nodes children = {NULL, 0};
    size_t cap = 0;

    while (!at_end(p) && !at_word(p, "}")) {
        struct node *node;

        if (at_word(p, "{")) {
            parse_stray_block(p, children.n == 0 ? NULL : &children.list[children.n - 1]);
            continue;
        }
        node = add_node(p, &children, &cap);
        parse_words(p, node);
        if (at_word(p, "{") && !starts_line(p))
            parse_block(p, node);
    }
    parent->children = children.list;
    parent->n_children = children.n;
}

/* ---- the top level ---- */

/* One address token, without the comma that may end it. True: another one follows it. */
static bool parse_address(struct parser *p, struct node *node, size_t *cap)
{
    struct token t = *current(p);
    bool comma = str_ends(t.text, STR_LIT(","));

    if (comma)
        t.text.len--;
    if (t.text.len > 0) {
        struct token *words =
            arena_grow(p->arena, (void *)node->words, node->n_words, cap, sizeof t);

        words[node->n_words++] = t;
        node->words = words;
    }
    p->at++;
    if (comma && (at_end(p) || at_word(p, "{"))) {
        diag_error(p->diag, &p->list[p->at - 1].token, "an address must follow the comma");
        return false;
    }
    return comma || !(at_end(p) || starts_line(p) || at_word(p, "{"));
}

/* Addresses are parted by spaces or commas; after a comma they may go on in the next line. */
static void parse_site(struct parser *p, struct node *node)
{
    size_t cap = 0;

    while (parse_address(p, node, &cap))
        continue;
    if (at_word(p, "{"))
        parse_block(p, node);
    else
        parse_children(p, node);
}

int parser_run(struct arena *a, struct diag *d, const struct lexemes *in, struct nodes *out)
{
    struct parser p = {.arena = a, .diag = d, .list = in->list, .n = in->n};
    size_t cap = 0;

    *out = (struct nodes){NULL, 0};
    while (!at_end(&p)) {
        assert(!at_word(&p, "}")); /* conf/braces.h */
        if (at_word(&p, "{")) {
            if (out->n > 0)
                diag_error(d, current(&p), "the block of global options must come first");
            parse_block(&p, add_node(&p, out, &cap));
        } else {
            parse_site(&p, add_node(&p, out, &cap));
        }
    }
    return p.broken ? -1 : 0;
}
