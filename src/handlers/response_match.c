#include "handlers/response_match.h"

#include "base/alloc.h"

/* A value is compared byte by byte, but for stars at its ends. */
struct wanted {
    struct str text; /* without the stars */
    bool open_front;
    bool open_end;
};

struct header_rule {
    struct str name;
    bool absent; /* "!": the field must not be there */
    struct wanted *values;
    size_t n, cap;
};

/* ---- configuration ---- */

static int add_status(const struct directive_args *d, const struct token *t,
                      struct response_match *m)
{
    struct str text = t->text;
    uint64_t n;

    if (text.len == 3 && str_ends(text, STR_LIT("xx")))
        text.len = 1;
    if (!str_to_uint(text, 599, &n) || n == 0 || (n > 5 && n < 100))
        return directive_error(d, t,
                               "'" STR_FMT "' is no status (100 to 599) and no class of them (2xx)",
                               STR_ARG(t->text));
    m->statuses =
        arena_grow(d->arena, m->statuses, m->n_statuses, &m->cap_statuses, sizeof *m->statuses);
    m->statuses[m->n_statuses++] = (uint16_t)n;
    return 0;
}

static struct header_rule *rule_of(const struct directive_args *d, struct response_match *m,
                                   struct str name)
{
    for (size_t i = 0; i < m->n_headers; i++)
        if (str_eq_nocase(m->headers[i].name, name))
            return &m->headers[i];
    m->headers =
        arena_grow(d->arena, m->headers, m->n_headers, &m->cap_headers, sizeof *m->headers);
    m->headers[m->n_headers] = (struct header_rule){.name = arena_str(d->arena, name)};
    return &m->headers[m->n_headers++];
}

static struct wanted wanted_of(const struct directive_args *d, const struct token *t)
{
    struct wanted w = {.text = directive_str(d, t)};

    if (str_starts(w.text, STR_LIT("*"))) {
        w.open_front = true;
        w.text = str_from(w.text, 1);
    }
    if (str_ends(w.text, STR_LIT("*"))) {
        w.open_end = true;
        w.text.len--;
    }
    return w;
}

/* words: header [!]field [value] */
static int add_header(const struct directive_args *d, const struct token *words, size_t n,
                      struct response_match *m)
{
    struct str name = n > 1 ? words[1].text : STR_LIT("");
    bool absent = str_starts(name, STR_LIT("!"));
    struct header_rule *rule;

    if (absent)
        name = str_from(name, 1);
    if (name.len == 0)
        return directive_error(d, &words[0], "'header' needs a field");
    if (n != (absent ? 2 : 3))
        return directive_error(d, &words[n > 3 ? 3 : n - 1],
                               n < 3    ? "a value is missing: 'header <field> <value>'"
                               : absent ? "with '!', no value can stand here"
                                        : "nothing more can stand here");
    rule = rule_of(d, m, name);
    if (absent) {
        rule->absent = true;
        return 0;
    }
    rule->values = arena_grow(d->arena, rule->values, rule->n, &rule->cap, sizeof *rule->values);
    rule->values[rule->n++] = wanted_of(d, &words[2]);
    return 0;
}

int response_match_add_statuses(const struct directive_args *d, const struct token *list, size_t n,
                                struct response_match *out)
{
    int rc = 0;

    for (size_t i = 0; i < n; i++)
        if (add_status(d, &list[i], out) != 0)
            rc = -1;
    return rc;
}

/* One criterion: its name, and what follows. */
static int add(const struct directive_args *d, const struct token *words, size_t n,
               struct response_match *m)
{
    static const char *const criteria[] = {"header", "status", NULL};

    if (str_is(words[0].text, "header"))
        return add_header(d, words, n, m);
    if (!str_is(words[0].text, "status"))
        return directive_unknown(d, &words[0], "response matcher", criteria);
    if (n == 1)
        return directive_error(d, &words[0], "'status' needs a code");
    return response_match_add_statuses(d, words + 1, n - 1, m);
}

int response_match_set(const struct directive_args *d, struct response_match *out)
{
    int rc = 0;

    if (d->n_args == 0 && d->node->n_children == 0)
        return directive_error(d, &d->node->words[0], "'" STR_FMT "' needs 'status' or 'header'",
                               STR_ARG(d->node->words[0].text));
    if (d->n_args > 0 && add(d, d->args, d->n_args, out) != 0)
        rc = -1;
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (line->has_block)
            rc = directive_error(d, &line->words[0], "this has no block");
        else if (add(d, line->words, line->n_words, out) != 0)
            rc = -1;
    }
    return rc;
}

/* ---- matching ---- */

static bool value_matches(const struct wanted *w, struct str value)
{
    if (value.len < w->text.len)
        return false;
    if (w->open_front && w->open_end)
        return w->text.len == 0 || memmem(value.p, value.len, w->text.p, w->text.len) != NULL;
    if (w->open_front)
        return str_ends(value, w->text);
    if (w->open_end)
        return str_starts(value, w->text);
    return str_eq(value, w->text);
}

static bool rule_holds(const struct header_rule *rule, const struct fields *fields)
{
    if (rule->absent)
        return fields_get(fields, rule->name).p == NULL;
    for (size_t i = 0; i < fields->n; i++)
        for (size_t j = 0; str_eq_nocase(fields->list[i].name, rule->name) && j < rule->n; j++)
            if (value_matches(&rule->values[j], fields->list[i].value))
                return true;
    return false;
}

bool response_match(const struct response_match *m, int status, const struct fields *fields)
{
    bool as_wanted = m->n_statuses == 0;

    for (size_t i = 0; !as_wanted && i < m->n_statuses; i++)
        as_wanted = m->statuses[i] == status || m->statuses[i] == status / 100;
    for (size_t i = 0; as_wanted && i < m->n_headers; i++)
        as_wanted = rule_holds(&m->headers[i], fields);
    return as_wanted;
}
