#include "http/cel_priv.h"

#include <stdarg.h>
#include <stdio.h>

/* ---- places and errors ---- */

struct token cel_token(const struct cel_compiler *c, size_t at, struct str text)
{
    const struct cel_segment *s = c->segments;
    struct token t;

    for (size_t i = 1; i < c->n_segments && c->segments[i].at <= at; i++)
        s = &c->segments[i];
    at -= s->at;
    /* The quote before the text is the token's own place. */
    if (s->quoted && at == 0)
        t = *s->token;
    else
        t = directive_place(c->d, s->token, at - (s->quoted ? 1 : 0));
    t.text = text;
    t.quoted = false;
    return t;
}

int cel_error(const struct cel_compiler *c, size_t at, const char *fmt, ...)
{
    const struct token t = cel_token(c, at, STR_LIT(""));
    char message[512];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(message, sizeof message, fmt, ap);
    va_end(ap);
    return directive_error(c->d, &t, "%s", message);
}

const char *cel_type_name(enum cel_type type)
{
    switch (type) {
    case CEL_BOOL:
        return "a condition";
    case CEL_INT:
        return "a number";
    case CEL_STRING:
        return "a text";
    case CEL_LIST:
        return "a list";
    case CEL_NULL:
        return "null";
    case CEL_DYN:
        return "a placeholder";
    case CEL_MAP:
        return "a map";
    case CEL_ERROR:
        break;
    }
    return "nothing";
}

/* ---- words and nodes ---- */

static bool is_sign(const struct cel_compiler *c, const char *sign)
{
    return c->word.kind == CEL_WORD_SIGN && str_is(c->word.text, sign);
}

/* 1: it was there and is taken; 0: it was not; -1: error. */
static int take_if(struct cel_compiler *c, const char *sign)
{
    if (!is_sign(c, sign))
        return 0;
    return cel_next(c) == 0 ? 1 : -1;
}

static int unexpected(struct cel_compiler *c, const char *wanted)
{
    if (c->word.kind == CEL_WORD_END)
        return cel_error(c, c->word.at, "the expression ends where %s should follow", wanted);
    return cel_error(c, c->word.at, "here should be %s, not '" STR_FMT "'", wanted,
                     STR_ARG(((struct str){c->text.p + c->word.at, c->at - c->word.at})));
}

static int expect(struct cel_compiler *c, const char *sign)
{
    char wanted[8];

    if (is_sign(c, sign))
        return cel_next(c);
    snprintf(wanted, sizeof wanted, "'%s'", sign);
    return unexpected(c, wanted);
}

static struct cel_node *make(struct cel_compiler *c, enum cel_kind kind, enum cel_type type,
                             size_t at)
{
    struct cel_node *n = arena_alloc(c->d->arena, sizeof *n);

    n->kind = kind;
    n->type = type;
    n->at = at;
    if (++c->nodes <= CEL_NODES_MAX)
        return n;
    cel_error(c, at, "an expression may have %d parts", CEL_NODES_MAX);
    return NULL;
}

static void add_kid(struct cel_compiler *c, struct cel_node *n, struct cel_node *kid)
{
    n->kids = arena_grow(c->d->arena, n->kids, n->n, &n->cap, sizeof *n->kids);
    n->kids[n->n++] = kid;
}

static bool may_be(const struct cel_node *n, enum cel_type type)
{
    return n->type == type || n->type == CEL_DYN;
}

static int wrong_type(const struct cel_compiler *c, const struct cel_node *n, const char *wanted)
{
    return cel_error(c, n->at, "this is %s, and should be %s", cel_type_name(n->type), wanted);
}

/* ---- the grammar, from the inside out; each function returns NULL after an error ---- */

static struct cel_node *parse_expression(struct cel_compiler *c);

/* The elements of a list up to the closing sign, in kids. A comma may follow the last one. */
static int parse_items(struct cel_compiler *c, struct cel_node *n, const char *close, bool map)
{
    int more = 1;

    while (more == 1 && !is_sign(c, close)) {
        struct cel_node *item = parse_expression(c);

        if (item == NULL)
            return -1;
        add_kid(c, n, item);
        if (map) {
            if (expect(c, ":") != 0 || (item = parse_expression(c)) == NULL)
                return -1;
            add_kid(c, n, item);
        }
        more = take_if(c, ",");
    }
    return more == -1 ? -1 : expect(c, close);
}

static struct cel_node *parse_list(struct cel_compiler *c, const char *close, enum cel_type type)
{
    struct cel_node *n = make(c, CEL_ITEMS, type, c->word.at);

    if (n == NULL || cel_next(c) != 0 || parse_items(c, n, close, type == CEL_MAP) != 0)
        return NULL;
    for (size_t i = 0; i < n->n && type == CEL_LIST; i++)
        if (n->kids[i]->type == CEL_MAP || n->kids[i]->type == CEL_LIST) {
            wrong_type(c, n->kids[i], "a text, a number or a placeholder");
            return NULL;
        }
    return n;
}

static struct cel_node *parse_string(struct cel_compiler *c)
{
    struct cel_node *n = make(c, CEL_LITERAL, CEL_STRING, c->word.at);

    if (n == NULL)
        return NULL;
    n->value = (struct cel_value){CEL_STRING, c->word.number, c->word.text};
    return cel_next(c) == 0 ? n : NULL;
}

static struct cel_node *parse_int(struct cel_compiler *c)
{
    struct cel_node *n = make(c, CEL_LITERAL, CEL_INT, c->word.at);

    if (n == NULL)
        return NULL;
    n->value = (struct cel_value){.type = CEL_INT, .number = c->word.number};
    return cel_next(c) == 0 ? n : NULL;
}

static struct cel_node *parse_placeholder(struct cel_compiler *c)
{
    struct cel_node *n = make(c, CEL_TEXT, CEL_DYN, c->word.at);
    const struct token t = cel_token(c, c->word.at, c->word.text);

    if (n == NULL || directive_text(c->d, &t, &n->text) != 0)
        return NULL;
    n->value.text = arena_str(c->d->arena, c->word.text);
    return cel_next(c) == 0 ? n : NULL;
}

/* A constant by its name, or NULL. */
static struct cel_node *named_constant(struct cel_compiler *c)
{
    static const struct {
        const char *name;
        struct cel_value value;
    } constants[] = {{"true", {CEL_BOOL, 1, {NULL, 0}}},
                     {"false", {CEL_BOOL, 0, {NULL, 0}}},
                     {"null", {CEL_NULL, 0, {NULL, 0}}}};
    struct cel_node *n;

    for (size_t i = 0; i < sizeof constants / sizeof constants[0]; i++) {
        if (!str_is(c->word.text, constants[i].name))
            continue;
        n = make(c, CEL_LITERAL, constants[i].value.type, c->word.at);
        if (n != NULL)
            n->value = constants[i].value;
        return n;
    }
    return NULL;
}

static struct cel_node *parse_name(struct cel_compiler *c)
{
    struct str name = c->word.text;
    struct cel_node *n = named_constant(c);

    if (n != NULL)
        return cel_next(c) == 0 ? n : NULL;
    if ((n = make(c, CEL_CALL, CEL_BOOL, c->word.at)) == NULL || cel_next(c) != 0)
        return NULL;
    if (!is_sign(c, "(")) {
        cel_error(c, n->at,
                  "'" STR_FMT "' is no value: a placeholder is written {name}, a text in "
                  "quotes, and a function has its arguments in parentheses",
                  STR_ARG(name));
        return NULL;
    }
    if (cel_next(c) != 0 || parse_items(c, n, ")", false) != 0 || cel_make_call(c, n, name) != 0)
        return NULL;
    return n;
}

static struct cel_node *parse_parentheses(struct cel_compiler *c)
{
    struct cel_node *n;

    if (cel_next(c) != 0 || (n = parse_expression(c)) == NULL || expect(c, ")") != 0)
        return NULL;
    return n;
}

static struct cel_node *parse_primary(struct cel_compiler *c)
{
    switch (c->word.kind) {
    case CEL_WORD_STRING:
        return parse_string(c);
    case CEL_WORD_INT:
        return parse_int(c);
    case CEL_WORD_PLACEHOLDER:
        return parse_placeholder(c);
    case CEL_WORD_NAME:
        return parse_name(c);
    case CEL_WORD_SIGN:
        if (is_sign(c, "("))
            return parse_parentheses(c);
        if (is_sign(c, "["))
            return parse_list(c, "]", CEL_LIST);
        if (is_sign(c, "{"))
            return parse_list(c, "}", CEL_MAP);
        break;
    case CEL_WORD_END:
        break;
    }
    unexpected(c, "a value");
    return NULL;
}

/* ".name(arguments)" behind a target. */
static struct cel_node *parse_method(struct cel_compiler *c, struct cel_node *target)
{
    struct cel_node *n = make(c, CEL_CALL, CEL_BOOL, c->word.at);
    struct str name = c->word.text;

    if (n == NULL)
        return NULL;
    if (c->word.kind != CEL_WORD_NAME) {
        unexpected(c, "the name of a method");
        return NULL;
    }
    add_kid(c, n, target);
    if (cel_next(c) != 0 || expect(c, "(") != 0 || parse_items(c, n, ")", false) != 0 ||
        cel_make_method(c, n, name) != 0)
        return NULL;
    return n;
}

static struct cel_node *parse_member(struct cel_compiler *c)
{
    struct cel_node *n = parse_primary(c);

    while (n != NULL && is_sign(c, "."))
        n = cel_next(c) == 0 ? parse_method(c, n) : NULL;
    if (n != NULL && is_sign(c, "[")) {
        cel_error(c, c->word.at, "elements by their index are not supported");
        return NULL;
    }
    return n;
}

static struct cel_node *parse_unary(struct cel_compiler *c)
{
    bool minus = is_sign(c, "-");
    struct cel_node *n, *kid;

    if (!minus && !is_sign(c, "!"))
        return parse_member(c);
    n = make(c, minus ? CEL_MINUS : CEL_NOT, minus ? CEL_INT : CEL_BOOL, c->word.at);
    if (n == NULL || ++c->depth > CEL_DEPTH_MAX) {
        cel_error(c, c->word.at, "this is nested too deeply");
        return NULL;
    }
    if (cel_next(c) != 0 || (kid = parse_unary(c)) == NULL)
        return NULL;
    c->depth--;
    add_kid(c, n, kid);
    if (may_be(kid, n->type))
        return n;
    wrong_type(c, kid, cel_type_name(n->type));
    return NULL;
}

/* ---- operators ---- */

static int check_numbers(struct cel_compiler *c, struct cel_node *n)
{
    n->type = CEL_INT;
    for (size_t i = 0; i < 2; i++)
        if (!may_be(n->kids[i], CEL_INT))
            return wrong_type(c, n->kids[i], "a number");
    return 0;
}

/* Numbers are added, texts are joined; two placeholders are texts. */
static int check_sum(struct cel_compiler *c, struct cel_node *n)
{
    const struct cel_node *a = n->kids[0], *b = n->kids[1];

    if (a->type == CEL_INT || b->type == CEL_INT)
        return check_numbers(c, n);
    n->type = CEL_STRING;
    for (size_t i = 0; i < 2; i++)
        if (!may_be(n->kids[i], CEL_STRING))
            return wrong_type(c, n->kids[i], "a text or a number");
    return 0;
}

static int check_equal(struct cel_compiler *c, struct cel_node *n)
{
    const struct cel_node *a = n->kids[0], *b = n->kids[1];

    n->type = CEL_BOOL;
    for (size_t i = 0; i < 2; i++)
        if (n->kids[i]->type == CEL_LIST || n->kids[i]->type == CEL_MAP)
            return wrong_type(c, n->kids[i], "a text, a number or a condition");
    if (a->type == b->type || a->type == CEL_DYN || b->type == CEL_DYN || a->type == CEL_NULL ||
        b->type == CEL_NULL)
        return 0;
    return cel_error(c, n->at, "%s is compared with %s", cel_type_name(a->type),
                     cel_type_name(b->type));
}

static int check_order(struct cel_compiler *c, struct cel_node *n)
{
    n->type = CEL_BOOL;
    for (size_t i = 0; i < 2; i++)
        if (!may_be(n->kids[i], CEL_INT) && !may_be(n->kids[i], CEL_STRING))
            return wrong_type(c, n->kids[i], "a number or a text");
    return check_equal(c, n);
}

static int check_in(struct cel_compiler *c, struct cel_node *n)
{
    n->type = CEL_BOOL;
    if (n->kids[1]->type != CEL_LIST)
        return wrong_type(c, n->kids[1], "a list: ['a', 'b']");
    if (n->kids[0]->type == CEL_LIST || n->kids[0]->type == CEL_MAP)
        return wrong_type(c, n->kids[0], "a text or a number");
    return 0;
}

/* By level: those that bind tighter come later. */
static const struct operator
{
    const char *sign;
    enum cel_kind kind;
    int (*check)(struct cel_compiler * c, struct cel_node * n);
}
relations[] = {{"==", CEL_EQ, check_equal}, {"!=", CEL_NE, check_equal},
               {"<", CEL_LT, check_order},  {"<=", CEL_LE, check_order},
               {">", CEL_GT, check_order},  {">=", CEL_GE, check_order},
               {"in", CEL_IN, check_in},    {NULL, CEL_EQ, NULL}},
    sums[] = {{"+", CEL_ADD, check_sum}, {"-", CEL_SUB, check_numbers}, {NULL, CEL_EQ, NULL}},
    products[] = {{"*", CEL_MUL, check_numbers},
                  {"/", CEL_DIV, check_numbers},
                  {"%", CEL_MOD, check_numbers},
                  {NULL, CEL_EQ, NULL}};

static const struct operator* operator_at(const struct cel_compiler *c, const struct operator* list)
{
    if (c->word.kind != CEL_WORD_SIGN && c->word.kind != CEL_WORD_NAME)
        return NULL;
    for (; list->sign != NULL; list++)
        if (str_is(c->word.text, list->sign))
            return list;
    return NULL;
}

static struct cel_node *parse_binary(struct cel_compiler *c, const struct operator* list)
{
    const struct operator* const tighter = list == relations ? sums
    : list == sums                                           ? products
                                                             : NULL;
    struct cel_node *left = tighter == NULL ? parse_unary(c) : parse_binary(c, tighter);
    const struct operator* op;

    while (left != NULL && (op = operator_at(c, list)) != NULL) {
        struct cel_node *n = make(c, op->kind, CEL_BOOL, c->word.at), *right;

        if (n == NULL || cel_next(c) != 0)
            return NULL;
        right = tighter == NULL ? parse_unary(c) : parse_binary(c, tighter);
        if (right == NULL)
            return NULL;
        add_kid(c, n, left);
        add_kid(c, n, right);
        if (op->check(c, n) != 0)
            return NULL;
        left = n;
    }
    return left;
}

static int add_condition(struct cel_compiler *c, struct cel_node *n, struct cel_node *kid)
{
    if (kid == NULL)
        return -1;
    if (!may_be(kid, CEL_BOOL))
        return wrong_type(c, kid, "a condition");
    add_kid(c, n, kid);
    return 0;
}

/* "a && b && c" is one node. */
static struct cel_node *parse_logic(struct cel_compiler *c, bool all)
{
    const char *sign = all ? "&&" : "||";
    struct cel_node *first = all ? parse_binary(c, relations) : parse_logic(c, true), *n;

    if (first == NULL || !is_sign(c, sign))
        return first;
    n = make(c, all ? CEL_AND : CEL_OR, CEL_BOOL, c->word.at);
    if (n == NULL || add_condition(c, n, first) != 0)
        return NULL;
    while (is_sign(c, sign))
        if (cel_next(c) != 0 ||
            add_condition(c, n, all ? parse_binary(c, relations) : parse_logic(c, true)) != 0)
            return NULL;
    return n;
}

static struct cel_node *parse_conditional(struct cel_compiler *c)
{
    struct cel_node *test = parse_logic(c, false), *n, *yes, *no;

    if (test == NULL || !is_sign(c, "?"))
        return test;
    n = make(c, CEL_COND, CEL_BOOL, c->word.at);
    if (n == NULL || add_condition(c, n, test) != 0 || cel_next(c) != 0)
        return NULL;
    if ((yes = parse_logic(c, false)) == NULL || expect(c, ":") != 0 ||
        (no = parse_expression(c)) == NULL)
        return NULL;
    add_kid(c, n, yes);
    add_kid(c, n, no);
    n->type = yes->type == CEL_DYN ? no->type : yes->type;
    if (may_be(no, n->type) && may_be(yes, n->type) && n->type != CEL_LIST && n->type != CEL_MAP)
        return n;
    cel_error(c, n->at, "the values of '?' and ':' are %s and %s: they have to be alike",
              cel_type_name(yes->type), cel_type_name(no->type));
    return NULL;
}

static struct cel_node *parse_expression(struct cel_compiler *c)
{
    struct cel_node *n;

    if (++c->depth > CEL_DEPTH_MAX) {
        cel_error(c, c->word.at, "this is nested too deeply");
        return NULL;
    }
    n = parse_conditional(c);
    c->depth--;
    return n;
}

/* ---- the whole ---- */

/* A placeholder in quotes is one only where a matcher reads it. */
static int check_strings(const struct cel_compiler *c, const struct cel_node *n)
{
    if (n->kind == CEL_LITERAL && n->type == CEL_STRING && n->value.number != 0)
        return cel_error(c, n->at,
                         "a placeholder stands outside of quotes, joined by '+'; '\\{' is "
                         "a brace itself");
    for (size_t i = 0; i < n->n; i++)
        if (check_strings(c, n->kids[i]) != 0)
            return -1;
    return 0;
}

static const struct cel_node *parse_all(struct cel_compiler *c)
{
    const struct cel_node *n;

    if (cel_next(c) != 0 || (n = parse_expression(c)) == NULL)
        return NULL;
    if (c->word.kind != CEL_WORD_END) {
        unexpected(c, "an operator, or the end");
        return NULL;
    }
    if (n->type != CEL_BOOL) {
        cel_error(c, n->at, "the expression is %s, and should be a condition",
                  cel_type_name(n->type));
        return NULL;
    }
    return check_strings(c, n) == 0 ? n : NULL;
}

static size_t length(const struct directive_args *d)
{
    size_t n = 0;

    for (size_t i = 0; i < d->n_args; i++)
        n += d->args[i].text.len + sizeof "' ' ";
    return n;
}

/* The arguments with spaces between them. Of several, those that were quoted get quotes again: they
 * are texts. */
static void join(struct cel_compiler *c)
{
    const struct directive_args *d = c->d;
    char *text = arena_bytes(d->arena, length(d)), *out = text;

    c->segments = arena_alloc(d->arena, d->n_args * sizeof *c->segments);
    c->n_segments = d->n_args;
    for (size_t i = 0; i < d->n_args; i++) {
        const struct token *t = &d->args[i];
        bool quoted = t->quoted && d->n_args > 1;
        const char quote = str_chr(t->text, '"') < t->text.len ? '`' : '"';

        if (i > 0)
            *out++ = ' ';
        c->segments[i] = (struct cel_segment){(size_t)(out - text), t, quoted};
        if (quoted)
            *out++ = quote;
        if (t->text.len > 0)
            out = mempcpy(out, t->text.p, t->text.len);
        if (quoted)
            *out++ = quote;
    }
    c->text = (struct str){text, (size_t)(out - text)};
}

const struct cel_node *cel_compile(const struct directive_args *d)
{
    struct cel_compiler c = {.d = d};

    if (length(d) > CEL_TEXT_MAX) {
        directive_error(d, &d->args[0], "an expression may have %d bytes", CEL_TEXT_MAX);
        return NULL;
    }
    join(&c);
    return parse_all(&c);
}
