#include "handlers/proxy_answer.h"

#include "base/alloc.h"
#include "http/placeholder.h"

/* ---- response matchers ---- */

static bool is_match(const struct node *line)
{
    return str_starts(line->words[0].text, STR_LIT("@"));
}

static const struct response_match *find_match(const struct answer_rules *rules, struct str name)
{
    for (size_t i = 0; i < rules->n_matches; i++)
        if (str_eq(rules->matches[i].name, name))
            return &rules->matches[i].match;
    return NULL;
}

static int add_match(const struct directive_args *d, const struct node *line,
                     struct answer_rules *rules)
{
    struct directive_args args = *d;
    struct named_response_match *m;

    if (line->words[0].text.len == 1)
        return directive_error(d, &line->words[0], "a response matcher has a name: '@name'");
    if (find_match(rules, line->words[0].text) != NULL)
        return directive_error(d, &line->words[0], "'" STR_FMT "' was already defined",
                               STR_ARG(line->words[0].text));
    rules->matches = arena_grow(d->arena, rules->matches, rules->n_matches, &rules->cap_matches,
                                sizeof *rules->matches);
    m = &rules->matches[rules->n_matches++];
    *m = (struct named_response_match){.name = directive_str(d, &line->words[0])};
    args.node = line;
    args.args = line->words + 1;
    args.n_args = line->n_words - 1;
    return response_match_set(&args, &m->match);
}

int proxy_answer_take_matches(const struct directive_args *d, struct answer_rules *rules,
                              struct node *rest)
{
    struct node *others = arena_alloc(d->arena, (d->node->n_children + 1) * sizeof *others);
    int rc = 0;

    *rest = *d->node;
    rest->children = others;
    rest->n_children = 0;
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (!is_match(line))
            others[rest->n_children++] = *line;
        else if (add_match(d, line, rules) != 0)
            rc = -1;
    }
    return rc;
}

static int use_match(const struct directive_args *d, const struct token *t,
                     const struct answer_rules *rules, struct answer_rule *rule)
{
    const char **names = arena_alloc(d->arena, (rules->n_matches + 1) * sizeof *names);

    if (!str_starts(t->text, STR_LIT("@")))
        return directive_error(d, t, "a response matcher stands here: '@name'");
    rule->match = find_match(rules, t->text);
    if (rule->match != NULL)
        return 0;
    for (size_t i = 0; i < rules->n_matches; i++)
        names[i] = rules->matches[i].name.p;
    return directive_unknown(d, t, "response matcher", names);
}

/* ---- rules ---- */

static int rank(const struct answer_rule *rule)
{
    if (rule->auth != NULL)
        return -1;
    return (rule->match == NULL ? 2 : 0) + (rule->status.n_parts == 0 ? 1 : 0);
}

static void insert(struct arena *a, struct answer_rules *rules, const struct answer_rule *rule)
{
    size_t at = rules->n;

    rules->list = arena_grow(a, rules->list, rules->n, &rules->cap, sizeof *rules->list);
    for (; at > 0 && rank(&rules->list[at - 1]) > rank(rule); at--)
        rules->list[at] = rules->list[at - 1];
    rules->list[at] = *rule;
    rules->n++;
}

static const char *name_of(const struct directive_args *d)
{
    struct str name = d->node->words[0].text;

    if (d->n_args == 0 || !str_starts(d->args[0].text, STR_LIT("@")))
        return arena_str(d->arena, name).p;
    return arena_printf(d->arena, STR_FMT " " STR_FMT, STR_ARG(name), STR_ARG(d->args[0].text)).p;
}

int proxy_answer_add_handle(const struct directive_args *d, struct answer_rules *rules)
{
    struct answer_rule rule = {.name = name_of(d)};
    int rc = d->n_args == 0 ? 0 : use_match(d, &d->args[0], rules, &rule);

    if (directive_route(d, true, &rule.route) != 0 || rc != 0)
        return -1;
    insert(d->arena, rules, &rule);
    return 0;
}

int proxy_answer_add_status(const struct directive_args *d, struct answer_rules *rules)
{
    struct answer_rule rule = {.name = name_of(d)};
    int rc = d->n_args == 1 ? 0 : use_match(d, &d->args[0], rules, &rule);

    if (proxy_answer_status_set(d, &d->args[d->n_args - 1], &rule.status) != 0 || rc != 0)
        return -1;
    insert(d->arena, rules, &rule);
    return 0;
}

void proxy_answer_add_auth(struct arena *a, struct answer_rules *rules,
                           const struct proxy_auth *auth)
{
    static uint16_t success[] = {2};
    static const struct response_match match = {.statuses = success, .n_statuses = 1};

    insert(a, rules, &(struct answer_rule){.name = "success", .match = &match, .auth = auth});
}

const struct answer_rule *proxy_answer_find(const struct answer_rules *rules,
                                            const struct upstream_answer *answer)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct answer_rule *rule = &rules->list[i];

        if (rule->match == NULL || response_match(rule->match, answer->status, &answer->fields))
            return rule;
    }
    return NULL;
}

void proxy_answer_describe(const struct answer_rules *rules, struct describer *out)
{
    for (size_t i = 0; i < rules->n; i++) {
        const struct answer_rule *rule = &rules->list[i];

        if (rule->status.n_parts == 0)
            describe_route(out, rule->name, &rule->route);
        else if (rule->status.constant)
            describe_text(out, rule->name, text_constant(&rule->status));
        else
            describe_text(out, rule->name, STR_LIT("a placeholder"));
    }
}

/* ---- a status ---- */

static int status_of(struct str s)
{
    uint64_t n;

    return s.len == 3 && str_to_uint(s, 599, &n) && n >= 200 ? (int)n : 0;
}

int proxy_answer_status_set(const struct directive_args *d, const struct token *t, struct text *out)
{
    if (directive_text(d, t, out) != 0)
        return -1;
    if (out->constant && status_of(text_constant(out)) == 0)
        return directive_error(d, t, "'" STR_FMT "' is no status from 200 to 599",
                               STR_ARG(t->text));
    return 0;
}

int proxy_answer_status(const struct text *t, struct exchange *ex)
{
    return status_of(text_expand(t, ex));
}
