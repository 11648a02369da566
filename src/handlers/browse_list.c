#include "handlers/browse_list.h"

#include "base/alloc.h"
#include "base/siphash.h"
#include "handlers/beneath.h"
#include "handlers/mime.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- life ---- */

static struct browse_list *list_new(void)
{
    struct browse_list *l = xalloc(sizeof *l);

    l->refs = 1;
    l->texts = arena_new();
    return l;
}

struct browse_list *browse_list_ref(struct browse_list *l)
{
    l->refs++;
    return l;
}

void browse_list_unref(struct browse_list *l)
{
    if (l == NULL || --l->refs > 0)
        return;
    for (size_t i = 0; i < BROWSE_SORTS; i++)
        free(l->orders[i]);
    browse_pages_fini(&l->pages);
    arena_free(l->texts);
    free(l->entries);
    free(l);
}

size_t browse_list_bytes(const struct browse_list *l)
{
    size_t bytes = sizeof *l + l->cap * sizeof *l->entries + l->texts_len;

    for (size_t i = 0; i < BROWSE_SORTS; i++)
        if (l->orders[i] != NULL)
            bytes += l->n * sizeof *l->orders[i];
    return bytes + browse_pages_bytes(&l->pages);
}

/* ---- order ---- */

/* A folder's name is compared with the slash that it is shown with, as in Caddy. */
static int char_at(const struct browse_entry *e, size_t i)
{
    if (i < e->name_len)
        return (unsigned char)ascii_lower(e->name[i]);
    return i == e->name_len && e->is_folder ? '/' : -1;
}

static int by_name(const struct browse_entry *a, const struct browse_entry *b)
{
    size_t least = a->name_len < b->name_len ? a->name_len : b->name_len, i = 0;
    int c, d;

    while (i < least && ascii_lower(a->name[i]) == ascii_lower(b->name[i]))
        i++;
    do {
        c = char_at(a, i);
        d = char_at(b, i++);
    } while (c == d && c != -1);
    return c != d ? c - d : strcmp(a->name, b->name);
}

static int compare_name(const void *a_, const void *b_)
{
    const struct browse_entry *const *a = a_, *const *b = b_;

    return by_name(*a, *b);
}

static int compare_folders_first(const void *a_, const void *b_)
{
    const struct browse_entry *const *a = a_, *const *b = b_;

    if ((*a)->is_folder != (*b)->is_folder)
        return (*a)->is_folder ? -1 : 1;
    return by_name(*a, *b);
}

static int compare_size(const void *a_, const void *b_)
{
    const struct browse_entry *const *a = a_, *const *b = b_;

    if (!(*a)->is_folder && !(*b)->is_folder && (*a)->size != (*b)->size)
        return (*a)->size < (*b)->size ? -1 : 1;
    return compare_folders_first(a_, b_);
}

static int compare_time(const void *a_, const void *b_)
{
    const struct browse_entry *const *a = a_, *const *b = b_;

    if ((*a)->mtime_s != (*b)->mtime_s)
        return (*a)->mtime_s < (*b)->mtime_s ? -1 : 1;
    if ((*a)->mtime_ns != (*b)->mtime_ns)
        return (*a)->mtime_ns < (*b)->mtime_ns ? -1 : 1;
    return by_name(*a, *b);
}

const struct browse_entry *const *browse_list_order(struct browse_list *l, enum browse_sort by)
{
    static int (*const compare[BROWSE_SORTS])(const void *, const void *) = {
        [BROWSE_NAME] = compare_name,
        [BROWSE_FOLDERS_FIRST] = compare_folders_first,
        [BROWSE_SIZE] = compare_size,
        [BROWSE_TIME] = compare_time};

    if (l->orders[by] == NULL) {
        const struct browse_entry **list = xrealloc_array(NULL, l->n + 1, sizeof *list);

        for (size_t i = 0; i < l->n; i++)
            list[i] = &l->entries[i];
        qsort(list, l->n, sizeof *list, compare[by]);
        l->orders[by] = list;
    }
    return l->orders[by];
}

/* ---- reading ---- */

struct browse_reader {
    struct file_rules rules;
    size_t limit;
    bool reveal;
    char *root_path;
    struct beneath root;
    DIR *dir;
    struct browse_list *list;
    struct stat conf; /* st_ino 0: there is none */
    char *whole;      /* the absolute path of the folder, and then of the entry at hand */
    size_t folder_len;
    const char *path; /* its end, relative to the root */
};

static const char *text_of(struct browse_list *l, struct str s)
{
    l->texts_len += s.len + 1;
    return arena_str(l->texts, s).p;
}

/* What depends on the order in which a file system tells of its files is left out. */
static uint64_t hash_of(const struct browse_entry *e)
{
    static const struct siphash_key key; /* it is no secret: no table is made of these */
    struct {
        int64_t numbers[4];
        char text[NAME_MAX + 1 + BROWSE_TARGET_MAX];
    } all = {{e->size, e->mtime_s, e->mtime_ns, e->mode | (int64_t)e->is_folder << 32}, ""};
    char *end = mempcpy(all.text, e->name, e->name_len + (size_t)1);

    if (e->target != NULL)
        end = mempcpy(end, e->target, strlen(e->target));
    return siphash(&key, (struct str){(const char *)&all, (size_t)(end - (char *)&all)});
}

static void add(struct browse_list *l, const struct browse_entry *e)
{
    if (l->n == l->cap) {
        l->cap = l->cap == 0 ? 32 : l->cap + l->cap / 2;
        l->entries = xrealloc_array(l->entries, l->cap, sizeof *l->entries);
    }
    l->entries[l->n++] = *e;
    l->hash += hash_of(e);
    if (e->is_folder)
        l->n_folders++;
    else
        l->total_size += e->size;
    if (e->mtime_s > l->newest_s)
        l->newest_s = e->mtime_s;
}

static const char *read_target(const struct browse_reader *r, const char *name)
{
    char text[BROWSE_TARGET_MAX];
    ssize_t len = readlinkat(dirfd(r->dir), name, text, sizeof text);

    if (len <= 0 || (size_t)len >= sizeof text)
        return NULL;
    return text_of(r->list, (struct str){text, (size_t)len});
}

/* What file_server would make of it: st is of the name itself, and then of what it leads to. False:
 * it would not be served. */
static bool is_served(const struct browse_reader *r, struct stat *st)
{
    if (S_ISLNK(st->st_mode) && beneath_stat(&r->root, r->path, st) != 0)
        return false;
    if (S_ISDIR(st->st_mode))
        return true;
    return S_ISREG(st->st_mode) &&
           !(r->conf.st_ino != 0 && st->st_ino == r->conf.st_ino && st->st_dev == r->conf.st_dev);
}

/* By the beginning of the media type. */
static const char *kind_of(struct str name)
{
    static const struct {
        struct str type;
        const char *kind;
    } kinds[] = {
        {STR_LIT("image/"), "image"},
        {STR_LIT("video/"), "video"},
        {STR_LIT("audio/"), "audio"},
        {STR_LIT("text/"), "text"},
        {STR_LIT("application/pdf"), "text"},
        {STR_LIT("application/json"), "text"},
        {STR_LIT("application/gzip"), "archive"},
        {STR_LIT("application/zip"), "archive"},
        {STR_LIT("application/zstd"), "archive"},
        {STR_LIT("application/vnd.debian.binary-package"), "archive"},
        {STR_LIT("application/x-7z-compressed"), "archive"},
        {STR_LIT("application/x-bzip"), "archive"},
        {STR_LIT("application/x-rar"), "archive"},
        {STR_LIT("application/x-tar"), "archive"},
        {STR_LIT("application/x-xz"), "archive"},
    };
    struct str type = mime_type(NULL, name);

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (str_starts(type, kinds[i].type))
            return kinds[i].kind;
    return "file";
}

static void read_entry(struct browse_reader *r, const char *name, size_t len)
{
    struct browse_entry e = {.name_len = (uint8_t)len};
    struct stat st;

    if (fstatat(dirfd(r->dir), name, &st, AT_SYMLINK_NOFOLLOW) != 0)
        return; /* has gone, or nobody may know */
    e.mode = st.st_mode;
    e.mtime_s = st.st_mtim.tv_sec;
    e.mtime_ns = (uint32_t)st.st_mtim.tv_nsec;
    e.is_link = S_ISLNK(st.st_mode);
    if (!is_served(r, &st))
        return;
    e.size = st.st_size;
    e.is_folder = S_ISDIR(st.st_mode);
    e.name = text_of(r->list, (struct str){name, len});
    e.kind = e.is_folder ? "folder" : kind_of((struct str){name, len});
    if (e.is_link && r->reveal)
        e.target = read_target(r, name);
    add(r->list, &e);
}

/* Puts the name behind the folder's. False: too long for any path, or hidden. */
static bool may_show(struct browse_reader *r, const char *name, size_t len)
{
    if (len > UINT8_MAX || r->folder_len + len >= PATH_MAX)
        return false;
    memcpy(r->whole + r->folder_len, name, len + 1);
    return !file_rules_hide(&r->rules, r->whole, (struct str){name, len});
}

static bool is_of_no_use(const struct dirent *d)
{
    return d->d_type == DT_FIFO || d->d_type == DT_SOCK || d->d_type == DT_CHR ||
           d->d_type == DT_BLK || strcmp(d->d_name, ".") == 0 || strcmp(d->d_name, "..") == 0;
}

static void finish(struct browse_reader *r)
{
    struct browse_list *l = r->list;

    l->hash += l->n + l->is_cut + (uint64_t)l->newest_s;
    closedir(r->dir);
    r->dir = NULL;
}

int browse_reader_run(struct browse_reader *r, size_t max)
{
    for (size_t i = 0; i < max; i++) {
        const struct dirent *d;
        size_t len;

        errno = 0;
        d = readdir(r->dir);
        if (d == NULL && errno != 0)
            return -1;
        if (d == NULL) {
            finish(r);
            return 0;
        }
        len = strlen(d->d_name);
        if (is_of_no_use(d) || !may_show(r, d->d_name, len))
            continue;
        if (r->list->n == r->limit) {
            r->list->is_cut = true;
            finish(r);
            return 0;
        }
        read_entry(r, d->d_name, len);
    }
    return 1;
}

/* "/srv" and "/a/": room is left for a name. */
static void set_path(struct browse_reader *r, struct str root, struct str path)
{
    if (str_is(root, "/"))
        root.len = 0;
    r->folder_len = root.len + path.len;
    r->whole = xalloc(r->folder_len + NAME_MAX + 2);
    memcpy(mempcpy(r->whole, root.p, root.len), path.p, path.len);
    r->path = r->whole + root.len + 1;
}

static int open_folder(struct browse_reader *r, bool follow_links)
{
    struct stat st;
    int at, fd;

    if (beneath_init(&r->root, r->root_path, follow_links) != 0)
        return -1;
    at = beneath_open(&r->root, r->path[0] == '\0' ? "." : r->path, &st);
    if (at == -1)
        return -1;
    fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(at);
    if (fd == -1)
        return -1;
    r->list->newest_s = st.st_mtim.tv_sec;
    r->dir = fdopendir(fd);
    if (r->dir == NULL)
        close(fd);
    return r->dir == NULL ? -1 : 0;
}

struct browse_reader *browse_reader_new(const struct browse_scope *s)
{
    struct browse_reader *r = xalloc(sizeof *r);
    const char *conf = s->rules->conf_path;

    r->rules = *s->rules;
    r->rules.types = NULL; /* may go before the reader does */
    r->limit = s->limit;
    r->reveal = s->reveal;
    r->root_path = xstrndup(s->root.path.p, s->root.path.len);
    r->root.fd = -1;
    r->list = list_new();
    set_path(r, s->root.path, s->path);
    if (conf != NULL && stat(conf, &r->conf) != 0)
        r->conf.st_ino = 0;
    if (open_folder(r, s->root.follow_links) == 0)
        return r;
    browse_reader_free(r);
    return NULL;
}

void browse_reader_sort(struct browse_reader *r)
{
    for (int by = 0; by < BROWSE_SORTS; by++)
        browse_list_order(r->list, (enum browse_sort)by);
}

struct browse_list *browse_reader_take(struct browse_reader *r)
{
    struct browse_list *l = r->list;

    assert(r->dir == NULL);
    r->list = NULL;
    return l;
}

void browse_reader_free(struct browse_reader *r)
{
    int saved = errno;

    if (r == NULL)
        return;
    if (r->dir != NULL)
        closedir(r->dir);
    beneath_fini(&r->root);
    browse_list_unref(r->list);
    free(r->root_path);
    free(r->whole);
    free(r);
    errno = saved;
}
