#include "conf/quote.h"

#include "base/alloc.h"
#include "conf/text.h"

enum { PLACEHOLDER_MAX = 1024 }; /* bytes that are looked at for the end of one */

static bool is_control(struct str rest)
{
    unsigned char c = (unsigned char)rest.p[0];

    if (str_starts(rest, STR_LIT("\r\n")))
        return false;
    return (c < 0x20 && c != '\t' && c != '\n') || c == 0x7f;
}

static int full(struct err *e)
{
    return err_set(e, ERR_LIMIT, "too long for a configuration");
}

/* A backslash could escape what follows it, and "{$" would be taken for the environment. But what
 * is itself inserted, as the default of a variable without a name, is not looked at again. */
static int put(struct buf *b, struct str rest)
{
    char c = rest.p[0];

    if (c == '"')
        return buf_puts(b, "\\\"");
    if (c == '\\' || str_starts(rest, STR_LIT("{$")))
        return buf_printf(b, "{$:%c}", c);
    return buf_putc(b, c);
}

int quote_word(struct buf *b, struct str value, struct err *e)
{
    if (buf_putc(b, '"') != 0)
        return full(e);
    for (struct str rest = value; rest.len > 0; rest = str_from(rest, 1)) {
        if (is_control(rest))
            return err_set(e, ERR_INVALID, "control byte 0x%02x", (unsigned char)rest.p[0]);
        if (put(b, rest) != 0)
            return full(e);
    }
    return buf_putc(b, '"') == 0 ? 0 : full(e);
}

/* Short names are for people who write a configuration: in a page of HTML, {path} is a script's. */
static bool has_long_name(struct str s)
{
    static const char *const beginnings[] = {"{http.", "{env.", "{file.", "{system.", "{time."};

    for (size_t i = 0; i < ARRAY_LEN(beginnings); i++)
        if (str_starts(s, str_of(beginnings[i])))
            return true;
    return false;
}

/* The bytes of the placeholder that s begins with, or 0. */
static size_t placeholder_len(struct arena *scratch, struct str s)
{
    struct str near = {s.p, s.len < PLACEHOLDER_MAX ? s.len : PLACEHOLDER_MAX};
    struct str it = {s.p, str_chr(near, '}') + 1};
    struct text text;

    if (!has_long_name(it) || it.len > near.len ||
        text_compile(scratch, it, NULL, &text, NULL) != 0)
        return 0;
    return text.constant && str_eq(text_constant(&text), it) ? 0 : it.len;
}

static int put_escaped(struct buf *b, struct arena *scratch, struct str value)
{
    struct str rest = value;
    size_t n;

    for (; rest.len > 0; rest = str_from(rest, n)) {
        n = 1;
        if (str_starts(rest, STR_LIT("\\{")) || str_starts(rest, STR_LIT("\\}")))
            n = 2;
        else if (rest.p[0] == '{')
            n = placeholder_len(scratch, rest);
        if (n == 0 && buf_putc(b, '\\') != 0)
            return -1;
        n = n == 0 ? 1 : n;
        if (buf_append(b, rest.p, n) != 0)
            return -1;
    }
    return 0;
}

int quote_text(struct buf *b, struct str value, struct err *e)
{
    struct arena *scratch = arena_new();
    struct buf escaped = BUF_INIT(b->max);
    int rc = -1;

    if (put_escaped(&escaped, scratch, value) != 0)
        full(e);
    else
        rc = quote_word(b, buf_str(&escaped), e);
    buf_fini(&escaped);
    arena_free(scratch);
    return rc;
}
