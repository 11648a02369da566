#include "handlers/file_server.h"

#include "base/alloc.h"
#include "base/shared.h"
#include "handlers/browse.h"
#include "handlers/file_find.h"
#include "handlers/file_respond.h"
#include "handlers/file_server_conf.h"
#include "http/handler.h"
#include "http/path.h"
#include "http/placeholder.h"
#include "http/vary.h"

#include <assert.h>
#include <stdlib.h>

/* The state of one worker. */
struct file_server {
    struct file_finder finder;
    struct shared *shared;
    uint64_t types;         /* the number of the finder's types there */
    struct browser browser; /* if folders are listed */
};

/* ---- state ---- */

static void *load_types(const void *path)
{
    return mime_list_load(path);
}

static void free_types(void *list)
{
    mime_list_free(list);
}

/* The system's types as they are when a configuration is taken up, one list for all workers and all
 * its file_servers. */
static const struct shared_type types_of_conf = {load_types, free_types};

static int file_server_start(const void *conf_, const struct worker_env *env, void **state,
                             struct err *e)
{
    const struct file_server_conf *conf = conf_;
    struct file_server *fs = xalloc(sizeof *fs);
    struct file_rules rules = conf->rules;

    (void)e;
    assert(env->files != NULL);
    rules.conf_path = env->conf->path.len > 0 ? env->conf->path.p : NULL;
    fs->shared = env->shared;
    fs->types = (uintptr_t)env->conf;
    rules.types = shared_get(fs->shared, fs->types, &types_of_conf, MIME_SYSTEM_FILE);
    file_finder_init(&fs->finder, env->files, &rules);
    fs->browser = (struct browser){.conf = conf->browse,
                                   .whole_conf = env->conf,
                                   .rules = &fs->finder.rules,
                                   .cache = env->lists,
                                   .owner = fs->finder.owners[0]};
    *state = fs;
    return 0;
}

static void file_server_stop(void *state)
{
    struct file_server *fs = state;

    file_finder_fini(&fs->finder);
    shared_put(fs->shared, fs->types, &types_of_conf);
    free(fs);
}

/* ---- looking up ---- */

/* The folder for this exchange. False: none that may be served. */
static bool find_root(const struct file_server_conf *conf, struct exchange *ex, struct folder *root)
{
    if (conf->has_root)
        return root_path_expand(&conf->root, ex, root);
    *root = ex->root.path.len > 0 ? ex->root : (struct folder){conf->here, false};
    return true;
}

/* ---- canonical names ---- */

/* A folder is named with a slash at its end, a file without one. */
static struct str other_name(struct exchange *ex, struct str path, bool slash)
{
    if (!slash)
        return (struct str){path.p, path.len - 1};
    return arena_printf(ex->arena, STR_FMT "/", STR_ARG(path));
}

static struct str last_segment(struct str path)
{
    while (path.len > 1 && path.p[path.len - 1] == '/')
        path.len--;
    for (size_t i = path.len; i > 0; i--)
        if (path.p[i - 1] == '/')
            return str_from(path, i);
    return path;
}

/* Whether the client should ask for the other name. Not if the request was rewritten to something
 * that is called otherwise, nor if the client has the slash right already. */
static bool is_misnamed(const struct exchange *ex, bool slash)
{
    struct str asked = exchange_original(ex).path;

    return str_eq(last_segment(asked), last_segment(ex->path)) &&
           str_ends(asked, STR_LIT("/")) != slash;
}

static bool is_other_name(const struct file_entry *e)
{
    return e->outcome == FILE_ADD_SLASH || e->outcome == FILE_DROP_SLASH;
}

/* What there is for the path: under its canonical name, or under the other one where nobody is sent
 * there. *slash: whether what is found is named with a slash. */
static struct file_entry *find_served(const struct file_server_conf *conf, struct exchange *ex,
                                      const struct folder *root, bool *slash)
{
    struct file_server *fs = ex->handler_state;
    struct file_entry *e = file_find(&fs->finder, ex, root, ex->path);

    *slash = str_ends(ex->path, STR_LIT("/"));
    if (is_other_name(e)) {
        *slash = e->outcome == FILE_ADD_SLASH;
        if (conf->any_uri ? *slash : !is_misnamed(ex, *slash))
            e = file_find(&fs->finder, ex, root, other_name(ex, ex->path, *slash));
    }
    return e;
}

/* The status of what cannot be served, or 0. */
static int failure_of(const struct file_server_conf *conf, const struct file_entry *e)
{
    if (e->outcome == FILE_STATUS)
        return e->status;
    return conf->any_uri && e->outcome == FILE_DROP_SLASH ? 404 : 0;
}

/* ---- answering ---- */

/* With the query as it came, since what becomes of it will become of it again; and never to another
 * host, since a clean path begins with one slash and an escaped one has no backslash. */
static void redirect(struct exchange *ex, bool slash)
{
    const struct original asked = exchange_original(ex);
    struct str path = other_name(ex, asked.path, slash);

    fields_set(&ex->response, ex->arena, STR_LIT("Location"),
               arena_printf(ex->arena, STR_FMT "%s" STR_FMT, STR_ARG(path_escape(ex->arena, path)),
                            asked.query.p == NULL ? "" : "?", STR_ARG(asked.query)));
    exchange_respond(ex, 308);
}

/* That of the directive, or of the error that is being answered; 0: as usual. */
static int status_for(const struct file_server_conf *conf, struct exchange *ex)
{
    int status;

    if (conf->status.n_parts == 0)
        return ex->error.status;
    status = file_server_status(text_expand(&conf->status, ex));
    return status != 0 ? status : 500;
}

static void respond_status(struct exchange *ex, int status)
{
    if (status == 503)
        fields_set(&ex->response, ex->arena, STR_LIT("Retry-After"), STR_LIT("3"));
    exchange_respond_error(ex, status);
}

/* Files can be got and nothing else. */
static void respond_method(struct exchange *ex)
{
    fields_set(&ex->response, ex->arena, STR_LIT("Allow"), STR_LIT("GET, HEAD, OPTIONS"));
    if (str_is(ex->method, "OPTIONS"))
        exchange_respond(ex, 204);
    else
        exchange_respond_error(ex, 405);
}

/* The file, or its content as it lies beside it in a coding that the client accepts. Whether there
 * is one or not, the answer depends on that (RFC 9110 12.5.5). */
static void respond_file(const struct file_server_conf *conf, struct exchange *ex,
                         const struct folder *root, struct file_entry *e)
{
    struct file_server *fs = ex->handler_state;
    struct file_rep *rep = file_rep_ref(e->rep), *encoded = NULL;

    if (conf->precompressed.n > 0) {
        vary_add(ex, &ex->response, STR_LIT("Accept-Encoding"));
        encoded = file_find_encoded(&fs->finder, ex, root, e, &conf->precompressed);
    }
    file_respond(ex, encoded != NULL ? encoded : rep, status_for(conf, ex));
    file_rep_unref(encoded);
    file_rep_unref(rep);
}

/* Of the folder that was looked up. Its links are relative, so that the client has to know it by a
 * name with a slash, also where nobody insists on canonical names, or where the whole of the name
 * was stripped. */
static void respond_list(const struct file_server_conf *conf, struct exchange *ex,
                         const struct folder *root)
{
    struct file_server *fs = ex->handler_state;
    bool slash = str_ends(ex->path, STR_LIT("/"));

    if (is_misnamed(ex, true) ||
        (ex->path_gone && !str_ends(exchange_original(ex).path, STR_LIT("/"))))
        redirect(ex, true);
    else
        browse_respond(&fs->browser, ex, root, slash ? ex->path : other_name(ex, ex->path, true),
                       status_for(conf, ex));
}

static enum verdict file_server_handle(const void *conf_, struct exchange *ex)
{
    const struct file_server_conf *conf = conf_;
    struct folder root;
    struct file_entry *e;
    bool slash;
    int failure;

    if (!find_root(conf, ex, &root)) {
        exchange_respond_error(ex, 404);
        return TAKEN;
    }
    e = find_served(conf, ex, &root, &slash);
    failure = failure_of(conf, e);
    if (failure == 404 && conf->pass_thru)
        return NEXT;
    if (failure != 0) {
        respond_status(ex, failure);
        return TAKEN;
    }
    if (!ex->is_head && !str_is(ex->method, "GET") && ex->error.status == 0) {
        respond_method(ex);
        return TAKEN;
    }
    switch (e->outcome) {
    case FILE_SERVE:
        /* try_files may have found it by its canonical name, but the client has to know that. */
        if (!conf->any_uri && ex->error.status == 0 && is_misnamed(ex, slash))
            redirect(ex, slash);
        else
            respond_file(conf, ex, &root, e);
        break;
    case FILE_ADD_SLASH:
    case FILE_DROP_SLASH:
        redirect(ex, slash);
        break;
    case FILE_LIST:
        respond_list(conf, ex, &root);
        break;
    case FILE_STATUS:
        break;
    }
    return TAKEN;
}

static const struct handler_type file_server_handler = {.name = "file_server",
                                                        .start = file_server_start,
                                                        .stop = file_server_stop,
                                                        .handle = file_server_handle};

const struct directive file_server_directives[] = {
    {.name = "file_server",
     .places = IN_HANDLERS,
     .min_args = 0,
     .max_args = 1,
     .block = true,
     .type = &file_server_handler,
     .conf_size = sizeof(struct file_server_conf),
     .set = file_server_set,
     .describe = file_server_describe,
     .options = file_server_options,
     .help = "file_server [matcher] [browse] [{ root, index... }]: the files of a folder"},
    {0},
};
