#include "conf/format.h"

#include "conf/pieces.h"

#define BYTE_ORDER_MARK STR_LIT("\xef\xbb\xbf")

enum { BLANK_LINES_MAX = 1 };

struct layout {
    struct buf *out;
    struct piece last;
    unsigned depth;
    bool line_is_import; /* the line is an import outside of all blocks */
    bool full;           /* out could not take all */
};

/* ---- how braces stand ---- */

/* Whether each brace has its other one. */
static bool is_paired(struct str text, enum split split)
{
    struct pieces s;
    struct piece p;
    size_t depth = 0;

    pieces_init(&s, text, split);
    do {
        p = pieces_next(&s);
        if (p.kind == PIECE_CLOSE && depth == 0)
            return false;
        depth += p.kind == PIECE_OPEN;
        depth -= p.kind == PIECE_CLOSE;
    } while (p.kind != PIECE_END);
    return depth == 0;
}

static enum split choose_split(struct str text)
{
    if (is_paired(text, SPLIT_NONE))
        return SPLIT_NONE;
    return is_paired(text, SPLIT_ALL) ? SPLIT_ALL : SPLIT_CLOSES;
}

/* ---- output ---- */

static void put(struct layout *l, struct str text)
{
    if (buf_append_str(l->out, text) != 0)
        l->full = true;
}

/* Text as it is, but for CRs before line ends. */
static void put_raw(struct layout *l, struct str text)
{
    while (text.p != NULL) {
        struct str line = str_cut(&text, '\n');

        while (str_ends(line, STR_LIT("\r")))
            line.len--;
        put(l, line);
        if (text.p != NULL)
            put(l, STR_LIT("\n"));
    }
}

static void put_tabs(struct layout *l)
{
    for (unsigned i = 0; i < l->depth && i < FORMAT_INDENT_MAX; i++)
        put(l, STR_LIT("\t"));
}

static bool ends_with(const struct layout *l, const char *end)
{
    return str_ends(buf_str(l->out), str_of(end));
}

/* A line end right behind a backslash would be taken away by it. */
static bool takes_line_end(const struct piece *p)
{
    return p->kind == PIECE_WORD && str_ends(p->text, STR_LIT("\\"));
}

/* What must stay between a word and its line end: spaces do not keep a backslash from it. */
static void put_guard(struct layout *l)
{
    if (takes_line_end(&l->last))
        put(l, STR_LIT("\xc2\xa0"));
    else if (piece_begins_heredoc(&l->last))
        put(l, STR_LIT(" "));
}

static void put_newlines(struct layout *l, size_t n)
{
    put_guard(l);
    for (; n > 0; n--)
        put(l, STR_LIT("\n"));
    put_tabs(l);
}

/* ---- between two pieces ---- */

static size_t min_newlines(size_t n)
{
    return n > BLANK_LINES_MAX + 1 ? BLANK_LINES_MAX + 1 : n;
}

static size_t newlines_before_open(const struct layout *l, const struct piece *p)
{
    switch (l->last.kind) {
    case PIECE_CLOSE:
        return l->depth == 0 ? 2 : 1;
    case PIECE_OPEN:
    case PIECE_COMMENT:
        return 1;
    case PIECE_NONE:
    case PIECE_WORD:
    case PIECE_CONTINUATION:
    case PIECE_END:
        break;
    }
    /* It goes to the end of the line before; but global options may follow an import. */
    return p->newlines > 0 && l->line_is_import ? 1 : 0;
}

static size_t newlines_before(const struct layout *l, const struct piece *p)
{
    if (l->last.kind == PIECE_NONE || (p->newlines == 0 && takes_line_end(&l->last)))
        return 0;
    if (p->kind == PIECE_OPEN)
        return newlines_before_open(l, p);
    if (p->kind == PIECE_CLOSE || l->last.kind == PIECE_OPEN)
        return 1;
    /* The line end of a comment does not count: two blank lines may follow it. */
    if (l->last.kind == PIECE_COMMENT)
        return 1 + min_newlines(p->newlines - 1);
    if (l->last.kind == PIECE_CLOSE && p->newlines == 0 && l->depth == 0)
        return 2;
    if (l->last.kind == PIECE_CLOSE && p->newlines == 0)
        return p->kind == PIECE_COMMENT ? 0 : 1;
    return min_newlines(p->newlines);
}

static void put_space_before(struct layout *l, const struct piece *p)
{
    size_t newlines = newlines_before(l, p);

    if (newlines > 0)
        put_newlines(l, newlines);
    else if (l->last.kind == PIECE_NONE)
        return;
    else if (l->last.kind == PIECE_CLOSE)
        put_tabs(l); /* before a comment */
    else if (p->spaced || p->kind == PIECE_OPEN)
        put(l, STR_LIT(" "));
}

static bool is_import(const struct layout *l, const struct piece *p)
{
    return l->depth == 0 && p->kind == PIECE_WORD && str_is(p->text, "import");
}

static void put_piece(struct layout *l, const struct piece *p)
{
    /* At the start of the text it would be no part of the word any more. */
    if (l->out->len == 0 && str_starts(p->text, BYTE_ORDER_MARK))
        put(l, BYTE_ORDER_MARK);
    if (p->kind == PIECE_CLOSE && l->depth > 0)
        l->depth--;
    put_space_before(l, p);
    if (p->newlines > 0 || l->last.kind == PIECE_NONE)
        l->line_is_import = is_import(l, p);
    if (p->kind == PIECE_CONTINUATION)
        put(l, STR_LIT("\\\n"));
    else
        put_raw(l, p->text);
    if (p->kind == PIECE_OPEN)
        l->depth++;
    l->last = *p;
}

/* The last line gets an end, unless that would be taken away. */
static void put_end(struct layout *l)
{
    if (l->last.kind == PIECE_COMMENT)
        while (ends_with(l, " ") || ends_with(l, "\t") || ends_with(l, "\r"))
            l->out->p[--l->out->len] = '\0';
    if (ends_with(l, "\n") || takes_line_end(&l->last))
        return;
    put_guard(l);
    put(l, STR_LIT("\n"));
}

int format_text(struct str text, struct buf *out)
{
    struct layout l = {.out = out};
    struct pieces s;

    if (str_starts(text, BYTE_ORDER_MARK)) {
        put(&l, BYTE_ORDER_MARK);
        text = str_from(text, BYTE_ORDER_MARK.len);
    }
    pieces_init(&s, text, choose_split(text));
    for (struct piece p = pieces_next(&s); p.kind != PIECE_END && !l.full; p = pieces_next(&s))
        put_piece(&l, &p);
    put_end(&l);
    return l.full ? -1 : 0;
}
