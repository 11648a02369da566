#include "conf/import_disk.h"

#include "base/file.h"

#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>

/* ".*" matches the folder itself and its parent. */
static bool is_folder_link(const char *path)
{
    struct str s = str_of(path);

    return str_ends(s, STR_LIT("/.")) || str_ends(s, STR_LIT("/..")) || str_is(s, ".") ||
           str_is(s, "..");
}

static int compare(const void *a, const void *b)
{
    const struct str *x = a, *y = b;

    return str_cmp(*x, *y);
}

int import_disk_glob(struct arena *a, const char *pattern, struct disk_paths *out, struct err *e)
{
    glob_t found = {0};
    int rc = glob(pattern, GLOB_NOSORT, NULL, &found);

    *out = (struct disk_paths){NULL, 0};
    if (rc != 0 && rc != GLOB_NOMATCH)
        return err_set(e, ERR_IO, "%s: %s", pattern,
                       rc == GLOB_NOSPACE ? "too many files" : "cannot be searched");
    if (rc == 0) {
        out->list = arena_alloc(a, (found.gl_pathc + 1) * sizeof *out->list);
        for (size_t i = 0; i < found.gl_pathc; i++)
            if (!is_folder_link(found.gl_pathv[i]))
                out->list[out->n++] = arena_str(a, str_of(found.gl_pathv[i]));
        qsort(out->list, out->n, sizeof *out->list, compare);
        globfree(&found);
    }
    return 0;
}

int import_disk_read(const char *path, struct buf *out, struct err *e)
{
    return file_read(AT_FDCWD, path, out, e);
}
