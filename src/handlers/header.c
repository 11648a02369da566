/* Changes that only add or set are carried out at once: later handlers leave alone what is set
 * already. The others, and all of a directive with one of them in it, have to see the fields of the
 * whole response and wait for it; so do defaults. */
#include "handlers/header.h"

#include "handlers/field_edit.h"
#include "handlers/response_match.h"
#include "http/handler.h"
#include "http/placeholder.h"
#include "http/prepared.h"

struct header_conf {
    struct field_edits edits;
    struct field_edits defaults; /* each sets a field that the response has not */
    struct response_match match;
    bool has_match;
    bool deferred; /* the edits */
};

/* ---- configuration ---- */

/* words: [+|-|?|>]name [value | find replacement] */
static int add_words(const struct directive_args *d, const struct token *words, size_t n,
                     struct header_conf *conf)
{
    struct token *copy = arena_alloc(d->arena, n * sizeof *copy);
    struct field_edits *to = &conf->edits;
    char sign = words[0].text.len == 0 ? '\0' : words[0].text.p[0];

    memcpy(copy, words, n * sizeof *copy);
    if (sign == '?' || sign == '>')
        copy[0].text = str_from(copy[0].text, 1);
    if (sign == '?')
        to = &conf->defaults;
    else
        conf->deferred |= sign == '-' || sign == '>' || n == 3;
    if (sign == '?' && n == 3)
        return directive_error(d, &words[2], "nothing more can stand here");
    return field_edit_add(d, copy, n, to);
}

static int add_match(const struct directive_args *d, const struct node *line,
                     struct header_conf *conf)
{
    struct directive_args args = *d;

    if (conf->has_match)
        return directive_error(d, &line->words[0], "'match' was already given");
    conf->has_match = true;
    args.node = line;
    args.args = line->words + 1;
    args.n_args = line->n_words - 1;
    return response_match_set(&args, &conf->match);
}

static int add_line(const struct directive_args *d, const struct node *line,
                    struct header_conf *conf)
{
    if (str_is(line->words[0].text, "match"))
        return add_match(d, line, conf);
    if (line->has_block)
        return directive_error(d, &line->words[0], "this has no block");
    if (line->n_words == 1 && str_is(line->words[0].text, "defer")) {
        conf->deferred = true;
        return 0;
    }
    if (d->n_args > 0)
        return directive_error(d, &line->words[0],
                               "a field stands in the line of 'header' or in its block, not in "
                               "both");
    return add_words(d, line->words, line->n_words, conf);
}

static int header_set(const struct directive_args *d)
{
    struct header_conf *conf = d->target;
    int rc = 0;

    if (d->n_args > 3)
        return directive_error(d, &d->args[3],
                               "nothing more can stand here: a value with blanks "
                               "needs quotes");
    if (d->n_args > 0)
        rc = add_words(d, d->args, d->n_args, conf);
    for (size_t i = 0; i < d->node->n_children; i++)
        if (add_line(d, &d->node->children[i], conf) != 0)
            rc = -1;
    if (rc == 0 && conf->edits.n == 0 && conf->defaults.n == 0)
        return directive_error(d, &d->node->words[0], "'header' needs a field, or a block");
    return rc;
}

/* ---- at an exchange ---- */

static void run_edits(struct exchange *ex, const void *arg)
{
    const struct header_conf *conf = arg;

    if (!conf->has_match || response_match(&conf->match, ex->status, &ex->response))
        field_edits_run(&conf->edits, ex, &ex->response);
}

static void run_defaults(struct exchange *ex, const void *arg)
{
    const struct field_edits *defaults = &((const struct header_conf *)arg)->defaults;

    for (size_t i = 0; i < defaults->n; i++) {
        const struct field_edit *edit = &defaults->list[i];

        if (fields_get(&ex->response, edit->name).p == NULL)
            fields_add(&ex->response, ex->arena, edit->name,
                       fields_clean_value(ex->arena, text_expand(&edit->value, ex)));
    }
}

/* Whether there is something to change among the fields of a prepared response, or to be found in
 * them. An edit that sets needs nothing: what is set for the exchange goes before what is prepared.
 */
static bool edits_need(const struct prepared *p, const void *arg)
{
    const struct header_conf *conf = arg;

    for (size_t i = 0; i < conf->edits.n; i++)
        for (size_t j = 0; j < p->fields.n; j++)
            if (field_edit_concerns(&conf->edits.list[i], p->fields.list[j].name))
                return true;
    return conf->has_match;
}

static bool defaults_need(const struct prepared *p, const void *arg)
{
    const struct header_conf *conf = arg;

    for (size_t i = 0; i < conf->defaults.n; i++)
        if (fields_get(&p->fields, conf->defaults.list[i].name).p != NULL)
            return true;
    return false;
}

/* Of hooks, the last one registered is run first: defaults before the edits. */
static enum verdict header_handle(const void *conf_, struct exchange *ex)
{
    const struct header_conf *conf = conf_;

    if (conf->deferred || conf->has_match)
        exchange_on_respond(ex, run_edits, edits_need, conf);
    else
        field_edits_run(&conf->edits, ex, &ex->response);
    if (conf->defaults.n > 0)
        exchange_on_respond(ex, run_defaults, defaults_need, conf);
    return NEXT;
}

static const struct handler_type header_handler = {.name = "header", .handle = header_handle};

/* ---- request_header ---- */

static int request_header_set(const struct directive_args *d)
{
    char sign = d->args[0].text.len == 0 ? '\0' : d->args[0].text.p[0];

    if (sign == '?' || sign == '>')
        return directive_error(d, &d->args[0],
                               "'%c' is for fields of the response: use a matcher here", sign);
    return field_edit_add(d, d->args, d->n_args, d->target);
}

/* The last one, since that may have been added. */
static struct str host_of(const struct fields *f)
{
    struct str host = STR_LIT("");

    for (size_t i = 0; i < f->n; i++)
        if (str_eq_nocase(f->list[i].name, STR_LIT("Host")))
            host = f->list[i].value;
    return host;
}

/* A changed Host field makes it a request for another host, as in Caddy; the site stays. */
static void run_request_edits(const struct field_edits *edits, struct exchange *ex,
                              struct fields *fields)
{
    struct str host;

    if (ex->authority.len > 0) /* it may have been in the target */
        fields_set(fields, ex->arena, STR_LIT("Host"), ex->authority);
    field_edits_run(edits, ex, fields);
    host = host_of(fields);
    if (str_eq(host, ex->authority))
        return;
    exchange_set_authority(ex, host);
    if (host.len > 0)
        fields_set(fields, ex->arena, STR_LIT("Host"), host);
}

/* What the client sent is kept, for the access log. */
static enum verdict request_header_handle(const void *edits, struct exchange *ex)
{
    struct fields fields = {NULL, 0, ex->request.n + 1};

    exchange_keep_original(ex);
    fields.list = arena_alloc(ex->arena, fields.cap * sizeof *fields.list);
    for (size_t i = 0; i < ex->request.n; i++)
        fields.list[fields.n++] = ex->request.list[i];
    run_request_edits(edits, ex, &fields);
    ex->request = fields;
    return NEXT;
}

static const struct handler_type request_header_handler = {.name = "request_header",
                                                           .handle = request_header_handle};

/* ---- the table ---- */

const struct directive header_directives[] = {
    {.name = "header",
     .places = IN_HANDLERS,
     .min_args = 0,
     .max_args = -1,
     .block = true,
     .type = &header_handler,
     .conf_size = sizeof(struct header_conf),
     .set = header_set,
     .help = "header [matcher] [+|-|?|>]<field> [<value>|<find> <replacement>]: response fields"},
    {.name = "request_header",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 3,
     .type = &request_header_handler,
     .conf_size = sizeof(struct field_edits),
     .set = request_header_set,
     .help =
         "request_header [matcher] [+|-]<field> [<value>|<find> <replacement>]: request fields"},
    {0},
};
