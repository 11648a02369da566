#include "handlers/file_lookup.h"

#include "base/alloc.h"
#include "base/log.h"
#include "handlers/beneath.h"

#include <errno.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

struct lookup {
    const struct file_rules *rules;
    const struct file_kind *kind;
    struct beneath root;
    int64_t now_s;
    struct file_entry *out;
    char whole[PATH_MAX]; /* the absolute path */
    const char *path;     /* its end, relative to the root */
};

/* Sets the path: what follows the root, and perhaps a name in that folder. False: too long. */
static bool set_path(struct lookup *l, struct str path, const char *name)
{
    struct str root = str_of(l->root.path);
    struct str tail = str_of(name);
    char *at = l->whole;

    if (str_is(root, "/"))
        root.len = 0;
    if (root.len + path.len + tail.len + 1 >= sizeof l->whole)
        return false;
    at = mempcpy(at, root.p, root.len);
    at = mempcpy(at, path.p, path.len); /* begins with a slash */
    l->path = l->whole + root.len + 1;
    memcpy(at, tail.p, tail.len);
    at[tail.len] = '\0';
    return true;
}

/* ---- what is hidden ---- */

static bool name_matches(const char *pattern, struct str path)
{
    char name[NAME_MAX + 1];

    while (path.p != NULL) {
        struct str segment = str_cut(&path, '/');

        if (segment.len > NAME_MAX)
            continue;
        memcpy(name, segment.p, segment.len);
        name[segment.len] = '\0';
        if (segment.len > 0 && fnmatch(pattern, name, 0) == 0)
            return true;
    }
    return false;
}

bool file_rules_hide(const struct file_rules *rules, const char *whole, struct str names)
{
    for (size_t i = 0; i < rules->n_hide; i++) {
        const char *pattern = rules->hide[i];

        if (strchr(pattern, '/') != NULL
                ? fnmatch(pattern, whole, FNM_PATHNAME | FNM_LEADING_DIR) == 0
                : name_matches(pattern, names))
            return true;
    }
    return false;
}

/* By what it is and not by its name: other names may lead to it as well. */
static bool is_conf(const struct lookup *l, const struct stat *st)
{
    struct stat conf;

    return l->rules->conf_path != NULL && stat(l->rules->conf_path, &conf) == 0 &&
           conf.st_ino == st->st_ino && conf.st_dev == st->st_dev;
}

/* ---- opening ---- */

/* The file or folder at the path, as beneath_open(). */
static int open_path(const struct lookup *l, struct stat *st)
{
    int fd;

    if (l->kind->coding == NULL && file_rules_hide(l->rules, l->whole, str_of(l->path))) {
        errno = ENOENT;
        return -1;
    }
    fd = beneath_open(&l->root, l->path[0] == '\0' ? "." : l->path, st);
    if (fd != -1 && S_ISREG(st->st_mode) && is_conf(l, st)) {
        close(fd);
        errno = ENOENT;
        return -1;
    }
    return fd;
}

static void set_status(struct file_entry *out, int status)
{
    out->outcome = FILE_STATUS;
    out->status = status;
}

int file_status(const char *path, int code)
{
    switch (code) {
    case ENOENT:
    case ENOTDIR:
    case ELOOP:
    case ENAMETOOLONG:
    case EXDEV:
        return 404;
    case EACCES:
    case EPERM:
        return 403;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case EAGAIN:
        return 503;
    default:
        log_warn("http", "%s: cannot be read: %s", path, strerror(code));
        return 500;
    }
}

static void set_error(const struct lookup *l, int code)
{
    set_status(l->out, file_status(l->whole, code));
}

/* Takes fd. final: the path leads here as long as this file is here. */
static void serve(const struct lookup *l, int fd, const struct stat *st, bool final)
{
    struct file_kind kind = *l->kind;
    char etag[FILE_ETAG_MAX + 1];
    struct file_rep *rep;

    kind.types = l->rules->types;
    kind.etag = file_etag_read(&l->rules->etags, &l->root, l->path, true, etag);
    rep = file_rep_new(fd, st, str_of(l->path), &kind, l->now_s);
    if (rep == NULL) {
        set_error(l, errno);
        return;
    }
    l->out->outcome = FILE_SERVE;
    l->out->rep = rep;
    l->out->file = xstrdup(l->whole);
    if (final && rep->settled)
        l->out->checked = l->out->file;
}

/* ---- looking up ---- */

static bool is_absent(int code)
{
    return code == ENOENT || code == ENOTDIR || code == EXDEV || code == ELOOP;
}

/* The first index file of the folder, open, or -1 with errno. *nth: which. */
static int open_index(struct lookup *l, struct str folder, struct stat *st, size_t *nth)
{
    for (*nth = 0; *nth < l->rules->n_index; ++*nth) {
        int fd;

        if (!set_path(l, folder, l->rules->index[*nth]))
            continue;
        fd = open_path(l, st);
        if (fd != -1 && S_ISREG(st->st_mode))
            return fd;
        if (fd != -1)
            close(fd);
        else if (!is_absent(errno))
            return -1;
    }
    errno = ENOENT;
    return -1;
}

/* The path leads to a folder. */
static bool is_folder(struct lookup *l, struct str path)
{
    struct stat st;
    int fd = set_path(l, path, "") ? open_path(l, &st) : -1;

    if (fd == -1)
        return false;
    close(fd);
    return S_ISDIR(st.st_mode);
}

/* "/a/": the folder's index or its list, or a file that is not called so. */
static void look_up_folder(struct lookup *l, struct str path)
{
    struct stat st;
    size_t nth;
    int fd = open_index(l, path, &st, &nth);

    if (fd != -1) {
        serve(l, fd, &st, nth == 0);
        return;
    }
    if (is_absent(errno) && l->rules->browse && is_folder(l, path)) {
        l->out->outcome = FILE_LIST;
        return;
    }
    if (!is_absent(errno) || path.len == 1) {
        set_error(l, errno);
        return;
    }
    set_status(l->out, 404);
    if (!set_path(l, (struct str){path.p, path.len - 1}, ""))
        return;
    fd = open_path(l, &st);
    if (fd == -1)
        return;
    if (S_ISREG(st.st_mode))
        l->out->outcome = FILE_DROP_SLASH;
    close(fd);
}

/* A folder without an index that may not be listed is not found: whether there is one is nobody's
 * business. */
static void look_up_name(struct lookup *l, struct str path)
{
    struct str folder = {NULL, path.len + 1};
    char slashed[PATH_MAX];
    struct stat st;
    size_t nth;
    int fd = open_path(l, &st);

    if (fd == -1) {
        set_error(l, errno);
        return;
    }
    if (S_ISREG(st.st_mode)) {
        serve(l, fd, &st, true);
        return;
    }
    close(fd);
    memcpy(slashed, path.p, path.len);
    slashed[path.len] = '/';
    folder.p = slashed;
    fd = open_index(l, folder, &st, &nth);
    if (fd == -1 && !(is_absent(errno) && l->rules->browse)) {
        set_error(l, errno);
        return;
    }
    if (fd != -1)
        close(fd);
    l->out->outcome = FILE_ADD_SLASH;
}

/* A file's content in another coding. Its name says nothing but that. */
static void look_up_side(struct lookup *l)
{
    struct stat st;
    int fd = open_path(l, &st);

    if (fd != -1 && S_ISREG(st.st_mode)) {
        serve(l, fd, &st, true);
        return;
    }
    if (fd != -1) {
        close(fd);
        errno = ENOENT;
    }
    set_error(l, errno);
}

void file_lookup(const struct file_rules *rules, const struct folder *root, struct str path,
                 const struct file_kind *kind, int64_t now_s, struct file_entry *out)
{
    struct lookup l = {.rules = rules,
                       .kind = kind,
                       .root = {.fd = -1, .path = root->path.p},
                       .now_s = now_s,
                       .out = out};

    if (!set_path(&l, path, "")) {
        set_status(out, 404);
        return;
    }
    if (beneath_init(&l.root, root->path.p, root->follow_links) != 0) {
        set_error(&l, errno);
        return;
    }
    if (kind->coding != NULL)
        look_up_side(&l);
    else if (path.p[path.len - 1] == '/')
        look_up_folder(&l, path);
    else
        look_up_name(&l, path);
    beneath_fini(&l.root);
}

struct str file_entry_path(const struct file_entry *e, const struct folder *root)
{
    const struct str file = str_of(e->file);

    return str_is(root->path, "/") ? file : str_from(file, root->path.len);
}

/* Also where there was none, there may be one now. */
static bool has_same_etag(const struct file_rules *rules, const struct folder *root,
                          const struct file_entry *e)
{
    struct beneath b;
    char buf[FILE_ETAG_MAX + 1];
    struct str tag;

    if (beneath_init(&b, root->path.p, root->follow_links) != 0)
        return false;
    tag = file_etag_read(&rules->etags, &b, file_entry_path(e, root).p + 1, false, buf);
    beneath_fini(&b);
    return tag.len == 0 ? !e->rep->named : str_eq(tag, e->rep->validators.etag);
}

bool file_lookup_still(const struct file_rules *rules, const struct folder *root,
                       const struct file_entry *e)
{
    struct stat st;

    return stat(e->checked, &st) == 0 && file_rep_is(e->rep, &st) &&
           (rules->etags.n == 0 || has_same_etag(rules, root, e));
}
