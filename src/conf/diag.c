#include "conf/diag.h"

#include "base/alloc.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    MESSAGE_MAX = 1024,
    LINE_SHOWN_MAX = 160, /* bytes of a source line in a message */
    CARET_MARGIN = 100    /* of these, at most so many before the caret */
};

struct source {
    struct str file;
    struct str text;
};

struct note {
    struct token at;
    struct str message;
    size_t order; /* of its making: keeps the sort stable */
};

struct notes {
    struct note list[DIAG_MAX];
    size_t n;        /* places; those beyond DIAG_MAX are only counted */
    size_t reported; /* also again at the same place */
};

struct diag {
    struct arena *arena;
    struct source *sources;
    size_t n_sources, cap_sources;
    struct token *secrets; /* one of each line that holds one */
    size_t n_secrets, cap_secrets;
    struct notes errors;
    struct notes warnings;
};

struct diag *diag_new(struct arena *a)
{
    struct diag *d = arena_alloc(a, sizeof *d);

    d->arena = a;
    return d;
}

void diag_source(struct diag *d, struct str file, struct str text)
{
    d->sources =
        arena_grow(d->arena, d->sources, d->n_sources, &d->cap_sources, sizeof *d->sources);
    d->sources[d->n_sources++] = (struct source){file, text};
}

void diag_secret(struct diag *d, const struct token *at)
{
    d->secrets =
        arena_grow(d->arena, d->secrets, d->n_secrets, &d->cap_secrets, sizeof *d->secrets);
    d->secrets[d->n_secrets++] = *at;
}

/* ---- gathering ---- */

/* Two errors at one place: the second follows from the first, or the place is in a snippet or file
 * that is imported more than once. */
static bool is_noted(const struct notes *notes, const struct token *at)
{
    for (size_t i = 0; i < notes->n && i < DIAG_MAX; i++) {
        const struct token *other = &notes->list[i].at;

        if (other->line == at->line && other->column == at->column && str_eq(other->file, at->file))
            return true;
    }
    return false;
}

static void note(struct diag *d, struct notes *notes, const struct token *at, const char *fmt,
                 va_list ap)
{
    char message[MESSAGE_MAX];

    notes->reported++;
    if (is_noted(notes, at))
        return;
    if (notes->n >= DIAG_MAX) {
        notes->n++;
        return;
    }
    vsnprintf(message, sizeof message, fmt, ap);
    notes->list[notes->n] = (struct note){*at, arena_str(d->arena, str_of(message)), notes->n};
    notes->n++;
}

int diag_verror(struct diag *d, const struct token *at, const char *fmt, va_list ap)
{
    note(d, &d->errors, at, fmt, ap);
    return -1;
}

int diag_error(struct diag *d, const struct token *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(d, &d->errors, at, fmt, ap);
    va_end(ap);
    return -1;
}

void diag_vwarn(struct diag *d, const struct token *at, const char *fmt, va_list ap)
{
    note(d, &d->warnings, at, fmt, ap);
}

void diag_warn(struct diag *d, const struct token *at, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    note(d, &d->warnings, at, fmt, ap);
    va_end(ap);
}

size_t diag_errors(const struct diag *d)
{
    return d->errors.reported;
}

bool diag_is_full(const struct diag *d)
{
    return d->errors.n >= DIAG_MAX;
}

/* ---- printing ---- */

/* The text of a line, without its line end; len 0 if there is none. */
static struct str source_line(const struct diag *d, const struct token *at)
{
    struct str rest = {NULL, 0}, line = {NULL, 0};

    for (size_t i = 0; i < d->n_sources; i++)
        if (str_eq(d->sources[i].file, at->file))
            rest = d->sources[i].text;
    for (unsigned n = 0; n < at->line && rest.p != NULL; n++)
        line = str_cut(&rest, '\n');
    if (at->line == 1 && str_starts(line, STR_LIT("\xef\xbb\xbf")))
        line = str_from(line, 3);
    if (str_ends(line, STR_LIT("\r")))
        line.len--;
    return line;
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The byte of a line where its column begins (columns count characters). */
static size_t column_offset(struct str line, unsigned column)
{
    size_t at = 0;

    for (unsigned n = 1; n < column && at < line.len; n++)
        for (at++; at < line.len && is_continuation(line.p[at]);)
            at++;
    return at;
}

static unsigned characters(struct str s)
{
    unsigned n = 0;

    for (size_t i = 0; i < s.len; i++)
        n += !is_continuation(s.p[i]);
    return n;
}

/* In a quoted token a backslash may stand before a quote that its text has without. */
static unsigned escaped_quotes(struct str before)
{
    unsigned n = 0;

    for (size_t i = 0; i < before.len; i++)
        n += before.p[i] == '"';
    return n;
}

struct token diag_place(const struct diag *d, const struct token *t, size_t offset)
{
    const struct str raw = source_line(d, t);
    const struct str begin = str_from(raw, column_offset(raw, t->column));
    struct str rest = {t->text.p, offset < t->text.len ? offset : t->text.len}, line = rest;
    struct token place = *t;
    struct str shown, whole = t->text;

    for (; rest.p != NULL; place.line += rest.p != NULL)
        line = str_cut(&rest, '\n');
    if (place.line == t->line && !str_starts(begin, STR_LIT("<<"))) {
        place.column += (t->quoted ? 1 : 0) + characters(line);
        if (str_starts(begin, STR_LIT("\"")))
            place.column += escaped_quotes(line);
        return place;
    }
    place.column = 1 + characters(line);
    if (!str_starts(begin, STR_LIT("<<")))
        return place;
    /* A heredoc begins in the next line; its indentation is taken off. */
    place.line++;
    shown = source_line(d, &place);
    whole = str_from(whole, (size_t)(line.p - t->text.p));
    whole.len = str_chr(whole, '\n');
    if (shown.len > whole.len)
        place.column += characters((struct str){shown.p, shown.len - whole.len});
    return place;
}

struct token diag_inside(const struct diag *d, const struct token *at, size_t offset)
{
    struct str line = source_line(d, at);

    line = str_from(line, column_offset(line, at->column));
    if (at->quoted && line.len > 0)
        line = str_from(line, 1);
    return offset > 0 && offset <= at->text.len &&
                   str_starts(line, (struct str){at->text.p, offset})
               ? diag_place(d, at, offset)
               : *at;
}

/* Control bytes other than a tab must not reach a terminal. */
static int put_shown(struct buf *out, struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.p[i];

        if (buf_putc(out, (c < 0x20 && c != '\t') || c == 0x7f ? '?' : (char)c) != 0)
            return -1;
    }
    return 0;
}

/* The line and the caret under byte caret of it. Tabs stay tabs, so that both lines agree. */
static int put_excerpt(struct buf *out, struct str line, size_t caret)
{
    size_t start = caret > LINE_SHOWN_MAX ? caret - CARET_MARGIN : 0;
    struct str shown;

    while (start > 0 && is_continuation(line.p[start]))
        start--;
    shown = str_from(line, start);
    if (shown.len > LINE_SHOWN_MAX)
        shown.len = LINE_SHOWN_MAX;
    while (shown.len > 0 && start + shown.len < line.len && is_continuation(shown.p[shown.len]))
        shown.len--;
    if (buf_puts(out, "    ") != 0 || put_shown(out, shown) != 0 || buf_puts(out, "\n    ") != 0)
        return -1;
    for (size_t i = start; i < caret; i++)
        if (!is_continuation(line.p[i]) && buf_putc(out, line.p[i] == '\t' ? '\t' : ' ') != 0)
            return -1;
    return buf_puts(out, "^\n");
}

/* Lines with a secret, and those that may hold the key of an external account binding. */
static bool is_secret(const struct diag *d, const struct token *at, struct str line)
{
    for (size_t i = 0; i < d->n_secrets; i++)
        if (d->secrets[i].line == at->line && str_eq(d->secrets[i].file, at->file))
            return true;
    return memmem(line.p, line.len, "mac_key", 7) != NULL ||
           memmem(line.p, line.len, "eab", 3) != NULL;
}

/* kind: "" or "warning: " */
static int put_note(const struct diag *d, struct buf *out, const struct note *n, const char *kind)
{
    struct str line;

    if (n->at.line == 0) /* the file as a whole */
        return buf_printf(out, STR_FMT ": %s" STR_FMT "\n", STR_ARG(n->at.file), kind,
                          STR_ARG(n->message));
    line = source_line(d, &n->at);
    if (buf_printf(out, STR_FMT ":%u:%u: %s", STR_ARG(n->at.file), n->at.line, n->at.column,
                   kind) != 0 ||
        put_shown(out, n->message) != 0 || buf_putc(out, '\n') != 0)
        return -1;
    return line.len == 0 || is_secret(d, &n->at, line)
               ? 0
               : put_excerpt(out, line, column_offset(line, n->at.column));
}

static int compare_notes(const void *a, const void *b)
{
    const struct note *x = a, *y = b;
    int c = str_cmp(x->at.file, y->at.file);

    if (c == 0)
        c = (x->at.line > y->at.line) - (x->at.line < y->at.line);
    if (c == 0)
        c = (x->at.column > y->at.column) - (x->at.column < y->at.column);
    return c != 0 ? c : (x->order > y->order) - (x->order < y->order);
}

static void put_notes(const struct diag *d, struct buf *out, struct notes *notes, const char *kind)
{
    size_t n = notes->n < DIAG_MAX ? notes->n : DIAG_MAX;
    int rc = 0;

    qsort(notes->list, n, sizeof notes->list[0], compare_notes);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = put_note(d, out, &notes->list[i], kind);
    if (rc == 0 && notes->n > n)
        rc = buf_printf(out, "... and %zu more\n", notes->n - n);
    (void)rc; /* A full buffer cuts the list short. */
}

void diag_print(struct diag *d, struct buf *errors, struct buf *warnings)
{
    if (errors != NULL)
        put_notes(d, errors, &d->errors, "");
    if (warnings != NULL)
        put_notes(d, warnings, &d->warnings, "warning: ");
}

/* ---- "did you mean" ---- */

void nearest_init(struct nearest *n, struct str word)
{
    n->word = word;
    n->best = (struct str){NULL, 0};
    /* One slip in a short word, a swapped pair in a longer one, else a third of the word. */
    n->distance = 1 + (word.len < 4 ? 1 : word.len < 9 ? 2 : (unsigned)(word.len / 3));
}

void nearest_offer(struct nearest *n, struct str candidate)
{
    unsigned distance = str_eq_nocase(n->word, candidate) ? 0 : str_distance(n->word, candidate);

    if (distance < n->distance && distance < candidate.len) {
        n->best = candidate;
        n->distance = distance;
    }
}

int diag_unknown(struct diag *d, const struct token *at, const char *what,
                 const struct nearest *nearest)
{
    if (nearest->best.len == 0)
        return diag_error(d, at, "unknown %s '" STR_FMT "'", what, STR_ARG(nearest->word));
    return diag_error(d, at, "unknown %s '" STR_FMT "'; did you mean '" STR_FMT "'?", what,
                      STR_ARG(nearest->word), STR_ARG(nearest->best));
}
