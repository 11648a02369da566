#include "handlers/file_glob.h"

#include "base/glob.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int compare(const void *a, const void *b)
{
    return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static void add(struct arena *a, struct paths *list, struct str path)
{
    list->list = arena_grow(a, list->list, list->n, &list->cap, sizeof *list->list);
    list->list[list->n++] = path;
}

static DIR *open_folder(const struct beneath *root, struct str path)
{
    struct stat st;
    int fd = beneath_open(root, path.len == 0 ? "." : path.p, &st), readable = -1;
    DIR *dir;

    if (fd == -1)
        return NULL;
    if (S_ISDIR(st.st_mode))
        readable = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    close(fd);
    if (readable == -1)
        return NULL;
    dir = fdopendir(readable);
    if (dir == NULL)
        close(readable);
    return dir;
}

static struct str join(struct arena *a, struct str folder, struct str name)
{
    return arena_printf(a, STR_FMT "%s" STR_FMT, STR_ARG(folder), folder.len > 0 ? "/" : "",
                        STR_ARG(name));
}

/* The names of a folder that match. */
static void match_names(const struct beneath *root, struct arena *a, struct str folder,
                        struct str pattern, struct paths *out)
{
    DIR *dir = open_folder(root, folder);
    size_t first = out->n;
    const struct dirent *e;

    if (dir == NULL)
        return;
    for (size_t i = 0; i < FILE_GLOB_NAMES_MAX && (e = readdir(dir)) != NULL; i++) {
        struct str name = str_of(e->d_name);

        if (!str_is(name, ".") && !str_is(name, "..") && glob_matches(pattern, name, false) &&
            out->n < FILE_GLOB_FOUND_MAX)
            add(a, out, join(a, folder, name));
    }
    closedir(dir);
    if (out->n > first)
        qsort(out->list + first, out->n - first, sizeof *out->list, compare);
}

/* A name that is no pattern, without the backslashes that said so. */
static struct str plain_name(struct arena *a, struct str name)
{
    char *p = arena_bytes(a, name.len + 1);
    size_t n = 0;

    for (size_t i = 0; i < name.len; i++) {
        if (name.p[i] == '\\' && i + 1 < name.len)
            i++;
        p[n++] = name.p[i];
    }
    p[n] = '\0';
    return (struct str){p, n};
}

static bool is_pattern(struct str name)
{
    for (size_t i = 0; i < name.len; i++)
        if (name.p[i] == '\\')
            i++;
        else if (memchr("*?[", name.p[i], 3) != NULL)
            return true;
    return false;
}

/* Name by name: each step takes the folders found so far to what matches in them. */
void file_glob(const struct beneath *root, struct arena *a, struct str pattern, struct paths *out)
{
    struct paths now = {NULL, 0, 0};
    struct stat st;

    add(a, &now, STR_LIT(""));
    while (pattern.p != NULL) {
        struct str name = str_cut(&pattern, '/');
        struct paths next = {NULL, 0, 0};

        for (size_t i = 0; i < now.n; i++)
            if (is_pattern(name))
                match_names(root, a, now.list[i], name, &next);
            else
                add(a, &next, join(a, now.list[i], plain_name(a, name)));
        now = next;
    }
    for (size_t i = 0; i < now.n && out->n < FILE_GLOB_FOUND_MAX; i++)
        if (beneath_stat(root, now.list[i].len == 0 ? "." : now.list[i].p, &st) == 0)
            add(a, out, now.list[i]);
}
