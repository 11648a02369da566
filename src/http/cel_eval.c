#include "http/cel_priv.h"
#include "http/match.h"
#include "http/placeholder.h"

static const struct cel_value failed = {.type = CEL_ERROR, .number = 500};

static struct cel_value condition(bool b)
{
    return (struct cel_value){.type = CEL_BOOL, .number = b};
}

/* ---- values ---- */

struct str cel_text_of(const struct cel_value *v, struct arena *a)
{
    switch (v->type) {
    case CEL_STRING:
    case CEL_DYN:
        return v->text;
    case CEL_INT:
        return arena_printf(a, "%lld", (long long)v->number);
    case CEL_BOOL:
        return v->number != 0 ? STR_LIT("true") : STR_LIT("false");
    case CEL_LIST:
    case CEL_NULL:
    case CEL_MAP:
    case CEL_ERROR:
        break;
    }
    return STR_LIT("");
}

bool cel_number_of(const struct cel_value *v, int64_t *number)
{
    struct str digits = v->text;
    bool minus = str_starts(digits, STR_LIT("-"));
    uint64_t value;

    if (v->type == CEL_INT) {
        *number = v->number;
        return true;
    }
    if (v->type != CEL_STRING && v->type != CEL_DYN)
        return false;
    if (minus)
        digits = str_from(digits, 1);
    if (!str_to_uint(digits, INT64_MAX, &value))
        return false;
    *number = minus ? -(int64_t)value : (int64_t)value;
    return true;
}

static bool is_text(const struct cel_value *v)
{
    return v->type == CEL_STRING || v->type == CEL_DYN;
}

/* One of them null. An unset placeholder is null, and empty. */
static bool equals_null(const struct cel_value *a, const struct cel_value *b)
{
    const struct cel_value *other = a->type == CEL_NULL ? b : a;

    return other->type == CEL_NULL || (other->type == CEL_DYN && other->text.len == 0);
}

static bool equal(const struct cel_value *a, const struct cel_value *b)
{
    int64_t x, y;

    if (a->type == CEL_NULL || b->type == CEL_NULL)
        return equals_null(a, b);
    if (is_text(a) && is_text(b))
        return str_eq(a->text, b->text);
    if (a->type == CEL_INT || b->type == CEL_INT)
        return cel_number_of(a, &x) && cel_number_of(b, &y) && x == y;
    if (a->type == CEL_BOOL && b->type == CEL_BOOL)
        return a->number == b->number;
    return str_eq(cel_text_of(a, NULL), cel_text_of(b, NULL));
}

/* ---- operators ---- */

static struct cel_value order(enum cel_kind kind, const struct cel_value *a,
                              const struct cel_value *b)
{
    int64_t x, y;
    int c;

    if (is_text(a) && is_text(b))
        c = str_cmp(a->text, b->text);
    else if (cel_number_of(a, &x) && cel_number_of(b, &y))
        c = (x > y) - (x < y);
    else
        return failed;
    switch (kind) {
    case CEL_LT:
        return condition(c < 0);
    case CEL_LE:
        return condition(c <= 0);
    case CEL_GT:
        return condition(c > 0);
    default:
        return condition(c >= 0);
    }
}

static struct cel_value calculate(enum cel_kind kind, const struct cel_value *a,
                                  const struct cel_value *b)
{
    struct cel_value v = {.type = CEL_INT};
    bool overflow = false;
    int64_t x, y;

    if (!cel_number_of(a, &x) || !cel_number_of(b, &y))
        return failed;
    switch (kind) {
    case CEL_ADD:
        overflow = __builtin_add_overflow(x, y, &v.number);
        break;
    case CEL_SUB:
        overflow = __builtin_sub_overflow(x, y, &v.number);
        break;
    case CEL_MUL:
        overflow = __builtin_mul_overflow(x, y, &v.number);
        break;
    default:
        if (y == 0 || (x == INT64_MIN && y == -1))
            return failed;
        v.number = kind == CEL_DIV ? x / y : x % y;
    }
    return overflow ? failed : v;
}

static struct cel_value join(const struct cel_value *a, const struct cel_value *b,
                             struct arena *arena)
{
    if (a->text.len + b->text.len > CEL_JOINED_MAX)
        return failed;
    return (struct cel_value){
        .type = CEL_STRING,
        .text = arena_printf(arena, STR_FMT STR_FMT, STR_ARG(a->text), STR_ARG(b->text))};
}

/* ---- the tree ---- */

static struct cel_value eval(const struct cel_node *n, struct exchange *ex);

/* A condition, or an error. */
static struct cel_value eval_condition(const struct cel_node *n, struct exchange *ex)
{
    struct cel_value v = eval(n, ex);

    if (v.type != CEL_DYN)
        return v;
    if (str_is(v.text, "true"))
        return condition(true);
    return str_is(v.text, "false") ? condition(false) : failed;
}

/* What decides does so whether or not another part fails. */
static struct cel_value eval_logic(const struct cel_node *n, struct exchange *ex)
{
    const bool decides = n->kind == CEL_OR;
    struct cel_value result = condition(!decides);

    for (size_t i = 0; i < n->n; i++) {
        struct cel_value v = eval_condition(n->kids[i], ex);

        if (v.type == CEL_ERROR)
            result = result.type == CEL_ERROR ? result : v;
        else if ((v.number != 0) == decides)
            return v;
    }
    return result;
}

static struct cel_value eval_in(const struct cel_node *n, struct exchange *ex)
{
    const struct cel_node *list = n->kids[1];
    struct cel_value a = eval(n->kids[0], ex);

    if (a.type == CEL_ERROR)
        return a;
    for (size_t i = 0; i < list->n; i++) {
        struct cel_value b = eval(list->kids[i], ex);

        if (b.type == CEL_ERROR || equal(&a, &b))
            return b.type == CEL_ERROR ? b : condition(true);
    }
    return condition(false);
}

static struct cel_value eval_binary(const struct cel_node *n, struct exchange *ex)
{
    struct cel_value a = eval(n->kids[0], ex), b;

    if (a.type == CEL_ERROR)
        return a;
    b = eval(n->kids[1], ex);
    if (b.type == CEL_ERROR)
        return b;
    switch (n->kind) {
    case CEL_EQ:
    case CEL_NE:
        return condition(equal(&a, &b) == (n->kind == CEL_EQ));
    case CEL_LT:
    case CEL_LE:
    case CEL_GT:
    case CEL_GE:
        return order(n->kind, &a, &b);
    default:
        return n->type == CEL_STRING ? join(&a, &b, ex->arena) : calculate(n->kind, &a, &b);
    }
}

static struct cel_value eval_call(const struct cel_node *n, struct exchange *ex)
{
    struct cel_value args[3];

    for (size_t i = 0; i < n->n; i++) {
        if (n->kids[i]->type == CEL_LIST)
            continue;
        args[i] = eval(n->kids[i], ex);
        if (args[i].type == CEL_ERROR)
            return args[i];
    }
    return cel_call(n, args, ex->arena);
}

static struct cel_value eval_matcher(const struct cel_node *n, struct exchange *ex)
{
    bool holds = matcher_matches(&n->matcher, ex);
    int status = ex->match_error;

    ex->match_error = 0;
    if (status != 0)
        return (struct cel_value){.type = CEL_ERROR, .number = status};
    return condition(holds);
}

static struct cel_value eval_cond(const struct cel_node *n, struct exchange *ex)
{
    struct cel_value test = eval_condition(n->kids[0], ex);

    if (test.type == CEL_ERROR)
        return test;
    return eval(n->kids[test.number != 0 ? 1 : 2], ex);
}

static struct cel_value eval_sign(const struct cel_node *n, struct exchange *ex)
{
    const struct cel_value zero = {.type = CEL_INT, .number = 0};
    struct cel_value v;

    if (n->kind == CEL_NOT) {
        v = eval_condition(n->kids[0], ex);
        return v.type == CEL_ERROR ? v : condition(v.number == 0);
    }
    v = eval(n->kids[0], ex);
    return v.type == CEL_ERROR ? v : calculate(CEL_SUB, &zero, &v);
}

static struct cel_value eval(const struct cel_node *n, struct exchange *ex)
{
    switch (n->kind) {
    case CEL_LITERAL:
        return n->value;
    case CEL_TEXT:
        return (struct cel_value){.type = CEL_DYN, .text = text_expand(&n->text, ex)};
    case CEL_ITEMS:
        return failed;
    case CEL_MATCHER:
        return eval_matcher(n, ex);
    case CEL_CALL:
        return eval_call(n, ex);
    case CEL_NOT:
    case CEL_MINUS:
        return eval_sign(n, ex);
    case CEL_AND:
    case CEL_OR:
        return eval_logic(n, ex);
    case CEL_COND:
        return eval_cond(n, ex);
    case CEL_IN:
        return eval_in(n, ex);
    case CEL_EQ:
    case CEL_NE:
    case CEL_LT:
    case CEL_LE:
    case CEL_GT:
    case CEL_GE:
    case CEL_ADD:
    case CEL_SUB:
    case CEL_MUL:
    case CEL_DIV:
    case CEL_MOD:
        return eval_binary(n, ex);
    }
    return failed;
}

bool cel_holds(const struct cel_node *n, struct exchange *ex)
{
    struct cel_value v = eval_condition(n, ex);

    if (v.type == CEL_ERROR)
        ex->match_error = (int)v.number;
    return v.type == CEL_BOOL && v.number != 0;
}

static bool text_reads_answer(const struct text *t)
{
    for (size_t i = 0; i < t->n_parts; i++) {
        enum placeholder kind = t->parts[i].kind;

        if (kind == PH_ANSWER_STATUS || kind == PH_ANSWER_STATUS_TEXT || kind == PH_ANSWER_HEADER)
            return true;
    }
    return false;
}

bool cel_reads_answer(const struct cel_node *n)
{
    for (size_t i = 0; i < n->n; i++)
        if (cel_reads_answer(n->kids[i]))
            return true;
    return text_reads_answer(&n->text);
}
