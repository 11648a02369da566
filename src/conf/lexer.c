#include "conf/lexer.h"

#include "base/alloc.h"

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
    const char *no_environment;              /* no "{$" before it is closed */
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

size_t lexer_wide_space_len(struct str s)
{
    static const char *const spaces[] = {
        "\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80", "\xe2\x80\xa8",
        "\xe2\x80\xa9", "\xe2\x80\xaf", "\xe2\x81\x9f", "\xe3\x80\x80",
    };

    for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
        if (str_starts(s, str_of(spaces[i])))
            return strlen(spaces[i]);
    /* U+2000 to U+200A */
    return str_starts(s, STR_LIT("\xe2\x80")) && s.len > 2 && (unsigned char)s.p[2] >= 0x80 &&
                   (unsigned char)s.p[2] <= 0x8a
               ? 3
               : 0;
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
    if (c == '\r')
        return is_crlf(s) ? 2 : 0;
    return c >= 0x80 ? lexer_wide_space_len(s) : 0;
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

    if (lx->inserted.len > 0 || !str_starts(lx->rest, STR_LIT("{$")) ||
        (lx->no_environment != NULL && lx->rest.p < lx->no_environment))
        return false;
    for (end = 2; end < lx->rest.len && lx->rest.p[end] != '}' && lx->rest.p[end] != '\n';)
        end++;
    if (end == lx->rest.len || lx->rest.p[end] == '\n') {
        lx->no_environment = lx->rest.p + end;
        return false;
    }
    if (end == 2)
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

/* A token that began in the file ends in the file, one that began in a value of the environment
 * ends in that value: so what a variable holds never changes what is written around it. */
static bool is_at_source(const struct lexer *lx, bool in_value)
{
    return (lx->inserted.len > 0) == in_value;
}

/* A backslash that escapes a quote goes; one that escapes a backslash stays, so that what follows
 * the pair is not escaped. */
static void read_escape(struct lexer *lx)
{
    if (str_starts(upcoming(lx), STR_LIT("\\\"")))
        advance(lx);
    else if (str_starts(upcoming(lx), STR_LIT("\\\\")))
        take(lx);
}

/* A quote that was left open ends at the next one, lines further down: within a word, most often.
 */
static void check_end(struct lexer *lx, const struct token *start)
{
    if (lx->line > start->line && lx->inserted.len == 0 && peek(lx) != END && space_len(lx) == 0)
        diag_warn(lx->diag, start,
                  "this quote ends in line %u, within a word: is it closed before?", lx->line);
}

static int read_quoted(struct lexer *lx, const struct token *start)
{
    const bool in_value = lx->inserted.len > 0;
    const int quote = peek(lx);

    advance(lx);
    while (!is_at_source(lx, in_value) || peek(lx) != quote) {
        if (lx->too_long)
            return 0; /* push() reports it */
        if (peek(lx) == END || (in_value && lx->inserted.len == 0))
            return diag_error(lx->diag, start, "this quote is never closed");
        if (insert_environment(lx))
            continue;
        if (is_crlf(upcoming(lx)))
            advance(lx);
        if (is_at_source(lx, in_value) && quote == '"')
            read_escape(lx);
        if (!refuse_control(lx))
            take(lx);
    }
    advance(lx);
    check_end(lx, start);
    return 0;
}

static void read_plain(struct lexer *lx)
{
    while (peek(lx) != END && space_len(lx) == 0 && !is_continuation(lx)) {
        if (str_starts(upcoming(lx), STR_LIT("\\<")))
            advance(lx); /* "\<<" begins no heredoc */
        if (!insert_environment(lx) && !refuse_control(lx))
            take(lx);
    }
}

/* ---- heredocs ---- */

struct heredoc {
    struct str marker;
    bool in_value;
    const char *end;    /* where the line of the closing marker begins */
    unsigned end_line;  /* the number of lines before that one, from the opening one on */
    struct str padding; /* what stands before the closing marker */
};

static size_t blanks(struct str s)
{
    size_t n = 0;

    while (n < s.len && (s.p[n] == ' ' || s.p[n] == '\t'))
        n++;
    return n;
}

/* Whether "<<" and a marker end the line here. Anything else that begins with "<<" is a word. */
static bool is_heredoc(struct lexer *lx, struct heredoc *h)
{
    struct str s = upcoming(lx), after;
    struct token at = here(lx);
    size_t i = 2;

    if (!str_starts(s, STR_LIT("<<")))
        return false;
    while (i < s.len && s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\n' &&
           !is_crlf(str_from(s, i)))
        i++;
    h->marker = (struct str){s.p + 2, i - 2};
    after = str_from(s, i);
    if (after.len > 0 && (after.p[0] == '\n' || after.p[0] == '\r'))
        return true;
    after = str_from(after, blanks(after));
    if (after.len > 0 && (after.p[0] == '\n' || is_crlf(after)))
        diag_warn(lx->diag, &at, "this is no heredoc: blanks follow its marker");
    return false;
}

static int check_marker(struct lexer *lx, const struct token *start, struct str marker)
{
    if (marker.len == 0)
        return diag_error(lx->diag, start,
                          "a heredoc needs a marker, as in '<<END'; '\\<<' is "
                          "that text itself");
    if (marker.p[0] == '<')
        return diag_error(lx->diag, start, "a heredoc begins with two '<', as in '<<END'");
    for (size_t i = 0; i < marker.len; i++)
        if (!lexer_is_marker_byte(marker.p[i]))
            return diag_error(lx->diag, start,
                              "the marker of a heredoc has only letters, digits, '-' and '_': not "
                              "'" STR_FMT "'; '\\<<' is that text itself",
                              STR_ARG(marker));
    return 0;
}

/* Looks for the line that begins with the closing marker, after its indentation. */
static bool find_close(struct str body, struct heredoc *h)
{
    for (h->end_line = 1;; h->end_line++) {
        size_t indent = blanks(body), line = str_chr(body, '\n');
        struct str text = str_from(body, indent);

        if (str_starts(text, h->marker) &&
            (text.len == h->marker.len || !lexer_is_marker_byte(text.p[h->marker.len]))) {
            h->end = body.p;
            h->padding = (struct str){body.p, indent};
            return true;
        }
        if (line == body.len)
            return false;
        body = str_from(body, line + 1);
    }
}

/* Takes the padding off a line; an empty line need not have it. */
static int skip_padding(struct lexer *lx, const struct heredoc *h, unsigned opened)
{
    struct str padding = h->padding;

    if (peek(lx) == '\n' || is_crlf(upcoming(lx)))
        return 0;
    for (; padding.len > 0; padding = str_from(padding, 1), advance(lx)) {
        struct token at = here(lx);

        if (!is_at_source(lx, h->in_value) || peek(lx) != padding.p[0])
            return diag_error(
                lx->diag, &at,
                "the closing '" STR_FMT "' in line %u is indented by more or other "
                "blanks than this line: each line of a heredoc must begin as that one",
                STR_ARG(h->marker), opened + h->end_line);
    }
    return 0;
}

static const char *position(const struct lexer *lx, bool in_value)
{
    return in_value ? lx->inserted.p : lx->rest.p;
}

/* To the end of a line, which is taken as well. */
static void read_heredoc_line(struct lexer *lx, const struct heredoc *h)
{
    while (peek(lx) != END && (peek(lx) != '\n' || !is_at_source(lx, h->in_value))) {
        if (is_crlf(upcoming(lx)))
            advance(lx);
        else if (!insert_environment(lx) && !refuse_control(lx))
            take(lx);
    }
    if (peek(lx) != END)
        take(lx);
}

/* From "<<" to the closing marker. The last line end is not part of the text. */
static int read_heredoc(struct lexer *lx, const struct token *start, struct heredoc *h)
{
    struct str body;

    h->in_value = lx->inserted.len > 0;
    if (check_marker(lx, start, h->marker) != 0)
        return -1;
    while (peek(lx) != '\n')
        advance(lx);
    body = str_from(upcoming(lx), 1);
    if (!find_close(body, h))
        return diag_error(lx->diag, start,
                          "this heredoc is never closed: a line that begins with '" STR_FMT
                          "' must end it",
                          STR_ARG(h->marker));
    advance(lx);
    while (position(lx, h->in_value) != h->end && !lx->too_long) {
        if (skip_padding(lx, h, start->line) != 0)
            return -1;
        read_heredoc_line(lx, h);
    }
    if (lx->word.len > 0)
        lx->word.p[--lx->word.len] = '\0';
    for (size_t i = 0; i < h->padding.len + h->marker.len; i++)
        advance(lx);
    return 0;
}

/* ---- the list ---- */

static int push(struct lexer *lx, struct token t)
{
    struct lexemes *out = lx->out;

    if (lx->too_long)
        return diag_error(lx->diag, &t, "a word of more than %d bytes", WORD_MAX);
    if (out->n == LEXER_TOKENS_MAX)
        return diag_error(lx->diag, &t, "more than %d words in one file", LEXER_TOKENS_MAX);
    t.text = arena_str(lx->arena, buf_str(&lx->word));
    out->list = arena_grow(lx->arena, out->list, out->n, &lx->cap, sizeof *out->list);
    out->list[out->n++] = (struct lexeme){t, lx->new_line, 0};
    lx->new_line = false;
    return 0;
}

/* What word processors make of quotes. Caddy takes them for letters, too. */
static void check_quotes(struct lexer *lx, const struct token *t)
{
    struct str s = upcoming(lx);

    if (str_starts(s, STR_LIT("\xe2\x80")) && s.len > 2 && (unsigned char)s.p[2] >= 0x98 &&
        (unsigned char)s.p[2] <= 0x9f)
        diag_warn(lx->diag, t, "this is no quote but a letter: write '\"'");
}

static int read_token(struct lexer *lx)
{
    struct token t = here(lx);
    struct heredoc h;
    int c = peek(lx);

    buf_clear(&lx->word);
    if (c == '"' || c == '`') {
        t.quoted = true;
        if (read_quoted(lx, &t) != 0)
            return -1;
    } else if (is_heredoc(lx, &h)) {
        t.quoted = true;
        if (read_heredoc(lx, &t, &h) != 0)
            return -1;
    } else {
        check_quotes(lx, &t);
        read_plain(lx);
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
