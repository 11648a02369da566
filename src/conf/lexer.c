#include "conf/lexer.h"

#include <stdlib.h>

enum { END = -1 };

struct lexer {
    struct arena *arena;
    struct diag *diag;
    struct str file;
    struct str rest;     /* what is left of the file */
    struct str inserted; /* what is left of an environment value: read before rest */
    unsigned line, column;
    unsigned inserted_line, inserted_column; /* where its {$NAME} stood */
    bool new_line;                           /* a line end since the last token */
    struct buf word;
    bool too_long; /* word could not take all */
    struct lexemes *out;
    size_t cap;
};

/* ---- bytes ---- */

/* A word that is too long ends the file: lexer_run() fails then. */
static int peek(const struct lexer *lx)
{
    if (lx->too_long)
        return END;
    if (lx->inserted.len > 0)
        return (unsigned char)lx->inserted.p[0];
    return lx->rest.len > 0 ? (unsigned char)lx->rest.p[0] : END;
}

static struct token here(const struct lexer *lx)
{
    struct token t = {.file = lx->file, .line = lx->line, .column = lx->column};

    if (lx->inserted.len > 0) {
        t.line = lx->inserted_line;
        t.column = lx->inserted_column;
    }
    return t;
}

static void advance(struct lexer *lx)
{
    int c = peek(lx);

    if (lx->inserted.len > 0) {
        lx->inserted = str_from(lx->inserted, 1);
        return;
    }
    lx->rest = str_from(lx->rest, 1);
    if (c == '\n') {
        lx->line++;
        lx->column = 1;
    } else if ((c & 0xc0) != 0x80) { /* columns count characters, not bytes */
        lx->column++;
    }
}

static struct str upcoming(const struct lexer *lx)
{
    return lx->inserted.len > 0 ? lx->inserted : lx->rest;
}

static bool is_no_break_space(struct str s)
{
    return str_starts(s, STR_LIT("\xc2\xa0")); /* comes with text copied from web pages */
}

static bool is_crlf(struct str s)
{
    return str_starts(s, STR_LIT("\r\n"));
}

/* The bytes of white space ahead (a line end counts as one), or 0. */
static size_t space_len(const struct lexer *lx)
{
    struct str s = upcoming(lx);
    int c = peek(lx);

    if (c == ' ' || c == '\t' || c == '\n')
        return 1;
    return is_crlf(s) || is_no_break_space(s) ? 2 : 0;
}

/* Whether a backslash here joins the next line to this one: only blanks stand between them. */
static bool is_continuation(const struct lexer *lx)
{
    struct str s = upcoming(lx);
    size_t i = 1;

    if (peek(lx) != '\\')
        return false;
    while (i < s.len && (s.p[i] == ' ' || s.p[i] == '\t'))
        i++;
    return i < s.len && (s.p[i] == '\n' || is_crlf(str_from(s, i)));
}

/* Reports a control byte. The token goes on without it. */
static bool refuse_control(struct lexer *lx)
{
    int c = peek(lx);
    struct token at = here(lx);

    if (c == END || (c >= 0x20 && c != 0x7f) || c == '\t' || c == '\n')
        return false;
    diag_error(lx->diag, &at, "control byte 0x%02x", (unsigned)c);
    advance(lx);
    return true;
}

/* ---- {$NAME} ---- */

/* Puts the value of an environment variable in the place of its name. False: there is none. */
static bool insert_environment(struct lexer *lx)
{
    struct token at = here(lx);
    struct str inner, name, value;
    const char *found;
    size_t end;

    if (lx->inserted.len > 0 || !str_starts(lx->rest, STR_LIT("{$")))
        return false;
    for (end = 2; end < lx->rest.len && lx->rest.p[end] != '}'; end++)
        if (lx->rest.p[end] == '\n')
            return false;
    if (end == lx->rest.len || end == 2)
        return false;
    inner = (struct str){lx->rest.p + 2, end - 2};
    name = str_cut(&inner, ':');
    value = inner.p == NULL ? STR_LIT("") : inner;
    found = getenv(arena_str(lx->arena, name).p);
    if (found != NULL)
        value = str_of(found); /* nothing changes the environment during a load */
    for (size_t i = 0; i <= end; i++)
        advance(lx);
    lx->inserted = value;
    lx->inserted_line = at.line;
    lx->inserted_column = at.column;
    return true;
}

/* ---- tokens ---- */

/* The ceiling for one token: a file may also insert values of the environment. */
enum { WORD_MAX = 2 * LEXER_TEXT_MAX };

static void take(struct lexer *lx)
{
    char c = (char)peek(lx);

    if (buf_putc(&lx->word, c) != 0)
        lx->too_long = true;
    advance(lx);
}

static void skip_space(struct lexer *lx)
{
    for (size_t n = space_len(lx); n > 0; n--) {
        if (peek(lx) == '\n')
            lx->new_line = true;
        advance(lx);
    }
}

static void skip_comment(struct lexer *lx)
{
    while (peek(lx) != END && peek(lx) != '\n')
        if (is_crlf(upcoming(lx)) || !refuse_control(lx))
            advance(lx);
}

static void skip_continuation(struct lexer *lx)
{
    while (peek(lx) != '\n')
        advance(lx);
    advance(lx);
}

/* Up to the next token. */
static void skip_between(struct lexer *lx)
{
    for (;;) {
        if (space_len(lx) > 0)
            skip_space(lx);
        else if (peek(lx) == '#')
            skip_comment(lx);
        else if (is_continuation(lx))
            skip_continuation(lx);
        else if (!insert_environment(lx) && !refuse_control(lx))
            return;
    }
}

/* Whether the byte ahead ends a quoted token. A value from the environment cannot. */
static bool is_end_quote(const struct lexer *lx, int quote)
{
    return lx->inserted.len == 0 && peek(lx) == quote;
}

/* A backslash that escapes a quote goes; one that escapes a backslash stays, so that what follows
 * the pair is not escaped. */
static void read_escape(struct lexer *lx)
{
    if (str_starts(lx->rest, STR_LIT("\\\"")))
        advance(lx);
    else if (str_starts(lx->rest, STR_LIT("\\\\")))
        take(lx);
}

static int read_quoted(struct lexer *lx, const struct token *start)
{
    int quote = peek(lx);

    advance(lx);
    while (!is_end_quote(lx, quote)) {
        if (lx->too_long)
            return 0; /* push() reports it */
        if (peek(lx) == END)
            return diag_error(lx->diag, start, "this quote is never closed");
        if (insert_environment(lx))
            continue;
        if (is_crlf(upcoming(lx)))
            advance(lx);
        if (lx->inserted.len == 0 && quote == '"')
            read_escape(lx);
        if (!refuse_control(lx))
            take(lx);
    }
    advance(lx);
    return 0;
}

static void read_plain(struct lexer *lx)
{
    while (peek(lx) != END && space_len(lx) == 0 && !is_continuation(lx))
        if (!insert_environment(lx) && !refuse_control(lx))
            take(lx);
}

static int push(struct lexer *lx, struct token t)
{
    struct lexemes *out = lx->out;

    if (lx->too_long)
        return diag_error(lx->diag, &t, "a word of more than %d bytes", WORD_MAX);
    if (out->n == LEXER_TOKENS_MAX)
        return diag_error(lx->diag, &t, "more than %d words in one file", LEXER_TOKENS_MAX);
    t.text = arena_str(lx->arena, buf_str(&lx->word));
    out->list = arena_grow(lx->arena, out->list, out->n, &lx->cap, sizeof *out->list);
    out->list[out->n++] = (struct lexeme){t, lx->new_line};
    lx->new_line = false;
    return 0;
}

static int read_token(struct lexer *lx)
{
    struct token t = here(lx);
    int c = peek(lx);

    buf_clear(&lx->word);
    if (lx->inserted.len == 0 && (c == '"' || c == '`')) {
        t.quoted = true;
        if (read_quoted(lx, &t) != 0)
            return -1;
    } else {
        read_plain(lx);
        if (str_starts(buf_str(&lx->word), STR_LIT("<<")))
            return diag_error(lx->diag, &t, "heredocs ('<<') are not supported yet");
    }
    return push(lx, t);
}

int lexer_run(struct arena *a, struct diag *d, struct str file, struct str text,
              struct lexemes *out)
{
    struct lexer lx = {.arena = a, .diag = d, .file = file, .rest = text, .out = out};
    int rc = 0;

    lx.line = lx.column = 1;
    lx.new_line = true;
    *out = (struct lexemes){NULL, 0};
    buf_init(&lx.word, WORD_MAX);
    if (str_starts(text, STR_LIT("\xef\xbb\xbf")))
        lx.rest = str_from(text, 3);
    for (skip_between(&lx); rc == 0 && peek(&lx) != END; skip_between(&lx))
        rc = read_token(&lx);
    buf_fini(&lx.word);
    return rc;
}
