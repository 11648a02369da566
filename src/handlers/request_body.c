#include "handlers/request_body.h"

#include "http/handler.h"

struct request_body_conf {
    int64_t max_size; /* 0: none */
};

static int set_max_size(const struct directive_args *d)
{
    struct request_body_conf *conf = d->target;
    uint64_t bytes;

    if (directive_size(d, &d->args[0], &bytes) != 0)
        return -1;
    conf->max_size = (int64_t)bytes;
    return 0;
}

static const struct directive options[] = {
    {.name = "max_size",
     .min_args = 1,
     .max_args = 1,
     .set = set_max_size,
     .help = "max_size SIZE: a larger body is answered 413"},
    {0},
};

static const struct refused refused[] = {
    {"read_timeout", "'servers { timeouts { read_body } }' is the time without progress of a body"},
    {"set", "a body is sent on as it comes"},
    {"write_timeout",
     "'servers { timeouts { read_body } }' is the time without progress of a body"},
    {NULL, NULL},
};

static int request_body_set(const struct directive_args *d)
{
    if (d->node->n_children == 0)
        return directive_error(d, &d->node->words[0], "'request_body' needs a block: 'max_size'");
    return directive_block(d, options, refused, d->target);
}

/* Of several limits the narrowest counts, as in Caddy. */
static enum verdict request_body_handle(const void *conf, struct exchange *ex)
{
    int64_t max = ((const struct request_body_conf *)conf)->max_size;

    if (max == 0)
        return NEXT;
    if (ex->request_body_len > max) {
        exchange_respond_error(ex, 413);
        return TAKEN;
    }
    if (ex->request_body_max == 0 || max < ex->request_body_max)
        ex->request_body_max = max;
    return NEXT;
}

static const struct handler_type request_body_handler = {.name = "request_body",
                                                         .handle = request_body_handle};

const struct directive request_body_directives[] = {
    {.name = "request_body",
     .places = IN_HANDLERS,
     .block = true,
     .type = &request_body_handler,
     .conf_size = sizeof(struct request_body_conf),
     .set = request_body_set,
     .help = "request_body [matcher] { max_size }: limit the body of a request"},
    {0},
};
