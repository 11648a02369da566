#include "handlers/map.h"

#include "base/regex.h"
#include "http/handler.h"
#include "http/placeholder.h"
#include "http/vars.h"

/* What a line says for one destination. */
struct output {
    bool said;
    struct text text;    /* of an exact input, and of the defaults */
    struct str template; /* of an expression, with "${1}" for its groups */
};

struct mapping {
    struct str input;
    const struct regex *re;       /* NULL: the input is meant exactly */
    const struct output *outputs; /* one for each destination */
};

struct map_conf;

/* The variable's function gets one of these. */
struct destination {
    struct str name; /* of the variable: "map.x" */
    const struct map_conf *map;
    size_t index;
};

struct map_conf {
    struct text source;
    struct destination *destinations;
    size_t n_destinations;
    struct mapping *mappings; /* in the order of the file */
    size_t n_mappings;
    const struct mapping **exact; /* hashed by input; n_exact is a power of two, or 0 */
    size_t n_exact;
    const struct mapping **expressions; /* in the order of the file */
    size_t n_expressions;
    const struct output *defaults; /* NULL: none */
};

/* ---- exact inputs ---- */

static const struct mapping **place_of(const struct map_conf *map, struct str input)
{
    size_t i = str_hash_nocase(input) & (map->n_exact - 1);

    while (map->exact[i] != NULL && !str_eq(map->exact[i]->input, input))
        i = (i + 1) & (map->n_exact - 1);
    return &map->exact[i];
}

static const struct mapping *find_exact(const struct map_conf *map, struct str input)
{
    return map->n_exact == 0 ? NULL : *place_of(map, input);
}

/* ---- configuration ---- */

static int set_destinations(const struct directive_args *d, struct map_conf *map)
{
    int rc = 0;

    map->n_destinations = d->n_args - 1;
    map->destinations = arena_alloc(d->arena, map->n_destinations * sizeof *map->destinations);
    for (size_t i = 0; i < map->n_destinations; i++) {
        struct destination *to = &map->destinations[i];

        *to = (struct destination){.map = map, .index = i};
        if (directive_defined(d, &d->args[i + 1], &to->name) != 0)
            rc = -1;
    }
    return rc;
}

/* The outputs of a line. One that is left out is not said, and so is "-", but among the defaults.
 */
static int read_outputs(const struct directive_args *d, const struct node *line, bool is_expression,
                        bool is_default, const struct output **out)
{
    const struct map_conf *map = d->target;
    struct output *list = arena_alloc(d->arena, map->n_destinations * sizeof *list);
    int rc = 0;

    *out = list;
    if (line->has_block)
        return directive_error(d, &line->words[0], "a line of a map has no block");
    if (line->n_words - 1 > map->n_destinations)
        return directive_error(d, &line->words[map->n_destinations + 1],
                               "there is no destination for this output");
    for (size_t i = 0; i + 1 < line->n_words; i++) {
        const struct token *t = &line->words[i + 1];

        list[i].said = is_default || !str_is(t->text, "-");
        if (is_expression)
            list[i].template = directive_str(d, t);
        else if (list[i].said && directive_text(d, t, &list[i].text) != 0)
            rc = -1;
    }
    return rc;
}

static int read_expression(const struct directive_args *d, const struct token *t, struct mapping *m)
{
    struct err e;

    m->input = str_from(m->input, 1);
    m->re = regex_new(d->arena, m->input, &e);
    return m->re != NULL ? 0 : directive_error(d, t, "%s", e.msg);
}

static int read_mapping(const struct directive_args *d, const struct node *line)
{
    struct map_conf *map = d->target;
    struct mapping *m = &map->mappings[map->n_mappings++];
    const struct token *t = &line->words[0];
    const bool is_expression = str_starts(t->text, STR_LIT("~"));

    m->input = directive_str(d, t);
    if (is_expression && read_expression(d, t, m) != 0)
        return -1;
    if (!is_expression && find_exact(map, m->input) != NULL)
        return directive_error(d, t, "'" STR_FMT "' was mapped already", STR_ARG(m->input));
    if (is_expression)
        map->expressions[map->n_expressions++] = m;
    else
        *place_of(map, m->input) = m;
    return read_outputs(d, line, is_expression, false, &m->outputs);
}

static int read_line(const struct directive_args *d, const struct node *line)
{
    struct map_conf *map = d->target;

    if (!str_is(line->words[0].text, "default"))
        return read_mapping(d, line);
    if (map->defaults != NULL)
        return directive_error(d, &line->words[0], "'default' was already given");
    return read_outputs(d, line, false, true, &map->defaults);
}

/* Room for as many lines as there are; a table at most half full. */
static void make_room(const struct directive_args *d, struct map_conf *map)
{
    const size_t n = d->node->n_children + 1;

    for (map->n_exact = 2; map->n_exact < 2 * n;)
        map->n_exact *= 2;
    map->mappings = arena_alloc(d->arena, n * sizeof *map->mappings);
    map->expressions = arena_alloc(d->arena, n * sizeof(*map->expressions));
    map->exact = arena_alloc(d->arena, map->n_exact * sizeof(*map->exact));
}

static int map_set(const struct directive_args *d)
{
    struct map_conf *map = d->target;
    int rc = directive_text(d, &d->args[0], &map->source);

    if (set_destinations(d, map) != 0)
        rc = -1;
    make_room(d, map);
    for (size_t i = 0; i < d->node->n_children; i++)
        if (read_line(d, &d->node->children[i]) != 0)
            rc = -1;
    return rc;
}

/* ---- an exchange ---- */

/* The output of the expressions from *next on that stand before a mapping (NULL: all) for the
 * first one that matches and says something. */
static bool try_expressions(const struct map_conf *map, struct exchange *ex, struct str input,
                            size_t index, const struct mapping *before, size_t *next,
                            struct str *value)
{
    for (; *next < map->n_expressions; (*next)++) {
        const struct mapping *m = map->expressions[*next];
        struct regex_match match;

        if (before != NULL && m > before)
            return false;
        if (!m->outputs[index].said || !regex_matches(m->re, ex->arena, input, &match))
            continue;
        *value = regex_expand(m->re, ex->arena, m->outputs[index].template, &match);
        return true;
    }
    return false;
}

static struct str expand(const struct output *output, struct exchange *ex, bool *own)
{
    *own = output->text.constant;
    return text_expand(&output->text, ex);
}

/* The first line of the file that matches and says something for this destination. */
static struct str value_of(struct exchange *ex, const void *arg, bool *own)
{
    const struct destination *to = arg;
    const struct map_conf *map = to->map;
    struct str input = text_expand(&map->source, ex), value;
    const struct mapping *exact = find_exact(map, input);
    size_t next = 0;

    if (exact != NULL && !exact->outputs[to->index].said)
        exact = NULL;
    if (exact != NULL && try_expressions(map, ex, input, to->index, exact, &next, &value))
        return value;
    if (exact != NULL)
        return expand(&exact->outputs[to->index], ex, own);
    if (try_expressions(map, ex, input, to->index, NULL, &next, &value))
        return value;
    return map->defaults == NULL ? STR_LIT("") : expand(&map->defaults[to->index], ex, own);
}

/* Values are found when they are used, as in Caddy: by then the source may be another, such as the
 * user's name or a variable. */
static enum verdict map_handle(const void *conf, struct exchange *ex)
{
    const struct map_conf *map = conf;

    for (size_t i = 0; i < map->n_destinations; i++)
        vars_set_function(ex, map->destinations[i].name, value_of, &map->destinations[i]);
    return NEXT;
}

static const struct handler_type map_handler = {.name = "map", .handle = map_handle};

const struct directive map_directives[] = {
    {.name = "map",
     .places = IN_HANDLERS,
     .min_args = 2,
     .max_args = -1,
     .block = true,
     .type = &map_handler,
     .conf_size = sizeof(struct map_conf),
     .set = map_set,
     .help = "map [matcher] <source> <{destination}...> { [~]<input> <output...> }: placeholders "
             "that follow from a value",
     .defines = 1},
    {0},
};
