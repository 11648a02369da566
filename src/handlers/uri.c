#include "handlers/uri.h"

#include "base/alloc.h"
#include "base/regex.h"
#include "handlers/uri_query.h"
#include "http/handler.h"
#include "http/placeholder.h"
#include "http/rewrite.h"

struct uri_conf {
    const struct uri_operation *operation;
    struct text find;    /* strip_prefix, strip_suffix, replace */
    struct text with;    /* replace, path_regexp */
    uint64_t limit;      /* replace */
    struct regex *regex; /* path_regexp */
    struct query_ops query;
};

struct uri_operation {
    const char *name;
    size_t min_args, max_args; /* its name is one of them */
    const char *form;
    int (*set)(const struct directive_args *d, struct uri_conf *conf);
    int (*run)(const struct uri_conf *conf, struct exchange *ex); /* 0, or a status */
};

/* ---- configuration ---- */

static int set_find(const struct directive_args *d, struct uri_conf *conf)
{
    if (d->args[1].text.len == 0)
        return directive_error(d, &d->args[1], "there is nothing to look for");
    return directive_text(d, &d->args[1], &conf->find);
}

static int set_replace(const struct directive_args *d, struct uri_conf *conf)
{
    if (set_find(d, conf) != 0 || directive_text(d, &d->args[2], &conf->with) != 0)
        return -1;
    if (d->n_args < 4)
        return 0;
    return directive_uint(d, &d->args[3], 65536, &conf->limit);
}

static int set_path_regexp(const struct directive_args *d, struct uri_conf *conf)
{
    if (d->args[1].text.len == 0)
        return directive_error(d, &d->args[1], "there is nothing to look for");
    conf->regex = directive_regex(d, &d->args[1]);
    if (conf->regex == NULL)
        return -1;
    return directive_replacement(d, &d->args[2], &conf->with);
}

static int set_query(const struct directive_args *d, struct uri_conf *conf)
{
    return query_ops_set(d, 1, &conf->query);
}

/* ---- at an exchange ---- */

static int run_strip_prefix(const struct uri_conf *conf, struct exchange *ex)
{
    return rewrite_strip_prefix(ex, rewrite_expand_path(ex, &conf->find));
}

static int run_strip_suffix(const struct uri_conf *conf, struct exchange *ex)
{
    return rewrite_strip_suffix(ex, rewrite_expand_path(ex, &conf->find));
}

static int run_replace(const struct uri_conf *conf, struct exchange *ex)
{
    return rewrite_replace(ex, &conf->find, &conf->with, conf->limit);
}

static int run_path_regexp(const struct uri_conf *conf, struct exchange *ex)
{
    return rewrite_set_path(ex, regex_replace(conf->regex, ex->arena, rewrite_path(ex, true),
                                              rewrite_expand_path(ex, &conf->with)));
}

static int run_query(const struct uri_conf *conf, struct exchange *ex)
{
    return query_ops_run(&conf->query, ex);
}

/* ---- the tables ---- */

static const struct uri_operation operations[] = {
    {"path_regexp", 3, 3, "path_regexp FIND REPLACEMENT", set_path_regexp, run_path_regexp},
    {"query", 1, 4, "query [+|-]KEY [VALUE]", set_query, run_query},
    {"replace", 3, 4, "replace FIND REPLACEMENT [LIMIT]", set_replace, run_replace},
    {"strip_prefix", 2, 2, "strip_prefix PREFIX", set_find, run_strip_prefix},
    {"strip_suffix", 2, 2, "strip_suffix SUFFIX", set_find, run_strip_suffix},
};

static int unknown_operation(const struct directive_args *d)
{
    const char *names[ARRAY_LEN(operations) + 1] = {NULL};

    for (size_t i = 0; i < ARRAY_LEN(operations); i++)
        names[i] = operations[i].name;
    return directive_unknown(d, &d->args[0], "operation", names);
}

static int uri_set(const struct directive_args *d)
{
    struct uri_conf *conf = d->target;
    const struct uri_operation *op = operations;

    while (op < operations + ARRAY_LEN(operations) && !str_is(d->args[0].text, op->name))
        op++;
    if (op == operations + ARRAY_LEN(operations))
        return unknown_operation(d);
    if (d->n_args < op->min_args || d->n_args > op->max_args)
        return directive_error(d, &d->args[d->n_args > op->max_args ? op->max_args : 0],
                               "this is written 'uri [matcher] %s'", op->form);
    if (d->node->has_block && op->set != set_query)
        return directive_error(d, &d->args[0], "'uri %s' has no block", op->name);
    conf->operation = op;
    return op->set(d, conf);
}

static enum verdict uri_handle(const void *conf_, struct exchange *ex)
{
    const struct uri_conf *conf = conf_;
    int status = conf->operation->run(conf, ex);

    if (status == 0)
        return NEXT;
    exchange_respond_error(ex, status);
    return TAKEN;
}

static const struct handler_type uri_handler = {.name = "uri", .handle = uri_handle};

const struct directive uri_directives[] = {
    {.name = "uri",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 4,
     .block = true,
     .type = &uri_handler,
     .conf_size = sizeof(struct uri_conf),
     .set = uri_set,
     .help = "uri [matcher] strip_prefix|strip_suffix|replace|path_regexp|query ...: change "
             "parts of the URI"},
    {0},
};
