#include "handlers/log.h"

#include "http/access_log.h"
#include "http/handler.h"
#include "http/placeholder.h"

/* ---- log_skip ---- */

static int log_skip_set(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static enum verdict log_skip_handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    ex->unlogged = true;
    return NEXT;
}

static const struct handler_type log_skip_handler = {.name = "log_skip", .handle = log_skip_handle};

/* ---- log_append ---- */

struct log_append_conf {
    struct str key;
    struct text value;
    bool early; /* the value is that of now, not that of the end */
};

static int log_append_set(const struct directive_args *d)
{
    struct log_append_conf *conf = d->target;
    struct str key = d->args[0].text;

    conf->early = str_starts(key, STR_LIT("<"));
    if (conf->early)
        key = str_from(key, 1);
    if (key.len == 0)
        return directive_error(d, &d->args[0], "the name of the field is missing");
    conf->key = arena_str(d->arena, key);
    return directive_text(d, &d->args[1], &conf->value);
}

static enum verdict log_append_handle(const void *conf_, struct exchange *ex)
{
    const struct log_append_conf *conf = conf_;

    if (conf->early)
        access_log_append(ex, conf->key, text_expand(&conf->value, ex));
    else
        access_log_append_late(ex, conf->key, &conf->value);
    return NEXT;
}

static const struct handler_type log_append_handler = {.name = "log_append",
                                                       .handle = log_append_handle};

/* ---- log_name ---- */

struct log_name_conf {
    const struct log_conf **list; /* filled in by the end of the load */
    size_t n;
};

static int log_name_set(const struct directive_args *d)
{
    struct log_name_conf *conf = d->target;

    conf->list = arena_alloc(d->arena, d->n_args * sizeof(*conf->list));
    for (size_t i = 0; i < d->n_args; i++)
        directive_log(d, &d->args[i], &conf->list[conf->n++]);
    return 0;
}

static enum verdict log_name_handle(const void *conf_, struct exchange *ex)
{
    const struct log_name_conf *conf = conf_;

    ex->named_logs.list = conf->list;
    ex->named_logs.n = conf->n;
    return NEXT;
}

static const struct handler_type log_name_handler = {.name = "log_name", .handle = log_name_handle};

/* ---- the table ---- */

const struct directive log_directives[] = {
    {.name = "log_append",
     .places = IN_HANDLERS,
     .min_args = 2,
     .max_args = 2,
     .type = &log_append_handler,
     .conf_size = sizeof(struct log_append_conf),
     .set = log_append_set,
     .help = "log_append [matcher] [<]<key> <value>: a field of the access log"},
    {.name = "log_name",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = -1,
     .type = &log_name_handler,
     .conf_size = sizeof(struct log_name_conf),
     .set = log_name_set,
     .help = "log_name [matcher] <name>...: the logs to write to, instead of the site's"},
    {.name = "log_skip",
     .places = IN_HANDLERS,
     .type = &log_skip_handler,
     .set = log_skip_set,
     .help = "log_skip [matcher]: no line in the access log"},
    {.name = "skip_log",
     .places = IN_HANDLERS,
     .type = &log_skip_handler,
     .set = log_skip_set,
     .help = "skip_log [matcher]: the old name of log_skip"},
    {0},
};
