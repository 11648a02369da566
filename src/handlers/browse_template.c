#include "handlers/browse_template.h"

#include "base/alloc.h"
#include "base/siphash.h"
#include "http/www_pages.h"

#include <pthread.h>
#include <stdlib.h>

/* ---- compiling ---- */

enum { NESTED_MAX = 16, NAME_MOST = 32 };

struct compiler {
    struct arena *a;
    struct str text;
    size_t at;
    struct browse_op *ops;
    size_t n, cap;
    size_t open[NESTED_MAX]; /* the sections around */
    size_t depth;
    enum browse_scope_kind scope;
    struct err *e;
};

/* Says it with the line of the byte at which it is. */
static int fail(struct compiler *c, size_t at, const char *what, struct str tag)
{
    unsigned line = 1;

    for (size_t i = 0; i < at; i++)
        line += c->text.p[i] == '\n';
    tag.len = tag.len > NAME_MOST ? NAME_MOST : tag.len;
    err_set(c->e, ERR_SYNTAX, "line %u: '{{" STR_FMT "}}' %s", line, STR_ARG(tag), what);
    return err_at(c->e, at);
}

static struct browse_op *add(struct compiler *c, enum browse_op_kind kind)
{
    c->ops = arena_grow(c->a, c->ops, c->n, &c->cap, sizeof *c->ops);
    c->ops[c->n] = (struct browse_op){.kind = kind};
    return &c->ops[c->n++];
}

static const struct browse_value *find(enum browse_scope_kind scope, struct str name)
{
    for (const struct browse_value *v = browse_values; v->name != NULL; v++)
        if (v->scope == scope && str_is(name, v->name))
            return v;
    return scope == SCOPE_PAGE ? NULL : find(SCOPE_PAGE, name);
}

static const char *nearest(enum browse_scope_kind scope, struct str name)
{
    const char *best = NULL;
    unsigned least = 3; /* farther away it is another word */

    for (const struct browse_value *v = browse_values; v->name != NULL; v++) {
        unsigned distance = str_distance(name, str_of(v->name));

        if (distance < least && distance < name.len &&
            (v->scope == scope || v->scope == SCOPE_PAGE)) {
            best = v->name;
            least = distance;
        }
    }
    return best;
}

static int unknown(struct compiler *c, size_t at, struct str tag, struct str name)
{
    const char *near = nearest(c->scope, name);

    for (const struct browse_value *v = browse_values; v->name != NULL; v++) {
        if (v->scope != SCOPE_PAGE && str_is(name, v->name))
            return fail(c, at,
                        v->scope == SCOPE_ENTRY ? "stands in {{#entries}}...{{/entries}} only"
                                                : "stands in {{#crumbs}}...{{/crumbs}} only",
                        tag);
    }
    if (near == NULL)
        return fail(c, at, "is no value of a list; lintel.conf(5) has them all", tag);
    return fail(c, at, arena_printf(c->a, "is no value of a list; did you mean '%s'?", near).p,
                tag);
}

static int open_section(struct compiler *c, size_t at, struct str tag, const struct browse_value *v)
{
    bool is_list = v->elements != SCOPE_PAGE && tag.p[0] == '#';
    struct browse_op *op;

    if (c->depth == NESTED_MAX)
        return fail(c, at, "is nested too deeply", tag);
    if (is_list && c->scope != SCOPE_PAGE)
        return fail(c, at, "cannot stand in another list", tag);
    c->open[c->depth++] = c->n;
    op = add(c, is_list ? OP_EACH : tag.p[0] == '#' ? OP_IF : OP_IF_NOT);
    op->value = v;
    if (is_list)
        c->scope = v->elements;
    return 0;
}

static int close_section(struct compiler *c, size_t at, struct str tag, struct str name)
{
    size_t begin;
    struct browse_op *op;

    if (c->depth == 0)
        return fail(c, at, "closes nothing", tag);
    begin = c->open[--c->depth];
    if (!str_is(name, c->ops[begin].value->name))
        return fail(c, at,
                    arena_printf(c->a, "stands where {{/%s}} should", c->ops[begin].value->name).p,
                    tag);
    op = add(c, OP_END);
    op->value = c->ops[begin].value;
    op->other = begin;
    c->ops[begin].other = c->n - 1;
    if (c->ops[begin].kind == OP_EACH)
        c->scope = SCOPE_PAGE;
    return 0;
}

static int compile_tag(struct compiler *c, size_t at, struct str tag)
{
    bool is_section = tag.len > 0 && strchr("#^/", tag.p[0]) != NULL;
    struct str name = str_trim(is_section ? str_from(tag, 1) : tag);
    const struct browse_value *v;

    if (tag.len > 0 && tag.p[0] == '!')
        return 0; /* a comment */
    if (is_section && tag.p[0] == '/')
        return close_section(c, at, tag, name);
    v = find(c->scope, name);
    if (v == NULL)
        return unknown(c, at, tag, name);
    if (is_section)
        return open_section(c, at, tag, v);
    if (v->put == NULL)
        return fail(c, at,
                    arena_printf(c->a, "is yes or no: {{#%s}}...{{/%s}}", v->name, v->name).p, tag);
    add(c, OP_VALUE)->value = v;
    return 0;
}

/* As in Mustache, a section's tag that has a line to itself leaves no line behind. text: what is
 * before it, from the last tag on; its indentation is cut off. The bytes to pass over after it. */
static size_t take_line(const struct compiler *c, struct str *text, size_t end)
{
    size_t len = text->len;

    while (len > 0 && (text->p[len - 1] == ' ' || text->p[len - 1] == '\t'))
        len--;
    if ((len > 0 ? text->p[len - 1] != '\n' : text->p != c->text.p && text->p[-1] != '\n') ||
        end == c->text.len || c->text.p[end] != '\n')
        return 0;
    text->len = len;
    return 1;
}

static void add_text(struct compiler *c, struct str text)
{
    if (text.len > 0)
        add(c, OP_TEXT)->text = text;
}

/* What comes before the next tag, and the tag. */
static int compile_piece(struct compiler *c)
{
    struct str text = str_from(c->text, c->at), tag;
    const char *begin = memmem(text.p, text.len, "{{", 2), *end;
    size_t after = 0;

    if (begin == NULL) {
        add_text(c, text);
        c->at = c->text.len;
        return 0;
    }
    end = memmem(begin, text.len - (size_t)(begin - text.p), "}}", 2);
    text.len = (size_t)(begin - text.p);
    if (end == NULL)
        return fail(c, c->at + text.len, "has no end", STR_LIT("..."));
    tag = str_trim((struct str){begin + 2, (size_t)(end - begin) - 2});
    if (tag.len > 0 && strchr("#^/!", tag.p[0]) != NULL)
        after = take_line(c, &text, (size_t)(end + 2 - c->text.p));
    add_text(c, text);
    c->at = (size_t)(end + 2 - c->text.p) + after;
    return compile_tag(c, (size_t)(begin - c->text.p), tag);
}

static int compile(struct compiler *c)
{
    while (c->at < c->text.len)
        if (compile_piece(c) != 0)
            return -1;
    if (c->depth > 0)
        return fail(c, c->text.len, "is missing at the end",
                    arena_printf(c->a, "/%s", c->ops[c->open[c->depth - 1]].value->name));
    add(c, OP_LAST);
    return 0;
}

const struct browse_template *browse_template_new(struct arena *a, struct str text, struct err *e)
{
    struct compiler c = {.a = a, .text = text, .e = e};
    struct browse_template *t;

    if (compile(&c) != 0)
        return NULL;
    t = arena_alloc(a, sizeof *t);
    t->arena = a;
    t->ops = c.ops;
    t->hash = siphash(&(struct siphash_key){{0}}, text);
    return t;
}

/* ---- our own ---- */

static pthread_once_t once = PTHREAD_ONCE_INIT;
static const struct browse_template *our_own;

static void compile_our_own(void)
{
    struct err e;

    our_own = browse_template_new(arena_new(), www_browse_html, &e);
    if (our_own == NULL)
        abort(); /* a test compiles it */
}

const struct browse_template *browse_template_default(void)
{
    pthread_once(&once, compile_our_own);
    return our_own;
}

/* ---- running ---- */

static bool is(struct browse_out *o, const struct browse_value *v)
{
    char first[16];
    struct browse_pen p = {first, first + sizeof first};

    if (v->is != NULL)
        return v->is(o);
    v->put(o, &p);
    return p.at > first;
}

/* Goes to the first element of a list. */
static void first(struct browse_out *o, const struct browse_value *list)
{
    if (list->elements == SCOPE_CRUMB)
        o->crumb = 0;
    else
        o->row = o->show->from;
}

/* Goes to the next element; false if there is none. */
static bool further(struct browse_out *o, const struct browse_value *list)
{
    return list->elements == SCOPE_CRUMB ? ++o->crumb < browse_crumbs(o->show)
                                         : ++o->row < o->show->to;
}

static bool put_value(struct browse_out *o, const struct browse_value *v)
{
    struct browse_pen p = browse_out_pen(o);

    v->put(o, &p);
    browse_out_done(o, &p);
    return o->piece.len > 0;
}

/* Where to go on after the beginning or end of a section. */
static size_t jump(struct browse_out *o, const struct browse_op *ops, size_t at)
{
    const struct browse_op *op = &ops[at];
    bool repeats = op->kind == OP_END && ops[op->other].kind == OP_EACH;

    if (op->kind == OP_END)
        return repeats && further(o, op->value) ? op->other + 1 : at + 1;
    if (is(o, op->value) == (op->kind == OP_IF_NOT))
        return op->other + 1;
    if (op->kind == OP_EACH)
        first(o, op->value);
    return at + 1;
}

static bool next(struct browse_out *o)
{
    const struct browse_op *ops = o->show->page->ops;

    for (;;) {
        const struct browse_op *op = &ops[o->step];

        switch (op->kind) {
        case OP_TEXT:
            o->step++;
            o->piece = op->text;
            return true;
        case OP_VALUE:
            o->step++;
            if (put_value(o, op->value))
                return true;
            break;
        case OP_IF:
        case OP_IF_NOT:
        case OP_EACH:
        case OP_END:
            o->step = jump(o, ops, o->step);
            break;
        case OP_LAST:
            return false;
        }
    }
}

const struct browse_form browse_html = {STR_LIT("text/html"), STR_LIT("text/html; charset=utf-8"),
                                        next};
