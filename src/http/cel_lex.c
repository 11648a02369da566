#include "base/alloc.h"
#include "http/cel_priv.h"

static const char *const signs[] = {"&&", "||", "==", "!=", "<=", ">=", "(", ")",
                                    "[",  "]",  "{",  "}",  ",",  ".",  ":", "?",
                                    "!",  "<",  ">",  "+",  "-",  "*",  "/", "%"};

static bool is_letter(char c)
{
    c = ascii_lower(c);
    return (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* "{name}" as Caddy knows it in an expression; 0: none begins s. */
static size_t placeholder_len(struct str s)
{
    size_t n = 2;

    if (s.len < 4 || s.p[0] != '{' || !is_letter(s.p[1]) || s.p[1] == '_')
        return 0;
    while (n < s.len && (is_letter(s.p[n]) || is_digit(s.p[n]) || s.p[n] == '.' || s.p[n] == '-'))
        n++;
    return n > 2 && n < s.len && s.p[n] == '}' ? n + 1 : 0;
}

/* ---- texts ---- */

/* The value of up to max digits at s, of which there must be as many unless they are octal. */
static bool take_digits(struct str s, unsigned base, size_t n, uint32_t *value)
{
    *value = 0;
    for (size_t i = 0; i < n; i++) {
        char c = i < s.len ? ascii_lower(s.p[i]) : '\0';
        unsigned digit = is_digit(c)            ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 99;

        if (digit >= base)
            return false;
        *value = *value * base + digit;
    }
    return true;
}

static size_t put_utf8(char *out, uint32_t c)
{
    if (c < 0x80) {
        out[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (char)(0xc0 | c >> 6);
        out[1] = (char)(0x80 | (c & 0x3f));
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (char)(0xe0 | c >> 12);
        out[1] = (char)(0x80 | (c >> 6 & 0x3f));
        out[2] = (char)(0x80 | (c & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | c >> 18);
    out[1] = (char)(0x80 | (c >> 12 & 0x3f));
    out[2] = (char)(0x80 | (c >> 6 & 0x3f));
    out[3] = (char)(0x80 | (c & 0x3f));
    return 4;
}

/* An escape at the start of s, put in out, which has room for as many bytes as it takes. The result
 * is how many those are. A backslash before anything else stays: so it is written in regular
 * expressions. One before a placeholder goes. */
static size_t take_escape(struct str s, char *out, size_t *n)
{
    static const char letters[] = "abfnrtv\\'\"`?", values[] = "\a\b\f\n\r\t\v\\'\"`?";
    static const struct {
        char letter;
        unsigned base;
        size_t digits;
    } codes[] = {{'x', 16, 2}, {'u', 16, 4}, {'U', 16, 8}};
    char c = s.len > 1 ? s.p[1] : '\0';
    const char *letter = c == '\0' ? NULL : strchr(letters, c);
    uint32_t code;

    if (letter != NULL) {
        out[(*n)++] = values[letter - letters];
        return 2;
    }
    for (size_t i = 0; i < ARRAY_LEN(codes); i++)
        if (c == codes[i].letter &&
            take_digits(str_from(s, 2), codes[i].base, codes[i].digits, &code) && code > 0 &&
            code < 0x110000 && (code & 0xfffff800) != 0xd800) {
            *n += put_utf8(out + *n, code);
            return 2 + codes[i].digits;
        }
    if (placeholder_len(str_from(s, 1)) > 0) {
        out[(*n)++] = '{';
        return 2;
    }
    out[(*n)++] = '\\';
    return 1;
}

/* A quoted text; raw: without escapes. */
static int take_string(struct cel_compiler *c, bool raw)
{
    struct str rest = str_from(c->text, c->at);
    char quote = rest.p[0];
    char *out = arena_bytes(c->d->arena, rest.len + 1);
    size_t i = 1, n = 0;

    if (rest.len > 2 && rest.p[1] == quote && rest.p[2] == quote)
        return cel_error(c, c->at, "texts in triple quotes are not supported: use one quote");
    while (i < rest.len && rest.p[i] != quote) {
        if (rest.p[i] == '\\' && !raw) {
            i += take_escape(str_from(rest, i), out, &n);
        } else {
            if (rest.p[i] == '{' && placeholder_len(str_from(rest, i)) > 0)
                c->word.number = 1; /* it holds a placeholder that is not escaped */
            out[n++] = rest.p[i++];
        }
    }
    if (i >= rest.len)
        return cel_error(c, c->at, "this quote is never closed");
    out[n] = '\0';
    c->word.kind = CEL_WORD_STRING;
    c->word.text = (struct str){out, n};
    c->at += i + 1;
    return 0;
}

/* ---- the others ---- */

static int take_number(struct cel_compiler *c)
{
    struct str s = str_from(c->text, c->at);
    size_t n = 0;
    uint64_t value;

    while (n < s.len && is_digit(s.p[n]))
        n++;
    if (n < s.len && (is_letter(s.p[n]) || s.p[n] == '.'))
        return cel_error(c, c->at, "only whole decimal numbers are supported");
    s.len = n;
    if (!str_to_uint(s, INT64_MAX, &value))
        return cel_error(c, c->at, "this number is too large");
    c->word.kind = CEL_WORD_INT;
    c->word.number = (int64_t)value;
    c->word.text = s;
    c->at += n;
    return 0;
}

static int take_name(struct cel_compiler *c)
{
    struct str s = str_from(c->text, c->at);
    size_t n = 1;

    if (s.len > 1 && (s.p[1] == '\'' || s.p[1] == '"')) {
        if (ascii_lower(s.p[0]) == 'b')
            return cel_error(c, c->at, "texts of bytes, b'...', are not supported");
        if (ascii_lower(s.p[0]) == 'r') {
            c->at++;
            return take_string(c, true);
        }
    }
    while (n < s.len && (is_letter(s.p[n]) || is_digit(s.p[n])))
        n++;
    c->word.kind = CEL_WORD_NAME;
    c->word.text = (struct str){s.p, n};
    c->at += n;
    return 0;
}

static int take_sign(struct cel_compiler *c)
{
    struct str s = str_from(c->text, c->at);
    size_t len = str_utf8_len(s);

    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        struct str sign = str_of(signs[i]);

        if (!str_starts(s, sign))
            continue;
        c->word.kind = CEL_WORD_SIGN;
        c->word.text = sign;
        c->at += sign.len;
        return 0;
    }
    if (s.p[0] == '=' || s.p[0] == '&' || s.p[0] == '|')
        return cel_error(c, c->at, "'%c' is no operator: write '%c%c'", s.p[0], s.p[0], s.p[0]);
    return cel_error(c, c->at, "unexpected '" STR_FMT "'",
                     STR_ARG(((struct str){s.p, len == 0 ? 1 : len})));
}

int cel_next(struct cel_compiler *c)
{
    struct str rest;
    size_t placeholder;
    char first;

    while (c->at < c->text.len && memchr(" \t\r\n\f", c->text.p[c->at], 5) != NULL)
        c->at++;
    rest = str_from(c->text, c->at);
    c->word = (struct cel_word){.kind = CEL_WORD_END, .at = c->at};
    if (rest.len == 0)
        return 0;
    first = rest.p[0];
    placeholder = placeholder_len(rest);
    if (placeholder > 0) {
        c->word.kind = CEL_WORD_PLACEHOLDER;
        c->word.text = (struct str){rest.p, placeholder};
        c->at += placeholder;
        return 0;
    }
    if (first == '\'' || first == '"' || first == '`')
        return take_string(c, false);
    if (is_digit(first))
        return take_number(c);
    return is_letter(first) ? take_name(c) : take_sign(c);
}
