#include "handlers/handle.h"

#include "http/rewrite.h"
#include "http/route.h"

/* ---- handle, route ---- */

static int handle_set(const struct directive_args *d)
{
    return directive_route(d, true, d->target);
}

static int route_set(const struct directive_args *d)
{
    return directive_route(d, false, d->target);
}

static enum verdict handle_handle(const void *conf, struct exchange *ex)
{
    return route_enter(ex, conf);
}

static const struct handler_type handle_handler = {.name = "handle", .handle = handle_handle};

/* ---- handle_path ---- */

struct handle_path_conf {
    struct str prefix;
    struct route route;
};

/* The prefix is what stands before the star, without the slash there ("/api/" + "*"). */
static struct str prefix_of(struct str path)
{
    if (str_ends(path, STR_LIT("/*")))
        path.len -= 2;
    else if (str_ends(path, STR_LIT("*")))
        path.len--;
    return path;
}

static int handle_path_set(const struct directive_args *d)
{
    struct handle_path_conf *conf = d->target;
    const struct token *path = d->matcher != NULL ? d->matcher : d->args;

    if (path == d->args && d->n_args == 0)
        return directive_error(d, &d->node->words[0],
                               "'handle_path' needs a path: 'handle_path /prefix/* {'");
    if (path == d->args || !str_starts(path->text, STR_LIT("/")))
        return directive_error(d, path, "the path of 'handle_path' must begin with '/'");
    if (d->n_args > 0)
        return directive_error(d, d->args, "'handle_path' takes one path");
    conf->prefix = arena_str(d->arena, prefix_of(path->text));
    return directive_route(d, true, &conf->route);
}

static enum verdict handle_path_handle(const void *conf_, struct exchange *ex)
{
    const struct handle_path_conf *conf = conf_;
    int status = rewrite_strip_prefix(ex, conf->prefix);

    if (status == 0)
        return route_enter(ex, &conf->route);
    exchange_respond_error(ex, status);
    return TAKEN;
}

static const struct handler_type handle_path_handler = {.name = "handle_path",
                                                        .handle = handle_path_handle};

/* ---- invoke ---- */

struct invoke_conf {
    const struct route *route; /* filled in by the end of the load */
};

static int invoke_set(const struct directive_args *d)
{
    struct invoke_conf *conf = d->target;

    conf->route = directive_named_route(d, &d->args[0]);
    return conf->route == NULL ? -1 : 0;
}

static enum verdict invoke_handle(const void *conf, struct exchange *ex)
{
    return route_enter(ex, ((const struct invoke_conf *)conf)->route);
}

static const struct handler_type invoke_handler = {.name = "invoke", .handle = invoke_handle};

/* ---- handle_errors ---- */

/* "404", or "4xx" for all of them. */
struct status_pattern {
    int first, last;
};

struct status_condition {
    struct status_pattern *list;
    size_t n;
};

static bool status_matches(const void *conf, struct exchange *ex)
{
    const struct status_condition *c = conf;

    for (size_t i = 0; i < c->n; i++)
        if (ex->error.status >= c->list[i].first && ex->error.status <= c->list[i].last)
            return true;
    return false;
}

static const struct matcher_type status_matcher = {
    .row = {.name = "status", .conf_size = sizeof(struct status_condition)},
    .match = status_matches};

static int set_status(const struct directive_args *d, const struct token *t,
                      struct status_pattern *out)
{
    struct str s = t->text;
    uint64_t n;

    if (s.len == 3 && s.p[0] >= '4' && s.p[0] <= '5' && str_is(str_from(s, 1), "xx")) {
        out->first = (s.p[0] - '0') * 100;
        out->last = out->first + 99;
        return 0;
    }
    if (!str_to_uint(s, 599, &n) || n < 400)
        return directive_error(d, t, "'" STR_FMT "' is no error status: 400 to 599, 4xx or 5xx",
                               STR_ARG(s));
    out->first = out->last = (int)n;
    return 0;
}

static int handle_errors_set(const struct directive_args *d)
{
    struct status_condition *c;
    int rc = 0;

    if (d->n_args > 0) {
        c = directive_add_condition(d, d->row_matcher, &status_matcher);
        c->list = arena_alloc(d->arena, d->n_args * sizeof *c->list);
        for (size_t i = 0; i < d->n_args; i++)
            if (set_status(d, &d->args[i], &c->list[c->n++]) != 0)
                rc = -1;
    }
    return directive_route(d, true, d->target) == 0 ? rc : -1;
}

/* ---- for lintel adapt ---- */

static void describe_handle(const void *conf, struct describer *out)
{
    describe_route(out, "route", conf);
}

static void describe_path(const void *conf, struct describer *out)
{
    describe_route(out, "route", &((const struct handle_path_conf *)conf)->route);
}

static void describe_invoke(const void *conf, struct describer *out)
{
    describe_route(out, "route", ((const struct invoke_conf *)conf)->route);
}

/* ---- the table ---- */

const struct directive handle_directives[] = {
    {.name = "handle",
     .places = IN_HANDLERS,
     .block = true,
     .type = &handle_handler,
     .conf_size = sizeof(struct route),
     .set = handle_set,
     .describe = describe_handle,
     .group = GROUP_HANDLE,
     .help = "handle [matcher] { ... }: directives for some requests; only the first that matches"},
    {.name = "handle_errors",
     .places = IN_ERRORS,
     .max_args = -1,
     .block = true,
     .type = &handle_handler,
     .conf_size = sizeof(struct route),
     .set = handle_errors_set,
     .describe = describe_handle,
     .group = GROUP_HANDLE,
     .own = true,
     .help = "handle_errors [<status>...] { ... }: directives for errors"},
    {.name = "handle_path",
     .places = IN_HANDLERS,
     .max_args = 1,
     .block = true,
     .type = &handle_path_handler,
     .conf_size = sizeof(struct handle_path_conf),
     .set = handle_path_set,
     .describe = describe_path,
     .group = GROUP_HANDLE,
     .help = "handle_path <path> { ... }: as handle, without the prefix of the path"},
    {.name = "invoke",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 1,
     .type = &invoke_handler,
     .conf_size = sizeof(struct invoke_conf),
     .set = invoke_set,
     .describe = describe_invoke,
     .help = "invoke [matcher] <name>: the directives of a named route"},
    {.name = "route",
     .places = IN_HANDLERS,
     .block = true,
     .type = &handle_handler,
     .conf_size = sizeof(struct route),
     .set = route_set,
     .describe = describe_handle,
     .help = "route [matcher] { ... }: directives in the order of the file"},
    {0},
};
