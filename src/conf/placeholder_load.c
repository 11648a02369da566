#include "conf/placeholder_load.h"

#include "base/alloc.h"
#include "base/file.h"

#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/utsname.h>
#include <unistd.h>

static int load_env(struct arena *a, struct str name, struct str *value, struct err *e)
{
    const char *found = getenv(arena_str(a, name).p);

    (void)e;
    *value = found == NULL ? STR_LIT("") : arena_str(a, str_of(found));
    return 0;
}

/* The content of a file, without the line end at its end. */
static int load_file(struct arena *a, struct str path, struct str *value, struct err *e)
{
    struct buf content = BUF_INIT(PLACEHOLDER_FILE_MAX);
    int rc = file_read(AT_FDCWD, arena_str(a, path).p, &content, e);
    struct str s = buf_str(&content);

    if (str_ends(s, STR_LIT("\n")))
        s.len--;
    if (str_ends(s, STR_LIT("\r")))
        s.len--;
    if (rc == 0)
        *value = arena_str(a, s);
    buf_fini(&content);
    return rc;
}

static int load_hostname(struct arena *a, struct str name, struct str *value, struct err *e)
{
    struct utsname system;

    (void)name;
    (void)e;
    *value = uname(&system) == 0 ? arena_str(a, str_of(system.nodename)) : STR_LIT("");
    return 0;
}

/* Caddy's names are those of the Go toolchain. */
static int load_arch(struct arena *a, struct str name, struct str *value, struct err *e)
{
    static const struct {
        const char *machine;
        const char *name;
    } names[] = {
        {"x86_64", "amd64"},
        {"aarch64", "arm64"},
        {"i686", "386"},
        {"i586", "386"},
        {"armv6l", "arm"},
        {"armv7l", "arm"},
        {"armv8l", "arm"},
        {"ppc64le", "ppc64le"},
        {"mips64", "mips64"},
        {"mips", "mips"},
        {"riscv64", "riscv64"},
        {"s390x", "s390x"},
        {"loongarch64", "loong64"},
    };
    struct utsname system;

    (void)name;
    (void)e;
    *value = STR_LIT("");
    if (uname(&system) != 0)
        return 0;
    *value = arena_str(a, str_of(system.machine));
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(system.machine, names[i].machine) == 0)
            *value = str_of(names[i].name);
    return 0;
}

static int load_os(struct arena *a, struct str name, struct str *value, struct err *e)
{
    (void)a;
    (void)name;
    (void)e;
    *value = STR_LIT("linux");
    return 0;
}

static int load_slash(struct arena *a, struct str name, struct str *value, struct err *e)
{
    (void)a;
    (void)name;
    (void)e;
    *value = STR_LIT("/");
    return 0;
}

static int load_folder(struct arena *a, struct str name, struct str *value, struct err *e)
{
    char folder[PATH_MAX];

    (void)name;
    (void)e;
    *value = getcwd(folder, sizeof folder) == NULL ? STR_LIT("") : arena_str(a, str_of(folder));
    return 0;
}

/* A name that ends with a dot takes the rest as its argument. */
static const struct row {
    const char *name;
    int (*load)(struct arena *a, struct str argument, struct str *value, struct err *e);
} rows[] = {
    {"env.", load_env},         {"file.", load_file},   {"system.hostname", load_hostname},
    {"system.arch", load_arch}, {"system.os", load_os}, {"system.slash", load_slash},
    {"system.wd", load_folder},
};

/* "{file.name}" without a slash or a dot is a part of the path's file in Caddy. */
static bool is_row(struct str name, const struct row *row, struct str *argument)
{
    struct str r = str_of(row->name);

    *argument = (struct str){NULL, 0};
    if (!str_ends(r, STR_LIT(".")))
        return str_eq(name, r);
    if (!str_starts(name, r) || name.len == r.len)
        return false;
    *argument = str_from(name, r.len);
    return row->load != load_file || str_chr(*argument, '/') < argument->len ||
           str_chr(*argument, '.') < argument->len;
}

static const struct row *find(struct str name, struct str *argument)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (is_row(name, &rows[i], argument))
            return &rows[i];
    return NULL;
}

bool placeholder_load_knows(struct str name)
{
    struct str argument;

    return find(name, &argument) != NULL;
}

int placeholder_load(struct arena *a, struct str name, struct str *value, struct err *e)
{
    struct str argument;
    const struct row *row = find(name, &argument);

    if (row == NULL)
        return err_set(e, ERR_INVALID, "'{" STR_FMT "}' has no value", STR_ARG(name));
    if (row->load(a, argument, value, e) != 0)
        return err_wrap(e, "'{" STR_FMT "}'", STR_ARG(name));
    return 0;
}

void placeholder_load_offer(struct nearest *n)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        nearest_offer(n, str_of(rows[i].name));
}
