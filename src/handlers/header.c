/* Operations that only add or set are carried out at once: later handlers leave alone what is set
 * already. The others, and all of a directive with one of them in it, have to see the fields of the
 * whole response and wait for it. */
#include "handlers/header.h"

#include "base/alloc.h"
#include "base/regex.h"
#include "http/handler.h"
#include "http/placeholder.h"
#include "http/prepared.h"

enum op_kind { OP_SET, OP_ADD, OP_DEFAULT, OP_DELETE, OP_DELETE_GLOB, OP_REPLACE };

struct op {
    enum op_kind kind;
    struct str name; /* of OP_DELETE_GLOB: with a star at its beginning, its end, or both */
    struct text value;
    const struct regex *find; /* OP_REPLACE */
};

struct header_conf {
    struct op *ops;
    size_t n_ops, cap_ops;
    bool deferred;
};

/* ---- configuration ---- */

static bool is_token(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return s.len > 0;
}

/* The framing of messages is the engines': to change it here would break the connection. */
static const char *const framing[] = {"Content-Length", "Transfer-Encoding", "Connection",
                                      "Keep-Alive",     "Upgrade",           "Trailer"};

static int check_name(const struct directive_args *d, const struct token *t, struct str name)
{
    if (str_ends(name, STR_LIT(":")))
        return directive_error(d, t, "a field name is written without ':'");
    if (!is_token(name))
        return directive_error(d, t, "'" STR_FMT "' is no field name", STR_ARG(name));
    for (size_t i = 0; i < ARRAY_LEN(framing); i++)
        if (str_eq_nocase(name, str_of(framing[i])))
            return directive_error(d, t, "'%s' belongs to the protocol and cannot be changed",
                                   framing[i]);
    return 0;
}

static int set_replace(const struct directive_args *d, const struct token *find, struct op *op,
                       struct header_conf *conf)
{
    struct err e;

    op->kind = OP_REPLACE;
    conf->deferred = true;
    op->find = regex_new(d->arena, find->text, &e);
    return op->find != NULL ? 0 : directive_error(d, find, "%s", e.msg);
}

/* The sign before the name; without one, OP_SET. */
static enum op_kind take_sign(struct str *name, bool *deferred)
{
    enum op_kind kind = OP_SET;

    switch (name->len > 0 ? name->p[0] : '\0') {
    case '+':
        kind = OP_ADD;
        break;
    case '-':
        kind = OP_DELETE;
        break;
    case '?':
        kind = OP_DEFAULT;
        break;
    case '>':
        break;
    default:
        return kind;
    }
    *deferred |= kind != OP_ADD;
    *name = str_from(*name, 1);
    return kind;
}

/* words: [+|-|?|>]name [value | find replacement] */
static int add_op(const struct directive_args *d, const struct token *words, size_t n,
                  struct header_conf *conf)
{
    struct op op = {0};
    struct str name = words[0].text;
    size_t wanted = 2;

    op.kind = take_sign(&name, &conf->deferred);
    if (check_name(d, &words[0], name) != 0)
        return -1;
    if (op.kind == OP_DELETE)
        wanted = 1;
    else if (op.kind == OP_SET && n == 3)
        wanted = 3;
    if (n != wanted)
        return directive_error(d, &words[n < wanted ? 0 : wanted],
                               n < wanted ? "a value is missing" : "nothing more can stand here");
    if (op.kind == OP_DELETE && memchr(name.p, '*', name.len) != NULL)
        op.kind = OP_DELETE_GLOB;
    op.name = arena_str(d->arena, name);
    if (n > 1 && directive_text(d, &words[n - 1], &op.value) != 0)
        return -1;
    if (n == 3 && set_replace(d, &words[1], &op, conf) != 0)
        return -1;
    conf->ops = arena_grow(d->arena, conf->ops, conf->n_ops, &conf->cap_ops, sizeof op);
    conf->ops[conf->n_ops++] = op;
    return 0;
}

static int header_set(const struct directive_args *d)
{
    struct header_conf *conf = d->target;
    int rc = 0;

    if (d->n_args > 0)
        rc = add_op(d, d->args, d->n_args, conf);
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (line->n_words == 1 && str_is(line->words[0].text, "defer"))
            conf->deferred = true;
        else if (line->has_block)
            rc = directive_error(d, &line->words[0], "this has no block");
        else if (add_op(d, line->words, line->n_words, conf) != 0)
            rc = -1;
    }
    if (d->n_args == 0 && d->node->n_children == 0)
        return directive_error(d, &d->node->words[0], "'header' needs a field, or a block");
    return rc;
}

/* ---- operations ---- */

/* "X-*", "*-Id", "*debug*" */
static bool glob_matches(struct str glob, struct str name)
{
    bool open_front = str_starts(glob, STR_LIT("*"));
    bool open_end = glob.len > 1 && str_ends(glob, STR_LIT("*"));

    if (open_front)
        glob = str_from(glob, 1);
    if (open_end)
        glob.len--;
    for (size_t at = 0; at + glob.len <= name.len; at++)
        if ((at == 0 || open_front) && (at + glob.len == name.len || open_end) &&
            str_eq_nocase((struct str){name.p + at, glob.len}, glob))
            return true;
    return false;
}

static bool op_matches(const struct op *op, struct str name)
{
    return op->kind == OP_DELETE_GLOB ? glob_matches(op->name, name)
                                      : str_eq_nocase(op->name, name);
}

static void delete_matching(struct fields *f, const struct op *op)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (!op_matches(op, f->list[i].name))
            f->list[kept++] = f->list[i];
    f->n = kept;
}

static void replace_in(struct exchange *ex, const struct op *op)
{
    struct str with = text_expand(&op->value, ex);

    for (size_t i = 0; i < ex->response.n; i++) {
        struct field *line = &ex->response.list[i];

        if (op_matches(op, line->name))
            line->value = fields_clean_value(ex->arena,
                                             regex_replace(op->find, ex->arena, line->value, with));
    }
}

static void run_op(struct exchange *ex, const struct op *op)
{
    struct fields *f = &ex->response;
    struct str value = fields_clean_value(ex->arena, text_expand(&op->value, ex));

    switch (op->kind) {
    case OP_SET:
        fields_set(f, ex->arena, op->name, value);
        break;
    case OP_ADD:
        fields_add(f, ex->arena, op->name, value);
        break;
    case OP_DEFAULT:
        if (fields_get(f, op->name).p == NULL)
            fields_add(f, ex->arena, op->name, value);
        break;
    case OP_DELETE:
    case OP_DELETE_GLOB:
        delete_matching(f, op);
        break;
    case OP_REPLACE:
        replace_in(ex, op);
        break;
    }
}

static void run_all(struct exchange *ex, const void *arg)
{
    const struct header_conf *conf = arg;

    for (size_t i = 0; i < conf->n_ops; i++)
        run_op(ex, &conf->ops[i]);
}

/* Whether an operation concerns a field of a prepared response. One that sets does not: what is set
 * for the exchange goes before what is prepared. */
static bool needs_fields(const struct prepared *p, const void *arg)
{
    const struct header_conf *conf = arg;

    for (size_t i = 0; i < conf->n_ops; i++)
        for (size_t j = 0; conf->ops[i].kind != OP_SET && j < p->fields.n; j++)
            if (op_matches(&conf->ops[i], p->fields.list[j].name))
                return true;
    return false;
}

static enum verdict header_handle(const void *conf_, struct exchange *ex)
{
    const struct header_conf *conf = conf_;

    if (conf->deferred)
        exchange_on_respond_if(ex, run_all, needs_fields, conf);
    else
        run_all(ex, conf);
    return NEXT;
}

static const struct handler_type header_handler = {.name = "header", .handle = header_handle};

const struct directive header_directives[] = {
    {.name = "header",
     .places = IN_HANDLERS,
     .min_args = 0,
     .max_args = 3,
     .block = true,
     .type = &header_handler,
     .conf_size = sizeof(struct header_conf),
     .set = header_set,
     .help = "header [matcher] [+|-|?|>]<field> [<value>|<find> <replacement>]: response fields"},
    {0},
};
