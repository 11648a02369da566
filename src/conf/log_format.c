#include "conf/log_format.h"

#include "base/alloc.h"
#include "base/regex.h"
#include "conf/build.h"

/* ---- filters of a query ---- */

struct query_rules {
    struct log_query_rule *list;
    size_t n, cap;
};

static int add_query_rule(const struct directive_args *d, enum log_rule_kind kind)
{
    struct query_rules *rules = d->target;
    struct log_query_rule rule = {.kind = kind, .key = directive_str(d, &d->args[0])};

    if (kind == LOG_RULE_REPLACE)
        rule.value = directive_str(d, &d->args[1]);
    rules->list = arena_grow(d->arena, rules->list, rules->n, &rules->cap, sizeof rule);
    rules->list[rules->n++] = rule;
    return 0;
}

static int query_delete(const struct directive_args *d)
{
    return add_query_rule(d, LOG_RULE_DELETE);
}

static int query_hash(const struct directive_args *d)
{
    return add_query_rule(d, LOG_RULE_HASH);
}

static int query_replace(const struct directive_args *d)
{
    return add_query_rule(d, LOG_RULE_REPLACE);
}

static const struct directive key_rows[] = {
    {.name = "delete",
     .min_args = 1,
     .max_args = 1,
     .repeats = true,
     .set = query_delete,
     .help = "delete KEY"},
    {.name = "hash",
     .min_args = 1,
     .max_args = 1,
     .repeats = true,
     .set = query_hash,
     .help = "hash KEY"},
    {.name = "replace",
     .min_args = 2,
     .max_args = 2,
     .repeats = true,
     .set = query_replace,
     .help = "replace KEY TEXT"},
    {0},
};

/* ---- filters of a field: each gets the arguments after its name ---- */

static int set_nothing(const struct directive_args *d, struct log_rule *rule)
{
    (void)d;
    (void)rule;
    return 0;
}

static int set_text(const struct directive_args *d, struct log_rule *rule)
{
    rule->text = directive_str(d, &d->args[0]);
    return 0;
}

static int set_bits(const struct directive_args *d, const struct token *t, unsigned max,
                    unsigned *bits)
{
    uint64_t n;

    if (directive_uint(d, t, max, &n) != 0)
        return -1;
    *bits = (unsigned)n;
    return 0;
}

static int set_ipv4(const struct directive_args *d)
{
    return set_bits(d, &d->args[0], 32, &((struct log_rule *)d->target)->ipv4_bits);
}

static int set_ipv6(const struct directive_args *d)
{
    return set_bits(d, &d->args[0], 128, &((struct log_rule *)d->target)->ipv6_bits);
}

static const struct directive mask_rows[] = {
    {.name = "ipv4", .min_args = 1, .max_args = 1, .set = set_ipv4, .help = "ipv4 BITS"},
    {.name = "ipv6", .min_args = 1, .max_args = 1, .set = set_ipv6, .help = "ipv6 BITS"},
    {0},
};

/* What is not said stays whole. */
static int set_mask(const struct directive_args *d, struct log_rule *rule)
{
    rule->ipv4_bits = 32;
    rule->ipv6_bits = 128;
    if (d->n_args > 0 && set_bits(d, &d->args[0], 32, &rule->ipv4_bits) != 0)
        return -1;
    if (d->n_args > 1 && set_bits(d, &d->args[1], 128, &rule->ipv6_bits) != 0)
        return -1;
    return directive_block(d, mask_rows, NULL, rule);
}

static int set_query(const struct directive_args *d, struct log_rule *rule)
{
    struct query_rules rules = {NULL, 0, 0};

    if (directive_block(d, key_rows, NULL, &rules) != 0)
        return -1;
    rule->keys = rules.list;
    rule->n_keys = rules.n;
    return 0;
}

static int set_regexp(const struct directive_args *d, struct log_rule *rule)
{
    rule->find = directive_regex(d, &d->args[0]);
    if (rule->find == NULL)
        return -1;
    rule->text = directive_str(d, &d->args[1]);
    return 0;
}

static const struct filter {
    const char *name;
    size_t min_args, max_args;
    bool block;
    enum log_rule_kind kind;
    int (*set)(const struct directive_args *d, struct log_rule *rule);
} filters[] = {
    {"cookie", 0, 0, true, LOG_RULE_COOKIE, set_query},
    {"delete", 0, 0, false, LOG_RULE_DELETE, set_nothing},
    {"hash", 0, 0, false, LOG_RULE_HASH, set_nothing},
    {"ip_mask", 0, 2, true, LOG_RULE_IP_MASK, set_mask},
    {"query", 0, 0, true, LOG_RULE_QUERY, set_query},
    {"regexp", 2, 2, false, LOG_RULE_REGEXP, set_regexp},
    {"rename", 1, 1, false, LOG_RULE_RENAME, set_text},
    {"replace", 1, 1, false, LOG_RULE_REPLACE, set_text},
};

const char *log_rule_name(enum log_rule_kind kind)
{
    const struct filter *f = filters;

    while (f->kind != kind)
        f++;
    return f->name;
}

static int unknown_filter(const struct directive_args *d, const struct token *t)
{
    const char *names[ARRAY_LEN(filters) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(filters); i++)
        names[i] = filters[i].name;
    return directive_unknown(d, t, "filter", names);
}

/* These belong to every line, and nothing can be done to them (in Caddy neither). */
static bool is_fixed(struct str field)
{
    return str_is(field, "ts") || str_is(field, "level") || str_is(field, "logger") ||
           str_is(field, "msg");
}

static void add_rule(const struct directive_args *d, struct log_conf *log,
                     const struct log_rule *rule)
{
    struct log_rule *list = arena_alloc(d->arena, (log->n_rules + 1) * sizeof *list);

    if (log->n_rules > 0)
        memcpy(list, log->rules, log->n_rules * sizeof *list);
    list[log->n_rules++] = *rule;
    log->rules = list;
}

/* A line of a filter: "field filter arguments..." */
static int set_rule(const struct directive_args *d, const struct node *line)
{
    struct directive_args args = build_args(d->builder, line, d->target);
    struct log_rule rule = {.field = directive_str(d, &line->words[0])};
    const struct filter *f = filters;

    if (is_fixed(rule.field))
        return directive_error(d, &line->words[0], "'" STR_FMT "' is in every line as it is",
                               STR_ARG(rule.field));
    if (line->n_words < 2)
        return directive_error(d, &line->words[0], "a filter is missing: '<field> delete'");
    while (f < filters + ARRAY_LEN(filters) && !str_is(line->words[1].text, f->name))
        f++;
    if (f == filters + ARRAY_LEN(filters))
        return unknown_filter(d, &line->words[1]);
    args.args++;
    args.n_args--;
    if (args.n_args < f->min_args || args.n_args > f->max_args || (line->has_block && !f->block))
        return directive_error(d, &line->words[1], "'%s' takes %zu argument%s%s", f->name,
                               f->max_args, f->max_args == 1 ? "" : "s",
                               f->block ? ", or a block" : ", and no block");
    rule.kind = f->kind;
    if (f->set(&args, &rule) != 0)
        return -1;
    add_rule(d, d->target, &rule);
    return 0;
}

/* ---- fields that are added ---- */

static int set_member(const struct directive_args *d, const struct node *line)
{
    struct log_conf *log = d->target;
    struct log_member *list;

    if (line->n_words != 2 || line->has_block)
        return directive_error(d, &line->words[0], "this is written '<field> <value>'");
    list = arena_alloc(d->arena, (log->n_members + 1) * sizeof *list);
    if (log->n_members > 0)
        memcpy(list, log->members, log->n_members * sizeof *list);
    list[log->n_members++] =
        (struct log_member){directive_str(d, &line->words[0]), directive_str(d, &line->words[1])};
    log->members = list;
    return 0;
}

/* ---- encoders ---- */

static int set_encoder(const struct directive_args *d);

/* The block of "filter" or "append": lines, perhaps in a block "fields", and what is wrapped. */
static int set_lines(const struct directive_args *d, const struct node *block,
                     int (*set)(const struct directive_args *, const struct node *))
{
    int rc = 0;

    for (size_t i = 0; i < block->n_children; i++) {
        const struct node *line = &block->children[i];
        struct directive_args args = build_args(d->builder, line, d->target);
        int one;

        if (str_is(line->words[0].text, "wrap"))
            one = set_encoder(&args);
        else if (str_is(line->words[0].text, "fields") && line->n_words == 1)
            one = set_lines(d, line, set);
        else
            one = set(d, line);
        rc = one == 0 ? rc : -1;
    }
    return rc;
}

static const struct directive no_rows[] = {{0}};

static int set_simple(const struct directive_args *d, enum log_format format)
{
    struct log_conf *log = d->target;

    if (d->n_args > 1)
        return directive_error(d, &d->args[1], "nothing follows the name of a format");
    log->format = format;
    return directive_block(d, no_rows, refused_log_format, NULL);
}

/* "format NAME ..." or "wrap NAME ...". */
static int set_encoder(const struct directive_args *d)
{
    static const char *const names[] = {"json", "console", "combined", "filter", "append", NULL};

    if (d->n_args == 0)
        return directive_error(d, &d->node->words[0], "the name of a format is missing");
    for (size_t i = 0; i < 3; i++)
        if (str_is(d->args[0].text, names[i]))
            return set_simple(d, (enum log_format)i);
    if (!str_is(d->args[0].text, "filter") && !str_is(d->args[0].text, "append"))
        return directive_unknown(d, &d->args[0], "log format", names);
    if (d->n_args > 1)
        return directive_error(d, &d->args[1], "nothing follows the name of a format");
    return set_lines(d, d->node, str_is(d->args[0].text, "filter") ? set_rule : set_member);
}

int log_format_set(const struct directive_args *d)
{
    const struct log_conf *log = d->target;

    if (set_encoder(d) != 0)
        return -1;
    if (log->format == LOG_FORMAT_COMBINED && (log->n_rules > 0 || log->n_members > 0))
        return directive_error(d, &d->args[0], "the fields of 'combined' are always the same");
    return 0;
}
