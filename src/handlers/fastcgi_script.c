#include "handlers/fastcgi_script.h"

#include "handlers/beneath.h"
#include "http/path.h"
#include "http/vars.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>

/* Behind the first segment that ends so; 0: none does. */
static size_t split_at(struct str path, struct str end)
{
    for (size_t i = 0; i + end.len <= path.len; i++) {
        size_t at = i + end.len;

        if ((at == path.len || path.p[at] == '/') &&
            str_eq_nocase((struct str){path.p + i, end.len}, end))
            return at;
    }
    return 0;
}

/* False: the path names no script. */
static bool split(const struct fastcgi_conf *c, struct str path, struct fastcgi_script *out)
{
    size_t at = 0;

    if (c->n_splits == 0) {
        out->path_info = path;
        return true;
    }
    for (size_t i = 0; i < c->n_splits && at == 0; i++)
        at = split_at(path, c->splits[i]);
    out->name = (struct str){path.p, at};
    out->path_info = str_from(path, at);
    return at > 0;
}

/* Whether there is a script below a folder: 0 or the errno. Where the folder is not on this machine
 * it is up to the server. */
static int look(struct exchange *ex, const struct folder *root, struct str name)
{
    struct beneath below;
    struct stat st;
    int rc;

    if (beneath_init(&below, root->path.p, root->follow_links) != 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : errno;
    rc = beneath_stat(&below, arena_str(ex->arena, str_from(name, 1)).p, &st) == 0 ? 0 : errno;
    beneath_fini(&below);
    return rc != 0 || S_ISREG(st.st_mode) ? rc : EXDEV;
}

/* The server has files of its own, of which we may see some, or others by the same names. */
static bool is_odd(struct exchange *ex, const struct folder *root, struct str name)
{
    int error = root->path.len == 0 ? 0 : look(ex, root, name);

    return error != 0 && error != ENOENT && error != EACCES && error != EPERM;
}

/* Whether it may be run: 0, or the status to answer with. */
static int judge(const struct fastcgi_conf *c, struct exchange *ex, const struct folder *root,
                 struct str name)
{
    int error;

    if (c->has_root)
        return is_odd(ex, root, name) || is_odd(ex, &ex->root, name) ? 404 : 0;
    error = look(ex, root, name);
    if (error == 0)
        return 0;
    return error == EACCES || error == EPERM ? 403 : 404;
}

static bool root_of(const struct fastcgi_conf *c, struct exchange *ex, struct folder *root)
{
    if (c->has_root)
        return root_path_expand(&c->root, ex, root);
    *root = ex->root.path.len > 0 ? ex->root : (struct folder){c->here, false};
    return true;
}

static struct str resolved(struct exchange *ex, struct str root)
{
    char real[PATH_MAX];

    return realpath(root.p, real) == NULL ? root : arena_str(ex->arena, str_of(real));
}

/* The target's path, decoded, and its query. */
static bool read_target(struct exchange *ex, const char *target, struct str *path,
                        struct str *query)
{
    struct str raw;

    if (target == NULL) {
        *path = ex->path;
        *query = ex->query;
        return true;
    }
    *query = str_of(target);
    raw = str_cut(query, '?');
    return path_clean(ex->arena, raw, path) == PATH_OK;
}

int fastcgi_script_find(const struct fastcgi_conf *c, struct exchange *ex, const char *target,
                        struct fastcgi_script *out)
{
    struct folder root;
    struct str path;
    int status = 0;

    *out = (struct fastcgi_script){.query = {NULL, 0}};
    if (!read_target(ex, target, &path, &out->query))
        return 400;
    if (!str_starts(path, STR_LIT("/"))) /* "*" */
        return 400;
    if (!root_of(c, ex, &root) || !split(c, path, out))
        return 404;
    if (out->name.len > 0)
        status = judge(c, ex, &root, out->name);
    /* The file matcher may have cut the path already. */
    if (out->path_info.len == 0)
        out->path_info = vars_get(ex, STR_LIT("file_match.remainder"));
    out->root = c->resolve_root_symlink ? resolved(ex, root.path) : root.path;
    return status;
}

struct str fastcgi_script_below(struct arena *a, struct str root, struct str path)
{
    if (str_is(root, "/"))
        root.len = 0;
    return arena_printf(a, STR_FMT STR_FMT, STR_ARG(root), STR_ARG(path));
}
