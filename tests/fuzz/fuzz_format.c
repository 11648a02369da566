/* Any bytes as a configuration to be formatted. Formatting twice changes nothing more; and what has
 * a meaning keeps it: the same tokens, and if the parser takes them, at the same starts of lines.
 */
#include "conf/braces.h"
#include "conf/format.h"
#include "conf/parser.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A value from the environment may begin a comment, or be a brace; an empty one makes what follows
 * it the start of a word. Nobody can see that in the text. */
static bool is_environment_plain(struct str text)
{
    for (size_t i = 0; i + 1 < text.len; i++) {
        struct str rest = str_from(text, i);
        size_t end = str_chr(rest, '}');

        if (!str_starts(rest, STR_LIT("{$")) || end == rest.len)
            continue;
        if (end + 1 < rest.len && strchr("\"`#<{}", rest.p[end + 1]) != NULL)
            return false;
        for (size_t j = 2; j < end; j++)
            if (strchr("{#<", rest.p[j]) != NULL)
                return false;
    }
    return true;
}

static bool is_paired(const struct lexemes *lexemes)
{
    size_t depth = 0;

    for (size_t i = 0; i < lexemes->n; i++) {
        const struct lexeme *l = &lexemes->list[i];

        if (lexeme_is(l, "}") && depth == 0)
            return false;
        depth += lexeme_is(l, "{");
        depth -= lexeme_is(l, "}");
    }
    return depth == 0;
}

/* An opening brace may have gone to the line before, a closing one to a line of its own. */
static bool is_line_kept(const struct lexeme *before, const struct lexeme *after)
{
    return before->starts_line == after->starts_line || lexeme_is(before, "{") ||
           (lexeme_is(before, "}") && after->starts_line);
}

static void compare(const struct lexemes *a, const struct lexemes *b, bool lines)
{
    assert(a->n == b->n);
    for (size_t i = 0; i < a->n; i++) {
        const struct lexeme *x = &a->list[i], *y = &b->list[i];

        assert(str_eq(x->token.text, y->token.text));
        assert(x->token.quoted == y->token.quoted);
        assert(!lines || is_line_kept(x, y));
    }
}

static bool lex(struct arena *a, struct str text, struct lexemes *out, struct diag **d)
{
    *d = diag_new(a);
    return lexer_run(a, *d, STR_LIT("f"), text, out) == 0 && diag_errors(*d) == 0;
}

static void check_meaning(struct str text, struct str formatted)
{
    struct arena *a = arena_new();
    struct lexemes before, after;
    struct diag *d, *d2;

    if (is_environment_plain(text) && lex(a, text, &before, &d) && is_paired(&before)) {
        struct nodes nodes;
        bool parsed = braces_match(a, d, &before) == 0 && parser_run(a, d, &before, &nodes) == 0 &&
                      diag_errors(d) == 0;
        bool lexed = lex(a, formatted, &after, &d2);

        assert(lexed);
        compare(&before, &after, parsed);
    }
    arena_free(a);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str text = {(const char *)data, size};
    struct buf once = BUF_INIT(64 << 20), twice = BUF_INIT(64 << 20);
    int rc = format_text(text, &once);

    assert(rc == 0);
    rc = format_text(buf_str(&once), &twice);
    assert(rc == 0);
    assert(str_eq(buf_str(&once), buf_str(&twice)));
    check_meaning(text, buf_str(&once));
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}
