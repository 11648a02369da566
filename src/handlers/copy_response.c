#include "handlers/copy_response.h"

#include "base/alloc.h"
#include "handlers/proxy_answer.h"
#include "handlers/reverse_proxy.h"
#include "handlers/reverse_proxy_fields.h"
#include "http/route.h"

static enum verdict fail(struct exchange *ex, const char *message)
{
    route_fail(ex, 500, str_of(message));
    return TAKEN;
}

/* ---- copy_response ---- */

static int copy_response_set(const struct directive_args *d)
{
    return d->n_args == 0 ? 0 : proxy_answer_status_set(d, &d->args[0], d->target);
}

static enum verdict copy_response_handle(const void *conf, struct exchange *ex)
{
    const struct text *text = conf;
    int status = ex->answer == NULL ? 0 : ex->answer->status;

    if (text->n_parts > 0)
        status = proxy_answer_status(text, ex);
    if (ex->answer != NULL && status == 0)
        return fail(ex, "copy_response: the status is no number from 200 to 599");
    if (!reverse_proxy_copy(ex, status))
        return fail(ex, "copy_response: there is no answer to copy");
    return TAKEN;
}

static const struct handler_type copy_response_handler = {.name = "copy_response",
                                                          .handle = copy_response_handle};

/* ---- copy_response_headers ---- */

struct names {
    struct str *list;
    size_t n, cap;
};

struct copy_headers_conf {
    struct names include; /* only these; none: all but... */
    struct names exclude; /* ...these */
};

static int add_names(const struct directive_args *d, struct names *names)
{
    for (size_t i = 0; i < d->n_args; i++) {
        names->list = arena_grow(d->arena, names->list, names->n, &names->cap, sizeof *names->list);
        names->list[names->n++] = directive_str(d, &d->args[i]);
    }
    return 0;
}

static int set_include(const struct directive_args *d)
{
    return add_names(d, &((struct copy_headers_conf *)d->target)->include);
}

static int set_exclude(const struct directive_args *d)
{
    return add_names(d, &((struct copy_headers_conf *)d->target)->exclude);
}

static const struct directive options[] = {
    {.name = "exclude",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_exclude,
     .help = "exclude <field>...: all but these"},
    {.name = "include",
     .min_args = 1,
     .max_args = -1,
     .repeats = true,
     .set = set_include,
     .help = "include <field>...: only these"},
    {0},
};

static int copy_headers_set(const struct directive_args *d)
{
    const struct copy_headers_conf *conf = d->target;

    if (directive_block(d, options, NULL, d->target) != 0)
        return -1;
    if (conf->include.n == 0 || conf->exclude.n == 0)
        return 0;
    return directive_error(d, &d->node->words[0], "of 'include' and 'exclude' only one can stand");
}

static bool is_named(const struct names *names, struct str name)
{
    for (size_t i = 0; i < names->n; i++)
        if (str_eq_nocase(names->list[i], name))
            return true;
    return false;
}

static enum verdict copy_headers_handle(const void *conf_, struct exchange *ex)
{
    const struct copy_headers_conf *conf = conf_;
    struct fields from;

    if (ex->answer == NULL)
        return fail(ex, "copy_response_headers: there is no answer to copy from");
    from = proxy_end_to_end(ex, &ex->answer->fields, 0);
    for (size_t i = 0; i < from.n; i++) {
        const struct field *f = &from.list[i];

        if ((conf->include.n > 0 && !is_named(&conf->include, f->name)) ||
            is_named(&conf->exclude, f->name))
            continue;
        if (str_eq_nocase(f->name, STR_LIT("Server"))) /* instead of ours */
            fields_remove(&ex->response, f->name);
        fields_add(&ex->response, ex->arena, f->name, f->value);
    }
    return NEXT;
}

static const struct handler_type copy_headers_handler = {.name = "copy_response_headers",
                                                         .handle = copy_headers_handle};

/* ---- the table ---- */

const struct directive copy_response_directives[] = {
    {.name = "copy_response",
     .places = IN_HANDLERS,
     .max_args = 1,
     .type = &copy_response_handler,
     .conf_size = sizeof(struct text),
     .set = copy_response_set,
     .help = "copy_response [matcher] [<status>]: in handle_response, the upstream's answer"},
    {.name = "copy_response_headers",
     .places = IN_HANDLERS,
     .block = true,
     .type = &copy_headers_handler,
     .conf_size = sizeof(struct copy_headers_conf),
     .set = copy_headers_set,
     .options = options,
     .help = "copy_response_headers [matcher] [{ include|exclude }]: in handle_response, fields of "
             "the upstream's answer"},
    {0},
};
