#include "handlers/error.h"

#include "http/placeholder.h"
#include "http/route.h"

struct error_conf {
    struct text status; /* may hold placeholders */
    struct text message;
};

/* ---- configuration ---- */

static int set_message(const struct directive_args *d)
{
    return directive_text(d, &d->args[0], &((struct error_conf *)d->target)->message);
}

static const struct directive options[] = {
    {.name = "message", .min_args = 1, .max_args = 1, .set = set_message, .help = "message <text>"},
    {0},
};

static int status_of(struct str s)
{
    uint64_t n;

    return s.len == 3 && str_to_uint(s, 599, &n) && n >= 400 ? (int)n : 0;
}

static int set_status(const struct directive_args *d, const struct token *t, struct text *out)
{
    if (directive_text(d, t, out) != 0)
        return -1;
    if (out->constant && status_of(text_constant(out)) == 0)
        return directive_error(d, t, "'" STR_FMT "' is no error status from 400 to 599",
                               STR_ARG(t->text));
    return 0;
}

/* One argument is a status if it could be one. */
static int error_set(const struct directive_args *d)
{
    static const struct token standard = {.text = STR_LIT("500")};
    struct error_conf *conf = d->target;
    const struct token *status = &standard, *message = NULL;
    uint64_t n;

    if (d->n_args == 2) {
        message = &d->args[0];
        status = &d->args[1];
    } else if (d->args[0].text.len == 3 && str_to_uint(d->args[0].text, 999, &n)) {
        status = &d->args[0];
    } else {
        message = &d->args[0];
    }
    if (set_status(d, status, &conf->status) != 0 ||
        (message != NULL && directive_text(d, message, &conf->message) != 0))
        return -1;
    return directive_block(d, options, NULL, conf);
}

/* ---- answering ---- */

static enum verdict error_handle(const void *conf_, struct exchange *ex)
{
    const struct error_conf *conf = conf_;
    int status = status_of(text_expand(&conf->status, ex));

    route_fail(ex, status == 0 ? 500 : status, text_expand(&conf->message, ex));
    return TAKEN;
}

static enum verdict abort_handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    exchange_abort(ex);
    return TAKEN;
}

static const struct handler_type error_handler = {.name = "error", .handle = error_handle};
static const struct handler_type abort_handler = {.name = "abort", .handle = abort_handle};

static int abort_set(const struct directive_args *d)
{
    (void)d;
    return 0;
}

const struct directive error_directives[] = {
    {.name = "abort",
     .places = IN_HANDLERS,
     .type = &abort_handler,
     .set = abort_set,
     .help = "abort [matcher]: close the connection without an answer"},
    {.name = "error",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 2,
     .block = true,
     .type = &error_handler,
     .conf_size = sizeof(struct error_conf),
     .set = error_set,
     .options = options,
     .help = "error [matcher] <status>|<message> [<status>] [{ message }]: an error, for "
             "handle_errors"},
    {0},
};
