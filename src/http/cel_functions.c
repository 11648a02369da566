#include "base/alloc.h"
#include "conf/diag.h"
#include "http/cel_priv.h"

struct cel_function {
    const char *name;
    bool method;
    unsigned n;             /* arguments, with the target of a method */
    enum cel_type takes[3]; /* CEL_DYN: anything but a map */
    enum cel_type result;
    struct cel_value (*run)(const struct cel_node *n, const struct cel_value *args,
                            struct arena *a);
};

/* ---- what they do ---- */

static struct cel_value condition(bool b)
{
    return (struct cel_value){.type = CEL_BOOL, .number = b};
}

static struct cel_value number(size_t n)
{
    return (struct cel_value){.type = CEL_INT, .number = (int64_t)n};
}

static struct cel_value text(struct str s)
{
    return (struct cel_value){.type = CEL_STRING, .text = s};
}

static struct cel_value starts_with(const struct cel_node *n, const struct cel_value *args,
                                    struct arena *a)
{
    (void)n;
    (void)a;
    return condition(str_starts(args[0].text, args[1].text));
}

static struct cel_value ends_with(const struct cel_node *n, const struct cel_value *args,
                                  struct arena *a)
{
    (void)n;
    (void)a;
    return condition(str_ends(args[0].text, args[1].text));
}

static bool holds(struct str s, struct str part)
{
    return part.len == 0 || (s.len > 0 && memmem(s.p, s.len, part.p, part.len) != NULL);
}

static struct cel_value contains(const struct cel_node *n, const struct cel_value *args,
                                 struct arena *a)
{
    (void)n;
    (void)a;
    return condition(holds(args[0].text, args[1].text));
}

static struct cel_value matches(const struct cel_node *n, const struct cel_value *args,
                                struct arena *a)
{
    return condition(regex_matches(n->regex, a, args[0].text, NULL));
}

/* In characters. */
static struct cel_value size(const struct cel_node *n, const struct cel_value *args,
                             struct arena *a)
{
    struct str s = args[0].text;
    size_t chars = 0;

    (void)a;
    if (n->kids[0]->type == CEL_LIST)
        return number(n->kids[0]->n);
    for (; s.len > 0; chars++) {
        size_t len = str_utf8_len(s);

        s = str_from(s, len == 0 ? 1 : len);
    }
    return number(chars);
}

static struct cel_value cased(struct str s, struct arena *a, char first, int by)
{
    char *p = arena_bytes(a, s.len + 1);

    for (size_t i = 0; i < s.len; i++)
        p[i] = s.p[i] >= first && s.p[i] <= first + 25 ? (char)(s.p[i] + by) : s.p[i];
    return text((struct str){p, s.len});
}

static struct cel_value lower(const struct cel_node *n, const struct cel_value *args,
                              struct arena *a)
{
    (void)n;
    return cased(args[0].text, a, 'A', 'a' - 'A');
}

static struct cel_value upper(const struct cel_node *n, const struct cel_value *args,
                              struct arena *a)
{
    (void)n;
    return cased(args[0].text, a, 'a', 'A' - 'a');
}

static bool is_blank(char c)
{
    return memchr(" \t\r\n\f\v", c, 6) != NULL;
}

static struct cel_value trim(const struct cel_node *n, const struct cel_value *args,
                             struct arena *a)
{
    struct str s = args[0].text;

    (void)n;
    (void)a;
    while (s.len > 0 && is_blank(s.p[0]))
        s = str_from(s, 1);
    while (s.len > 0 && is_blank(s.p[s.len - 1]))
        s.len--;
    return text(s);
}

static struct cel_value to_int(const struct cel_node *n, const struct cel_value *args,
                               struct arena *a)
{
    struct cel_value v = {.type = CEL_INT};

    (void)n;
    (void)a;
    if (!cel_number_of(&args[0], &v.number))
        return (struct cel_value){.type = CEL_ERROR, .number = 500};
    return v;
}

static struct cel_value to_string(const struct cel_node *n, const struct cel_value *args,
                                  struct arena *a)
{
    (void)n;
    return text(cel_text_of(&args[0], a));
}

/* ---- the table ---- */

static const struct cel_function functions[] = {
    {"startsWith", true, 2, {CEL_STRING, CEL_STRING}, CEL_BOOL, starts_with},
    {"endsWith", true, 2, {CEL_STRING, CEL_STRING}, CEL_BOOL, ends_with},
    {"contains", true, 2, {CEL_STRING, CEL_STRING}, CEL_BOOL, contains},
    {"matches", true, 2, {CEL_STRING, CEL_STRING}, CEL_BOOL, matches},
    {"size", true, 1, {CEL_DYN}, CEL_INT, size},
    {"lowerAscii", true, 1, {CEL_STRING}, CEL_STRING, lower},
    {"upperAscii", true, 1, {CEL_STRING}, CEL_STRING, upper},
    {"trim", true, 1, {CEL_STRING}, CEL_STRING, trim},
    {"matches", false, 2, {CEL_STRING, CEL_STRING}, CEL_BOOL, matches},
    {"size", false, 1, {CEL_DYN}, CEL_INT, size},
    {"int", false, 1, {CEL_DYN}, CEL_INT, to_int},
    {"string", false, 1, {CEL_DYN}, CEL_STRING, to_string},
};

static const char *const matcher_names[] = {
    "client_ip",   "file",     "header", "header_regexp", "host", "method",     "path",
    "path_regexp", "protocol", "query",  "remote_ip",     "vars", "vars_regexp"};

static const struct cel_function *find(struct str name, bool method)
{
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (functions[i].method == method && str_is(name, functions[i].name))
            return &functions[i];
    return NULL;
}

static int unknown(struct cel_compiler *c, const struct cel_node *n, struct str name, bool method)
{
    struct nearest nearest;

    nearest_init(&nearest, name);
    for (size_t i = 0; i < ARRAY_LEN(functions); i++)
        if (functions[i].method == method)
            nearest_offer(&nearest, str_of(functions[i].name));
    for (size_t i = 0; i < ARRAY_LEN(matcher_names) && !method; i++)
        nearest_offer(&nearest, str_of(matcher_names[i]));
    if (nearest.best.len > 0)
        return cel_error(c, n->at, "unknown %s '" STR_FMT "'; did you mean '" STR_FMT "'?",
                         method ? "method" : "function", STR_ARG(name), STR_ARG(nearest.best));
    if (method)
        return cel_error(c, n->at,
                         "unknown method '" STR_FMT "': there are startsWith, endsWith, contains, "
                         "matches, size, lowerAscii, upperAscii, trim",
                         STR_ARG(name));
    return cel_error(c, n->at,
                     "unknown function '" STR_FMT
                     "': there are the matchers, int, string, size and "
                     "matches; '!' says 'not'",
                     STR_ARG(name));
}

/* The expression of matches() is compiled here, and so has to be known. */
static int compile_regex(struct cel_compiler *c, struct cel_node *n)
{
    const struct cel_node *pattern = n->kids[1];
    struct err e;

    if (pattern->kind != CEL_LITERAL || pattern->type != CEL_STRING)
        return cel_error(c, pattern->at, "a regular expression is a text in quotes");
    n->kids[1]->value.number = 0; /* braces are the expression's own */
    n->regex = regex_new(c->d->arena, pattern->value.text, &e);
    return n->regex != NULL ? 0 : cel_error(c, pattern->at, "%s", e.msg);
}

static int check_argument(struct cel_compiler *c, const struct cel_function *f,
                          const struct cel_node *arg, enum cel_type wanted)
{
    bool list = arg->type == CEL_LIST && f->run != size;

    if (arg->type == CEL_MAP || list)
        return cel_error(c, arg->at, "'%s' takes no %s", f->name, list ? "list" : "map");
    if (wanted == CEL_DYN || arg->type == wanted || arg->type == CEL_DYN)
        return 0;
    return cel_error(c, arg->at, "'%s' takes %s here, and this is %s", f->name,
                     cel_type_name(wanted), cel_type_name(arg->type));
}

static int make_call(struct cel_compiler *c, struct cel_node *n, const struct cel_function *f)
{
    unsigned own = f->method ? 1 : 0;

    if (n->n != f->n)
        return cel_error(c, n->at, "'%s' takes %u argument%s", f->name, f->n - own,
                         f->n - own == 1 ? "" : "s");
    for (size_t i = 0; i < n->n; i++)
        if (check_argument(c, f, n->kids[i], f->takes[i]) != 0)
            return -1;
    n->function = f;
    n->type = f->result;
    return f->run == matches ? compile_regex(c, n) : 0;
}

int cel_make_method(struct cel_compiler *c, struct cel_node *n, struct str name)
{
    const struct cel_function *f = find(name, true);

    return f == NULL ? unknown(c, n, name, true) : make_call(c, n, f);
}

int cel_make_call(struct cel_compiler *c, struct cel_node *n, struct str name)
{
    const struct cel_function *f = find(name, false);
    bool is_matcher;
    int rc;

    if (f != NULL)
        return make_call(c, n, f);
    rc = cel_make_matcher(c, n, name, &is_matcher);
    return is_matcher ? rc : unknown(c, n, name, false);
}

/* Texts are looked at as such, also those of placeholders. */
struct cel_value cel_call(const struct cel_node *n, const struct cel_value *args, struct arena *a)
{
    return n->function->run(n, args, a);
}
