#include "http/match_header.h"
#include "http/exchange.h"
#include "http/matchers.h"
#include "http/placeholder.h"

struct wanted_field {
    struct str name;
    bool absent;         /* there must be none */
    struct text *values; /* any of them: "*" at either end stands for anything */
    size_t n, cap;
};

struct header_condition {
    struct wanted_field *list; /* each of them */
    size_t n, cap;
};

/* ---- matching ---- */

static bool contains(struct str s, struct str part)
{
    return part.len == 0 || (s.len > 0 && memmem(s.p, s.len, part.p, part.len) != NULL);
}

static bool value_matches(struct str pattern, struct str value)
{
    bool open_front = str_starts(pattern, STR_LIT("*"));
    bool open_end = pattern.len > 1 && str_ends(pattern, STR_LIT("*"));
    struct str rest = pattern;

    if (open_front)
        rest = str_from(rest, 1);
    if (open_end)
        rest.len--;
    if (open_front && open_end)
        return contains(value, rest);
    if (open_front)
        return str_ends(value, rest);
    return open_end ? str_starts(value, rest) : str_eq(value, rest);
}

bool header_next_value(const struct exchange *ex, struct str name, size_t *at, struct str *value)
{
    /* The authority of the target counts before that of the field (RFC 9112 3.2.2). */
    if (str_eq_nocase(name, STR_LIT("Host"))) {
        *value = ex->authority;
        return (*at)++ == 0 && ex->authority.len > 0;
    }
    for (; *at < ex->request.n; ++*at) {
        const struct field *f = &ex->request.list[*at];

        if (!str_eq_nocase(f->name, name))
            continue;
        ++*at;
        *value = f->value;
        return true;
    }
    return false;
}

static bool field_matches(const struct wanted_field *w, struct exchange *ex)
{
    struct str value;
    size_t at = 0;

    while (header_next_value(ex, w->name, &at, &value)) {
        if (w->absent)
            return false;
        for (size_t i = 0; i < w->n; i++)
            if (value_matches(text_expand(&w->values[i], ex), value))
                return true;
    }
    return w->absent;
}

static bool header_matches(const void *conf, struct exchange *ex)
{
    const struct header_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (!field_matches(&c->list[i], ex))
            return false;
    return true;
}

/* ---- configuration ---- */

static struct wanted_field *field_of(const struct directive_args *d, struct str name)
{
    struct header_condition *c = d->target;

    for (size_t i = 0; i < c->n; i++)
        if (str_eq_nocase(c->list[i].name, name))
            return &c->list[i];
    c->list = arena_grow(d->arena, c->list, c->n, &c->cap, sizeof *c->list);
    c->list[c->n].name = arena_str(d->arena, name);
    return &c->list[c->n++];
}

static int set_absent(const struct directive_args *d, struct str name)
{
    struct wanted_field *w;

    if (name.len == 0)
        return directive_error(d, &d->args[0], "the name of a field is missing behind the '!'");
    if (d->n_args > 1)
        return directive_error(d, &d->args[1], "a field that must not be there has no value");
    w = field_of(d, name);
    w->absent = true;
    w->n = 0;
    return 0;
}

static int header_set(const struct directive_args *d)
{
    struct str name = d->args[0].text;
    struct wanted_field *w;

    if (str_starts(name, STR_LIT("!")))
        return set_absent(d, str_from(name, 1));
    if (d->n_args == 1)
        return directive_error(d, &d->args[0],
                               "a value is missing; '*' stands for any: header " STR_FMT " *",
                               STR_ARG(name));
    w = field_of(d, name);
    w->absent = false;
    for (size_t i = 1; i < d->n_args; i++) {
        w->values = arena_grow(d->arena, w->values, w->n, &w->cap, sizeof *w->values);
        if (directive_text(d, &d->args[i], &w->values[w->n++]) != 0)
            return -1;
    }
    return 0;
}

const struct matcher_type header_matcher = {.row = {.name = "header",
                                                    .min_args = 1,
                                                    .max_args = -1,
                                                    .conf_size = sizeof(struct header_condition),
                                                    .set = header_set,
                                                    .help = "header [!]<field> [<value>...]"},
                                            .match = header_matches};
