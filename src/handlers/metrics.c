#include "handlers/metrics.h"

#include "http/handler.h"

static int no_option(const struct directive_args *d)
{
    (void)d;
    return 0;
}

/* What Caddy has, so that its file works as it is. */
static const struct directive options[] = {
    {.name = "disable_openmetrics", .set = no_option, .help = "disable_openmetrics"},
    {0},
};

static int metrics_set(const struct directive_args *d)
{
    return directive_block(d, options, NULL, d->target);
}

static enum verdict metrics_handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    fields_set(&ex->response, ex->arena, STR_LIT("Content-Type"),
               STR_LIT("text/plain; charset=utf-8"));
    exchange_respond_bytes(ex, 501, STR_LIT("Lintel keeps no metrics yet\n"));
    return TAKEN;
}

static const struct handler_type metrics_handler = {.name = "metrics", .handle = metrics_handle};

const struct directive metrics_directives[] = {
    {.name = "metrics",
     .places = IN_HANDLERS,
     .block = true,
     .type = &metrics_handler,
     .set = metrics_set,
     .help = "metrics [matcher]: 501, until there are some"},
    {0},
};
