#include "handlers/try_files.h"

#include "handlers/file_match.h"
#include "handlers/rewrite.h"
#include "http/handler.h"
#include "http/path.h"
#include "http/vars.h"

/* Files of which one is looked for, and what is done to the query then. One with a query of its own
 * stands alone; so what the policy compares are those without, as in Caddy. */
struct try_step {
    struct file_match match;
    struct rewrite_target target; /* the query, if it has one */
};

struct try_files_conf {
    struct try_step *steps;
    size_t n, cap;
};

/* ---- configuration ---- */

static struct try_step *add_step(const struct directive_args *d)
{
    struct try_files_conf *conf = d->target;

    conf->steps = arena_grow(d->arena, conf->steps, conf->n, &conf->cap, sizeof *conf->steps);
    conf->steps[conf->n] = (struct try_step){0};
    file_match_init(d, &conf->steps[conf->n].match);
    return &conf->steps[conf->n++];
}

/* A step for files without a query: the last one, if it is of that kind. */
static struct try_step *plain_step(const struct directive_args *d)
{
    struct try_files_conf *conf = d->target;

    if (conf->n > 0 && !conf->steps[conf->n - 1].target.has_query)
        return &conf->steps[conf->n - 1];
    return add_step(d);
}

static int add_file(const struct directive_args *d, const struct token *t)
{
    struct token file = *t, query = *t;
    struct try_step *step;

    file.text.len = rewrite_query_at(t->text);
    if (file.text.len == t->text.len)
        return file_match_add(d, t, &plain_step(d)->match);
    if (file.text.len == 0)
        return directive_error(d, t, "there is no file before the '?'");
    step = add_step(d);
    query.text = str_from(t->text, file.text.len);
    if (file_match_add(d, &file, &step->match) != 0)
        return -1;
    return rewrite_target_set(d, &query, &step->target);
}

static int set_policy(const struct directive_args *d)
{
    struct try_files_conf *conf = d->target;

    for (size_t i = 0; i < conf->n; i++)
        if (file_match_set_policy(d, &d->args[0], &conf->steps[i].match) != 0)
            return -1;
    return 0;
}

static const struct directive options[] = {
    {.name = "policy",
     .min_args = 1,
     .max_args = 1,
     .set = set_policy,
     .help = "policy first_exist|first_exist_fallback|smallest_size|largest_size|"
             "most_recently_modified"},
    {0},
};

/* "=404" ends it all, also where a file with a query makes a step of its own. */
static int check_end(const struct directive_args *d)
{
    for (size_t i = 0; i + 1 < d->n_args; i++)
        if (str_starts(d->args[i].text, STR_LIT("=")))
            return directive_error(d, &d->args[i + 1], "nothing is tried behind '" STR_FMT "'",
                                   STR_ARG(d->args[i].text));
    return 0;
}

static int try_files_set(const struct directive_args *d)
{
    int rc = check_end(d);

    for (size_t i = 0; i < d->n_args && rc == 0; i++)
        rc = add_file(d, &d->args[i]);
    return rc == 0 ? directive_block(d, options, NULL, d->target) : -1;
}

/* ---- at an exchange ---- */

/* The query first: its placeholders are those of the URI as it was. */
static int rewrite_to(struct exchange *ex, const struct try_step *step)
{
    struct str file = vars_get(ex, STR_LIT("file_match.relative"));
    int status = step->target.has_query ? rewrite_set(ex, &step->target) : 0;

    return status == 0 ? rewrite_set_path(ex, path_escape(ex->arena, file)) : status;
}

static enum verdict try_files_handle(const void *conf_, struct exchange *ex)
{
    const struct try_files_conf *conf = conf_;
    int status = 0;

    for (size_t i = 0; i < conf->n && status == 0; i++) {
        if (file_match_find(&conf->steps[i].match, ex)) {
            status = rewrite_to(ex, &conf->steps[i]);
            break;
        }
        status = ex->match_error; /* of "=404" */
        ex->match_error = 0;
    }
    if (status == 0)
        return NEXT;
    exchange_respond_error(ex, status);
    return TAKEN;
}

static const struct handler_type try_files_handler = {.name = "try_files",
                                                      .handle = try_files_handle};

const struct directive try_files_directives[] = {
    {.name = "try_files",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .no_matcher = true,
     .type = &try_files_handler,
     .conf_size = sizeof(struct try_files_conf),
     .set = try_files_set,
     .help = "try_files <files...> [{ policy }]: rewrite to the first file that is there"},
    {0},
};
