/* The matchers by regular expressions, and what they catch: {re.NAME.1}, {re.1}. */
#include "base/regex.h"
#include "http/match_header.h"
#include "http/match_vars.h"
#include "http/matchers.h"
#include "http/vars.h"

/* What becomes of a group. */
struct capture {
    struct str key; /* in http/vars.h */
    size_t group;
};

struct regexp {
    const struct regex *regex;
    struct capture *captures;
    size_t n, cap;
};

/* ---- matching ---- */

static bool regexp_matches(const struct regexp *r, struct exchange *ex, struct str text)
{
    struct regex_match m;

    if (!regex_matches(r->regex, ex->arena, text, &m))
        return false;
    for (size_t i = 0; i < r->n; i++)
        vars_set(ex, r->captures[i].key, m.groups[r->captures[i].group]);
    return true;
}

/* ---- configuration ---- */

static void add_capture(struct arena *a, struct regexp *r, size_t group, struct str name,
                        struct str suffix)
{
    r->captures = arena_grow(a, r->captures, r->n, &r->cap, sizeof *r->captures);
    r->captures[r->n++] =
        (struct capture){arena_printf(a, "re." STR_FMT "%s" STR_FMT, STR_ARG(name),
                                      name.len > 0 ? "." : "", STR_ARG(suffix)),
                         group};
}

static void add_captures(struct arena *a, struct regexp *r, size_t group, struct str suffix,
                         struct str name)
{
    add_capture(a, r, group, STR_LIT(""), suffix);
    if (name.len > 0)
        add_capture(a, r, group, name, suffix);
}

static bool is_name(struct str s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '_' && c != '-')
            return false;
    }
    return true;
}

/* name: NULL for that of the named matcher. */
static int regexp_set(const struct directive_args *d, const struct token *name,
                      const struct token *pattern, struct regexp *out)
{
    struct str called = directive_matcher_name(d);

    if (name != NULL && !is_name(name->text))
        return directive_error(d, name,
                               "'" STR_FMT "' is no name: it has only letters, digits, "
                               "'_' and '-'",
                               STR_ARG(name->text));
    if (name != NULL && name->text.len > 0)
        called = name->text;
    out->regex = directive_regex(d, pattern);
    if (out->regex == NULL)
        return -1;
    for (size_t i = 0; i < regex_groups(out->regex); i++) {
        struct str group_name = regex_group_name(out->regex, i);

        add_captures(d->arena, out, i, arena_printf(d->arena, "%zu", i), called);
        if (group_name.len > 0)
            add_captures(d->arena, out, i, group_name, called);
    }
    return 0;
}

/* ---- path_regexp ---- */

static bool path_regexp_matches(const void *conf, struct exchange *ex)
{
    return regexp_matches(conf, ex, ex->path);
}

static int path_regexp_set(const struct directive_args *d)
{
    struct regexp *r = d->target;

    if (r->regex != NULL)
        return directive_error(d, &d->node->words[0],
                               "there can be one 'path_regexp' in a matcher; 'expression' has "
                               "'||'");
    return regexp_set(d, d->n_args == 2 ? &d->args[0] : NULL, &d->args[d->n_args - 1], r);
}

const struct matcher_type path_regexp_matcher = {.row = {.name = "path_regexp",
                                                         .min_args = 1,
                                                         .max_args = 2,
                                                         .conf_size = sizeof(struct regexp),
                                                         .set = path_regexp_set,
                                                         .help = "path_regexp [<name>] <regexp>"},
                                                 .match = path_regexp_matches};

/* ---- header_regexp ---- */

struct field_regexp {
    struct str field;
    struct regexp regexp;
};

struct header_regexp_condition {
    struct field_regexp *list; /* each of them */
    size_t n, cap;
};

static bool field_matches(const struct field_regexp *f, struct exchange *ex)
{
    struct str value;
    size_t at = 0;

    while (header_next_value(ex, f->field, &at, &value))
        if (regexp_matches(&f->regexp, ex, value))
            return true;
    return false;
}

static bool header_regexp_matches(const void *conf, struct exchange *ex)
{
    const struct header_regexp_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (!field_matches(&c->list[i], ex))
            return false;
    return true;
}

static int header_regexp_set(const struct directive_args *d)
{
    struct header_regexp_condition *c = d->target;
    const struct token *field = &d->args[d->n_args - 2];
    struct field_regexp *f;

    for (size_t i = 0; i < c->n; i++)
        if (str_eq_nocase(c->list[i].field, field->text))
            return directive_error(d, field,
                                   "there can be one 'header_regexp' for a field in a matcher; "
                                   "'expression' has '||'");
    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    f = &c->list[c->n++];
    f->field = directive_str(d, field);
    return regexp_set(d, d->n_args == 3 ? &d->args[0] : NULL, &d->args[d->n_args - 1], &f->regexp);
}

const struct matcher_type header_regexp_matcher = {
    .row = {.name = "header_regexp",
            .min_args = 2,
            .max_args = 3,
            .conf_size = sizeof(struct header_regexp_condition),
            .set = header_regexp_set,
            .help = "header_regexp [<name>] <field> <regexp>"},
    .match = header_regexp_matches};

/* ---- vars_regexp ---- */

struct variable_regexp {
    struct variable variable;
    struct regexp regexp;
};

struct vars_regexp_condition {
    struct variable_regexp *list; /* any of them, as in Caddy */
    size_t n, cap;
};

static bool vars_regexp_matches(const void *conf, struct exchange *ex)
{
    const struct vars_regexp_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (regexp_matches(&c->list[i].regexp, ex, variable_get(&c->list[i].variable, ex)))
            return true;
    return false;
}

static int vars_regexp_set(const struct directive_args *d)
{
    struct vars_regexp_condition *c = d->target;
    const struct token *name = &d->args[d->n_args - 2];
    struct variable_regexp *v;

    for (size_t i = 0; i < c->n; i++)
        if (str_eq(c->list[i].variable.source, name->text))
            return directive_error(d, name,
                                   "there can be one 'vars_regexp' for a variable in a matcher; "
                                   "'expression' has '||'");
    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    v = &c->list[c->n++];
    if (variable_set(d, name, &v->variable) != 0)
        return -1;
    return regexp_set(d, d->n_args == 3 ? &d->args[0] : NULL, &d->args[d->n_args - 1], &v->regexp);
}

const struct matcher_type vars_regexp_matcher = {
    .row = {.name = "vars_regexp",
            .min_args = 2,
            .max_args = 3,
            .conf_size = sizeof(struct vars_regexp_condition),
            .set = vars_regexp_set,
            .help = "vars_regexp [<name>] <variable> <regexp>"},
    .match = vars_regexp_matches};
