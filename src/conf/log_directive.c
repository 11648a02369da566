#include "conf/log_directive.h"

static int set_output(const struct directive_args *d)
{
    static const char *const outputs[] = {"stderr", "stdout", "discard", "file", NULL};
    struct log_conf *log = d->target;
    const struct token *t = &d->args[0];

    if (str_is(t->text, "file")) {
        if (d->n_args != 2)
            return directive_error(d, t, "'output file' needs a path");
        if (d->node->has_block)
            return directive_error(d, t, "options of a log file are not supported yet");
        log->path = directive_path(d, &d->args[1]);
        return 0;
    }
    if (str_is(t->text, "net"))
        return directive_error(d, t, "'output net' is not supported yet");
    for (size_t i = 0; i < 3; i++)
        if (str_is(t->text, outputs[i])) {
            if (d->n_args > 1)
                return directive_error(d, &d->args[1], "nothing follows 'output %s'", outputs[i]);
            log->path = i == 2 ? NULL : outputs[i];
            return 0;
        }
    return directive_unknown(d, t, "output", outputs);
}

/* Caddy's console form is for human eyes; ours for that is the combined one. */
static int set_format(const struct directive_args *d)
{
    static const char *const formats[] = {"json", "combined", "console", NULL};
    struct log_conf *log = d->target;
    const struct token *t = &d->args[0];

    if (str_is(t->text, "json"))
        log->format = LOG_FORMAT_JSON;
    else if (str_is(t->text, "combined") || str_is(t->text, "console"))
        log->format = LOG_FORMAT_COMBINED;
    else if (str_is(t->text, "filter") || str_is(t->text, "append"))
        return directive_error(d, t, "'format " STR_FMT "' is not supported yet", STR_ARG(t->text));
    else
        return directive_unknown(d, t, "log format", formats);
    return 0;
}

static const struct directive log_rows[] = {
    {.name = "output",
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .set = set_output,
     .help = "output stderr|stdout|discard|file PATH"},
    {.name = "format",
     .min_args = 1,
     .max_args = 1,
     .set = set_format,
     .help = "format json|combined|console"},
    {0},
};

/* The row for a path and a format: sites that write to the same place share it. */
static size_t log_row(struct conf_builder *b, const struct log_conf *log)
{
    struct log_draft row = {*log, str_hash_nocase(str_of(log->path))};

    for (size_t i = 0; i < b->n_logs; i++)
        if (b->logs[i].hash == row.hash && b->logs[i].conf.format == log->format &&
            strcmp(b->logs[i].conf.path, log->path) == 0)
            return i;
    row.conf.index = b->n_logs;
    b->logs = arena_grow(b->scratch, b->logs, b->n_logs, &b->cap_logs, sizeof *b->logs);
    b->logs[b->n_logs++] = row;
    return row.conf.index;
}

int log_directive_set(const struct directive_args *d)
{
    struct log_conf log = {.path = "stderr", .format = LOG_FORMAT_JSON};
    struct site_draft *site = d->builder->current;

    if (directive_block(d, log_rows, refused_log, &log) != 0)
        return -1;
    site->has_log = log.path != NULL;
    if (site->has_log)
        site->log = log_row(d->builder, &log);
    return 0;
}
