#include "conf/pieces.h"

#include "conf/lexer.h"

/* ---- bytes ---- */

static bool is_blank_byte(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* The bytes of a space within a line, or 0. */
static size_t blank_len(struct str s)
{
    if (s.len > 0 && is_blank_byte(s.p[0]))
        return 1;
    return s.len > 0 && (unsigned char)s.p[0] >= 0x80 ? lexer_wide_space_len(s) : 0;
}

/* The bytes of a backslash that joins the next line to this one, line end included, or 0. */
static size_t continuation_len(struct str s)
{
    size_t i = 1;

    if (s.len == 0 || s.p[0] != '\\')
        return 0;
    while (i < s.len && is_blank_byte(s.p[i]))
        i++;
    return i < s.len && s.p[i] == '\n' ? i + 1 : 0;
}

static bool is_line_end(struct str s)
{
    while (str_starts(s, STR_LIT("\r")))
        s = str_from(s, 1);
    return str_starts(s, STR_LIT("\n"));
}

static bool at(const struct pieces *s, char c)
{
    return s->rest.len > 0 && s->rest.p[0] == c;
}

static void pass(struct pieces *s, size_t n)
{
    s->rest = str_from(s->rest, n);
}

/* ---- words ---- */

/* {$NAME} or {$NAME:default}, within a line. Each part of a text is looked at once only. */
static bool pass_environment(struct pieces *s)
{
    size_t end = 2;

    if (!str_starts(s->rest, STR_LIT("{$")) ||
        (s->no_environment != NULL && s->rest.p < s->no_environment))
        return false;
    while (end < s->rest.len && s->rest.p[end] != '}' && s->rest.p[end] != '\n')
        end++;
    if (end == s->rest.len || s->rest.p[end] == '\n')
        s->no_environment = s->rest.p + end;
    else if (end > 2) {
        pass(s, end + 1);
        return true;
    }
    return false;
}

/* From one quote to the next; without one, to the end of the text. */
static void pass_quoted(struct pieces *s)
{
    char quote = s->rest.p[0];

    pass(s, 1);
    while (s->rest.len > 0 && !at(s, quote)) {
        if (pass_environment(s))
            continue;
        if (quote == '"' && s->rest.len > 1 && at(s, '\\') &&
            (s->rest.p[1] == '"' || s->rest.p[1] == '\\'))
            pass(s, 1);
        pass(s, 1);
    }
    if (s->rest.len > 0)
        pass(s, 1);
}

/* The marker, if "<<MARKER" ends its line: else it is a word as any other, and len is 0. */
static struct str heredoc_marker(struct str s)
{
    const struct str none = {NULL, 0};
    size_t end = 2;

    if (!str_starts(s, STR_LIT("<<")))
        return none;
    while (end < s.len && lexer_is_marker_byte(s.p[end]))
        end++;
    return is_line_end(str_from(s, end)) ? (struct str){s.p + 2, end - 2} : none;
}

/* The bytes of the indentation and the marker, if a heredoc ends in the line at the start of s, or
 * 0. */
static size_t last_line_len(struct str s, struct str marker)
{
    size_t indent = 0, len;

    while (indent < s.len && (s.p[indent] == ' ' || s.p[indent] == '\t'))
        indent++;
    len = indent + marker.len;
    if (!str_starts(str_from(s, indent), marker) || (len < s.len && lexer_is_marker_byte(s.p[len])))
        return 0;
    return len;
}

/* Without a line that ends it, to the end of the text. */
static bool pass_heredoc(struct pieces *s)
{
    struct str marker = heredoc_marker(s->rest);
    size_t last;

    if (marker.len == 0)
        return false;
    do {
        size_t end = str_chr(s->rest, '\n');

        pass(s, end < s->rest.len ? end + 1 : end);
        if (s->rest.len == 0)
            return true;
        last = last_line_len(s->rest, marker);
    } while (last == 0);
    pass(s, last);
    return true;
}

static void pass_plain(struct pieces *s)
{
    while (s->rest.len > 0 && !at(s, '\n') && blank_len(s->rest) == 0 &&
           continuation_len(s->rest) == 0)
        if (!pass_environment(s))
            pass(s, 1);
}

/* A quote counts at the start of a word only. Returns whether the word has none. */
static bool pass_word(struct pieces *s)
{
    if (at(s, '"') || at(s, '`')) {
        pass_quoted(s);
        return false;
    }
    if (pass_heredoc(s))
        return false;
    pass_plain(s);
    return true;
}

/* ---- splitting ---- */

/* Where the "{"s that end a word begin; one behind a backslash does not count. */
static const char *find_tail(struct str word)
{
    const char *p = word.p + word.len;

    while (p > word.p && p[-1] == '{')
        p--;
    return p > word.p && p[-1] == '\\' && p < word.p + word.len ? p + 1 : p;
}

static bool is_only(struct str word, char c)
{
    size_t i = 0;

    while (i < word.len && word.p[i] == c)
        i++;
    return i == word.len;
}

/* Begins to split the word that s has just passed: goes back to its start. */
static void begin_split(struct pieces *s, struct str word)
{
    s->rest.len += word.len;
    s->rest.p = word.p;
    s->word_end = word.p + word.len;
    s->tail = s->split == SPLIT_ALL ? find_tail(word) : s->word_end;
    s->only_closes = is_only(word, '}');
}

/* Whether a "}" that is to be parted is ahead. What follows it would else be the start of a word,
 * so it must not be what means more there. */
static bool at_close(const struct pieces *s)
{
    struct str next = str_from(s->rest, 1);

    return at(s, '}') && (next.len == 0 || strchr("\"`#<{", next.p[0]) == NULL);
}

/* Passes what goes before the next brace that is to be parted. */
static void pass_part(struct pieces *s)
{
    unsigned depth = 0;

    while (s->rest.p < s->tail && !(depth == 0 && at_close(s))) {
        bool escapes = at(s, '\\') && s->rest.p + 1 < s->tail;

        if (pass_environment(s))
            continue;
        if (at(s, '{'))
            depth++;
        else if (at(s, '}') && depth > 0)
            depth--;
        pass(s, 1);
        if (escapes && !pass_environment(s))
            pass(s, 1);
    }
}

static void next_part(struct pieces *s)
{
    if (s->split == SPLIT_CLOSES && !s->only_closes)
        pass(s, (size_t)(s->word_end - s->rest.p));
    else if (at_close(s) || s->rest.p >= s->tail)
        pass(s, 1);
    else
        pass_part(s);
    if (s->rest.p == s->word_end)
        s->word_end = NULL;
}

/* ---- pieces ---- */

static void pass_space(struct pieces *s, struct piece *p)
{
    for (;;) {
        size_t n = at(s, '\n') ? 1 : blank_len(s->rest);

        if (n == 0)
            return;
        p->newlines += at(s, '\n');
        p->spaced = true;
        pass(s, n);
    }
}

static void pass_comment(struct pieces *s, struct piece *p)
{
    p->kind = PIECE_COMMENT;
    p->text = (struct str){s->rest.p, str_chr(s->rest, '\n')};
    pass(s, p->text.len);
    while (str_ends(p->text, STR_LIT("\r")))
        p->text.len--;
}

static void next_word(struct pieces *s, struct piece *p)
{
    const char *start = s->rest.p;

    if (s->word_end != NULL)
        next_part(s);
    else if (pass_word(s) && s->split != SPLIT_NONE) {
        begin_split(s, (struct str){start, (size_t)(s->rest.p - start)});
        next_part(s);
    }
    p->text = (struct str){start, (size_t)(s->rest.p - start)};
    p->ends_line = is_line_end(s->rest);
    p->kind = str_is(p->text, "{") ? PIECE_OPEN : str_is(p->text, "}") ? PIECE_CLOSE : PIECE_WORD;
}

bool piece_begins_heredoc(const struct piece *p)
{
    return p->kind == PIECE_WORD && str_starts(p->text, STR_LIT("<<")) &&
           str_chr(p->text, '\n') == p->text.len && !p->ends_line;
}

void pieces_init(struct pieces *s, struct str text, enum split split)
{
    *s = (struct pieces){.rest = text, .split = split};
}

struct piece pieces_next(struct pieces *s)
{
    struct piece p = {.kind = PIECE_END};
    size_t n;

    if (s->word_end == NULL)
        pass_space(s, &p);
    if (s->rest.len == 0)
        return p;
    n = continuation_len(s->rest);
    if (s->word_end == NULL && at(s, '#')) {
        pass_comment(s, &p);
    } else if (s->word_end == NULL && n > 0) {
        p.kind = PIECE_CONTINUATION;
        pass(s, n);
    } else {
        next_word(s, &p);
    }
    return p;
}
