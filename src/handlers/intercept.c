/* An answer that a rule of "handle_response" is for is held back, body and all, while the rule's
 * directives run:
 *  1. on_answer() takes it back; the fields stay, but for those about the body.
 *  2. The rule's route runs, and nothing after it.
 *  3. settle() sees what follows. An answer without a body, or none at all, gets the body that was
 *     held back, and the fields about it; any other is instead of it.
 * Errors (handle_errors, the built-in page) are no answers of a handler, as in Caddy. */
#include "handlers/intercept.h"

#include "base/alloc.h"
#include "handlers/proxy_answer.h"
#include "http/prepared.h"
#include "http/route.h"

struct intercept_conf {
    struct answer_rules rules;
};

/* For the answer of one exchange. */
struct interception {
    const struct intercept_conf *conf;
    int error; /* what it handles, when it passed here */
};

struct held {
    struct upstream_answer answer;
    struct body body;
    struct fields about_body;
    bool prompt;
    int error;
    int unanswered;                   /* before */
    struct upstream_answer *upstream; /* of a reverse_proxy, and what it has set: */
    void (*on_request_body)(struct exchange *ex);
    void *handler_data;
};

/* A hook's argument, which is const. */
struct handle {
    struct held *held;
};

/* ---- fields ---- */

/* RFC 9110 8: what they say is true of the one body only. */
static bool is_about_body(struct str name)
{
    static const char *const names[] = {
        "Accept-Ranges", "Content-Digest", "Content-Encoding", "Content-MD5", "Content-Range",
        "Digest",        "ETag",           "Last-Modified",    "Repr-Digest", "Trailer"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (str_eq_nocase(name, str_of(names[i])))
            return true;
    return false;
}

static struct fields copy_of(struct arena *a, const struct fields *f)
{
    struct fields copy = {0};

    for (size_t i = 0; i < f->n; i++)
        fields_add(&copy, a, f->list[i].name, f->list[i].value);
    return copy;
}

/* Takes those about the body out of the response. */
static struct fields split(struct exchange *ex)
{
    struct fields *f = &ex->response, out = {0};
    size_t kept = 0;

    for (size_t i = 0; i < f->n; i++)
        if (is_about_body(f->list[i].name))
            fields_add(&out, ex->arena, f->list[i].name, f->list[i].value);
        else
            f->list[kept++] = f->list[i];
    f->n = kept;
    return out;
}

/* The route may have set some of them itself. */
static void put_back(struct exchange *ex, const struct fields *about_body)
{
    const struct fields set = copy_of(ex->arena, &ex->response);

    for (size_t i = 0; i < about_body->n; i++)
        if (fields_get(&set, about_body->list[i].name).p == NULL)
            fields_add(&ex->response, ex->arena, about_body->list[i].name,
                       about_body->list[i].value);
}

/* ---- what was held back ---- */

static void drop(void *arg)
{
    struct held *h = arg;

    exchange_close_body(&h->body);
}

static void give_back(struct exchange *ex, struct held *h)
{
    put_back(ex, &h->about_body);
    ex->prompt = h->prompt;
    if (ex->status == 204 || ex->status == 304)
        return;
    ex->body = h->body;
    h->body.kind = BODY_NONE;
    ex->answer = h->upstream;
    ex->handler_data = h->handler_data;
    ex->on_request_body = h->on_request_body;
    if (ex->on_request_body != NULL) /* it has not read all of it */
        ex->on_request_body(ex);
}

static void settle(struct exchange *ex, const void *arg)
{
    struct held *h = ((const struct handle *)arg)->held;

    ex->unanswered = h->unanswered;
    ex->answered = true;
    if (ex->body.kind == BODY_NONE && ex->error.status == h->error)
        give_back(ex, h);
    drop(h);
}

static bool needs_nothing(const struct prepared *p, const void *arg)
{
    (void)p;
    (void)arg;
    return false;
}

static void hold_back(struct exchange *ex, int error)
{
    struct held *h = arena_alloc(ex->arena, sizeof *h);
    struct handle *handle = arena_alloc(ex->arena, sizeof *handle);

    handle->held = h;
    *h = (struct held){.answer = {ex->status, copy_of(ex->arena, &ex->response)},
                       .prompt = ex->prompt,
                       .error = error,
                       .unanswered = ex->unanswered,
                       .upstream = ex->answer,
                       .on_request_body = ex->on_request_body,
                       .handler_data = ex->handler_data};
    exchange_take_back(ex, &h->body);
    exchange_defer(ex, drop, h);
    h->about_body = split(ex);
    ex->intercepted = &h->answer;
    ex->unanswered = h->answer.status;
    ex->prompt = false;
    ex->answer = NULL; /* a proxy in the route must not think that nobody wants it */
    ex->on_request_body = NULL;
    exchange_on_respond(ex, settle, needs_nothing, handle);
}

/* ---- answers ---- */

/* As Caddy does where the text is no status: 500, with the body. */
static void replace_status(struct exchange *ex, const struct text *text)
{
    const int status = proxy_answer_status(text, ex);

    ex->status = status == 0 ? 500 : status;
    if (ex->status == 204 || ex->status == 304) {
        exchange_close_body(&ex->body);
        ex->body.len = 0;
    }
}

static bool on_answer(struct exchange *ex, const void *arg)
{
    const struct interception *i = arg;
    const struct upstream_answer answer = {ex->status, ex->response};
    const struct answer_rule *rule;

    if (ex->error.status != i->error || ex->upgraded)
        return false;
    rule = proxy_answer_find(&i->conf->rules, &answer);
    if (rule == NULL)
        return false;
    if (rule->status.n_parts > 0) {
        replace_status(ex, &rule->status);
        return false;
    }
    hold_back(ex, i->error);
    route_detour(ex, &rule->route);
    return true;
}

/* Whether a rule may be for a prepared response: fields may be added to those that it has. */
static bool on_prepared(const struct prepared *p, const void *arg)
{
    const struct interception *i = arg;

    for (size_t k = 0; k < i->conf->rules.n; k++) {
        const struct response_match *m = i->conf->rules.list[k].match;

        if (m == NULL || m->n_headers > 0 || response_match(m, p->status, &p->fields))
            return true;
    }
    return false;
}

static enum verdict intercept_handle(const void *conf, struct exchange *ex)
{
    struct interception *i = arena_alloc(ex->arena, sizeof *i);

    *i = (struct interception){conf, ex->error.status};
    exchange_intercept(ex, on_answer, on_prepared, i);
    return NEXT;
}

static const struct handler_type intercept_handler = {.name = "intercept",
                                                      .handle = intercept_handle};

/* ---- the directive ---- */

static int set_handle_response(const struct directive_args *d)
{
    return proxy_answer_add_handle(d, &((struct intercept_conf *)d->target)->rules);
}

static int set_replace_status(const struct directive_args *d)
{
    return proxy_answer_add_status(d, &((struct intercept_conf *)d->target)->rules);
}

static const struct directive options[] = {
    {.name = "handle_response",
     .max_args = 1,
     .block = true,
     .repeats = true,
     .set = set_handle_response,
     .help = "handle_response [@name] { ... }: directives that may answer otherwise"},
    {.name = "replace_status",
     .min_args = 1,
     .max_args = 2,
     .repeats = true,
     .set = set_replace_status,
     .help = "replace_status [@name] <status>: another status for the answer"},
    {0},
};

static int intercept_set(const struct directive_args *d)
{
    struct intercept_conf *conf = d->target;
    struct directive_args args = *d;
    struct node rest;
    int rc = proxy_answer_take_matches(d, &conf->rules, &rest);

    args.node = &rest;
    if (directive_block(&args, options, NULL, d->target) != 0 || rc != 0)
        return -1;
    if (conf->rules.n > 0)
        return 0;
    return directive_error(d, &d->node->words[0],
                           "'intercept' needs a block with 'handle_response' or 'replace_status'");
}

static void intercept_describe(const void *conf, struct describer *out)
{
    proxy_answer_describe(&((const struct intercept_conf *)conf)->rules, out);
}

const struct directive intercept_directives[] = {
    {.name = "intercept",
     .places = IN_HANDLERS,
     .block = true,
     .type = &intercept_handler,
     .conf_size = sizeof(struct intercept_conf),
     .set = intercept_set,
     .describe = intercept_describe,
     .options = options,
     .help = "intercept [matcher] { handle_response|replace_status }: other answers for those of "
             "the handlers after it"},
    {0},
};
