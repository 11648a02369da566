#include "handlers/respond.h"

#include "base/alloc.h"
#include "base/is_json.h"
#include "http/handler.h"
#include "http/placeholder.h"
#include "http/prepared.h"
#include "http/route.h"

#include <stdlib.h>

struct respond_conf {
    int status;              /* 0: not said */
    struct text made_status; /* it has placeholders; no parts: it has none */
    struct text body;
    bool close;
};

/* ---- configuration ---- */

static bool is_status(struct str s, int *status)
{
    uint64_t n;

    if (s.len != 3 || !str_to_uint(s, 999, &n))
        return false;
    *status = (int)n;
    return true;
}

static bool may_be_sent(int status)
{
    return status >= 200 && status <= 599;
}

static int set_status(const struct directive_args *d, const struct token *t,
                      struct respond_conf *conf)
{
    struct text text = {0};
    int status;

    if (directive_text(d, t, &text) != 0)
        return -1;
    if (!text.constant) {
        conf->made_status = text;
        return 0;
    }
    if (is_status(text_constant(&text), &conf->status) && may_be_sent(conf->status))
        return 0;
    if (t > d->args && is_status(d->args[0].text, &status))
        return directive_error(
            d, t, "the body comes first, then the status: respond '" STR_FMT "' " STR_FMT,
            STR_ARG(t->text), STR_ARG(d->args[0].text));
    return directive_error(
        d, t, "'" STR_FMT "' is no status from 200 to 599%s", STR_ARG(t->text),
        t > d->args && !is_status(t->text, &status) ? "; a body with blanks needs quotes" : "");
}

static int set_body(const struct directive_args *d)
{
    return directive_text(d, &d->args[0], &((struct respond_conf *)d->target)->body);
}

static int set_close(const struct directive_args *d)
{
    ((struct respond_conf *)d->target)->close = true;
    return 0;
}

static const struct directive options[] = {
    {.name = "body", .min_args = 1, .max_args = 1, .set = set_body, .help = "body <text>"},
    {.name = "close", .set = set_close, .help = "close: close the connection afterwards"},
    {0},
};

static int respond_set(const struct directive_args *d)
{
    struct respond_conf *conf = d->target;
    const struct token *first = &d->args[0];
    int status;

    if (d->matcher != NULL && d->n_args == 0 && !d->node->has_block)
        return directive_error(d, d->matcher, "that is a matcher: a body or a status is missing");
    if (d->n_args == 1 && is_status(first->text, &status)) {
        if (set_status(d, first, conf) != 0)
            return -1;
    } else if (d->n_args >= 1 && directive_text(d, first, &conf->body) != 0) {
        return -1;
    }
    if (d->n_args == 2 && set_status(d, &d->args[1], conf) != 0)
        return -1;
    return directive_block(d, options, NULL, conf);
}

static void respond_describe(const void *conf_, struct describer *out)
{
    const struct respond_conf *conf = conf_;

    if (conf->made_status.n_parts > 0)
        describe_text(out, "status", STR_LIT("a placeholder"));
    else if (conf->status != 0)
        describe_number(out, "status", conf->status);
    else
        describe_text(out, "status", STR_LIT("200, or that of the error"));
    describe_flag(out, "close", conf->close);
}

/* ---- answering ---- */

static struct str content_type(struct str body)
{
    return is_json(body) ? STR_LIT("application/json") : STR_LIT("text/plain; charset=utf-8");
}

/* A 204 and a 304 have no content (RFC 9110 15.3.5, 15.4.5). */
static bool has_content(const struct respond_conf *conf, int status)
{
    return conf->body.n_parts > 0 && status != 204 && status != 304;
}

/* In handle_errors the status of the error is kept, unless another one is said. 0: what is said is
 * none. */
static int status_for(const struct respond_conf *conf, struct exchange *ex)
{
    int status;

    if (conf->made_status.n_parts > 0)
        return is_status(text_expand(&conf->made_status, ex), &status) && may_be_sent(status)
                   ? status
                   : 0;
    if (conf->status != 0)
        return conf->status;
    return ex->error.status != 0 ? ex->error.status : 200;
}

/* The state of a worker, for a response that is always the same: made when it is first asked for.
 */
struct respond_state {
    struct prepared *prepared;
};

static int respond_start(const void *conf_, const struct worker_env *env, void **state,
                         struct err *e)
{
    const struct respond_conf *conf = conf_;

    (void)env;
    (void)e;
    if (conf->body.constant && conf->made_status.n_parts == 0 && has_content(conf, conf->status))
        *state = xalloc(sizeof(struct respond_state));
    return 0;
}

static void respond_stop(void *state)
{
    prepared_unref(((struct respond_state *)state)->prepared);
    free(state);
}

static struct prepared *prepared_of(struct respond_state *st, const struct respond_conf *conf)
{
    struct prepared *p = st->prepared;

    if (p != NULL)
        return p;
    p = st->prepared =
        prepared_new(conf->status == 0 ? 200 : conf->status, text_constant(&conf->body));
    fields_add(&p->fields, p->arena, STR_LIT("Content-Type"), content_type(p->body));
    return p;
}

static enum verdict respond_handle(const void *conf_, struct exchange *ex)
{
    const struct respond_conf *conf = conf_;
    struct str body;
    int status;

    if (conf->close)
        ex->close = true;
    if (ex->handler_state != NULL && (conf->status != 0 || ex->error.status == 0)) {
        exchange_respond_prepared(ex, prepared_of(ex->handler_state, conf));
        return TAKEN;
    }
    status = status_for(conf, ex);
    if (status == 0) {
        route_fail(ex, 500, STR_LIT("respond: the status is no number from 200 to 599"));
        return TAKEN;
    }
    if (!has_content(conf, status)) {
        exchange_respond(ex, status);
        return TAKEN;
    }
    body = text_expand(&conf->body, ex);
    if (body.len > 0 && fields_get(&ex->response, STR_LIT("Content-Type")).p == NULL)
        fields_add(&ex->response, ex->arena, STR_LIT("Content-Type"), content_type(body));
    exchange_respond_bytes(ex, status, body);
    return TAKEN;
}

static const struct handler_type respond_handler = {
    .name = "respond", .start = respond_start, .stop = respond_stop, .handle = respond_handle};

const struct directive respond_directives[] = {
    {.name = "respond",
     .places = IN_HANDLERS,
     .min_args = 0,
     .max_args = 2,
     .block = true,
     .type = &respond_handler,
     .conf_size = sizeof(struct respond_conf),
     .set = respond_set,
     .describe = respond_describe,
     .options = options,
     .help = "respond [matcher] <status>|<body> [<status>]: a fixed answer"},
    {0},
};
