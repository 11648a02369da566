#include "handlers/mime.h"

#include "base/alloc.h"
#include "base/arena.h"
#include "base/file.h"
#include "base/log.h"
#include "handlers/mime_table.h"

#include <fcntl.h>
#include <stdlib.h>

static const struct str charset = STR_LIT("; charset=utf-8");

/* ---- the table ---- */

static struct str extension_of(const struct mime_row *row)
{
    return str_of(mime_extensions + row->extension);
}

static struct str type_of(const struct mime_row *row)
{
    return str_of(mime_types + row->type);
}

static int compare_row(const void *extension, const void *row)
{
    return str_cmp(*(const struct str *)extension, extension_of(row));
}

/* extension: in lower case. NULL: it is not known. */
static const struct mime_row *find_row(struct str extension)
{
    return bsearch(&extension, mime_rows, mime_n_rows, sizeof mime_rows[0], compare_row);
}

static bool is_outdated(const struct mime_row *row, struct str type)
{
    const ptrdiff_t index = row - mime_rows;

    for (size_t i = 0; i < mime_n_old_rows && mime_old_rows[i].row <= index; i++)
        if (mime_old_rows[i].row == index && str_is(type, mime_old_types + mime_old_rows[i].type))
            return true;
    return false;
}

/* ---- a list ---- */

struct entry {
    struct str extension;
    struct str type; /* with its charset */
    size_t line;
};

/* By extension, and then by line. */
struct mime_list {
    struct arena *arena;
    struct entry *entries;
    size_t n, cap;
};

static int compare_entries(const void *a_, const void *b_)
{
    const struct entry *a = a_, *b = b_;
    int order = str_cmp(a->extension, b->extension);

    if (order != 0)
        return order;
    return a->line < b->line ? -1 : a->line > b->line;
}

static int compare_entry(const void *extension, const void *entry)
{
    return str_cmp(*(const struct str *)extension, ((const struct entry *)entry)->extension);
}

/* restricted-name-chars of RFC 6838 4.2. */
static bool is_name(struct str s)
{
    if (s.len == 0)
        return false;
    for (size_t i = 0; i < s.len; i++) {
        char c = ascii_lower(s.p[i]);

        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) &&
            (c == '\0' || strchr("!#$&-^_.+", c) == NULL))
            return false;
    }
    return true;
}

static bool is_type(struct str s)
{
    struct str rest = s, first = str_cut(&rest, '/');

    return s.len <= MIME_TYPE_MAX && is_name(first) && is_name(rest);
}

static bool is_extension(struct str s)
{
    return s.len <= MIME_EXTENSION_MAX && is_name(s) && str_chr(s, '.') == s.len;
}

static struct str lower_copy(struct arena *a, struct str s)
{
    char *copy = arena_bytes(a, s.len);

    for (size_t i = 0; i < s.len; i++)
        copy[i] = ascii_lower(s.p[i]);
    return (struct str){copy, s.len};
}

static struct str next_word(struct str *rest)
{
    size_t start = 0, end;

    while (start < rest->len && strchr(" \t\r\f\v", rest->p[start]) != NULL)
        start++;
    for (end = start; end < rest->len && strchr(" \t\r\f\v", rest->p[end]) == NULL;)
        end++;
    *rest = (struct str){rest->p + end, rest->len - end};
    return (struct str){rest->p - (end - start), end - start};
}

static struct str with_charset(struct arena *a, struct str type)
{
    if (!str_starts(type, STR_LIT("text/")))
        return type;
    return arena_printf(a, STR_FMT STR_FMT, STR_ARG(type), STR_ARG(charset));
}

static void add(struct mime_list *list, struct str extension, struct str type, size_t line)
{
    if (list->n == list->cap) {
        list->cap = list->cap == 0 ? 256 : list->cap * 2;
        list->entries = xrealloc_array(list->entries, list->cap, sizeof *list->entries);
    }
    list->entries[list->n++] = (struct entry){extension, type, line};
}

static void read_line(struct mime_list *list, struct str line, size_t number)
{
    struct str rest = {line.p, str_chr(line, '#')};
    struct str type = next_word(&rest), full = {NULL, 0}, word;

    if (!is_type(type))
        return;
    type = lower_copy(list->arena, type);
    while ((word = next_word(&rest)).len > 0 && list->n < MIME_SYSTEM_EXTENSIONS) {
        const struct mime_row *row;

        if (!is_extension(word))
            continue;
        word = lower_copy(list->arena, word);
        row = find_row(word);
        if (row != NULL && is_outdated(row, type))
            continue;
        if (full.p == NULL)
            full = with_charset(list->arena, type);
        add(list, word, full, number);
    }
}

/* Leaves of each extension the last line, and that only if it is news. */
static void settle(struct mime_list *list)
{
    size_t n = 0;

    if (list->n > 0)
        qsort(list->entries, list->n, sizeof list->entries[0], compare_entries);
    for (size_t i = 0; i < list->n; i++) {
        const struct entry *e = &list->entries[i];
        const struct mime_row *row;

        if (i + 1 < list->n && str_eq(e[1].extension, e->extension))
            continue;
        row = find_row(e->extension);
        if (row == NULL || !str_eq(type_of(row), e->type))
            list->entries[n++] = *e;
    }
    list->n = n;
}

struct mime_list *mime_list_parse(struct str text)
{
    struct mime_list *list = xalloc(sizeof *list);
    struct mime_list *kept = xalloc(sizeof *kept);

    list->arena = arena_new();
    for (size_t number = 0; text.p != NULL; number++)
        read_line(list, str_cut(&text, '\n'), number);
    settle(list);
    kept->arena = arena_new();
    for (size_t i = 0; i < list->n; i++)
        add(kept, arena_str(kept->arena, list->entries[i].extension),
            arena_str(kept->arena, list->entries[i].type), 0);
    mime_list_free(list);
    return kept;
}

struct mime_list *mime_list_load(const char *path)
{
    struct buf text = BUF_INIT(MIME_SYSTEM_MAX);
    struct mime_list *list;
    struct err e;

    if (file_read(AT_FDCWD, path, &text, &e) != 0) {
        if (e.code != ERR_NOT_FOUND)
            log_warn("http", "%s; going on with the media types that are built in", e.msg);
        buf_clear(&text);
    }
    list = mime_list_parse(buf_str(&text));
    buf_fini(&text);
    return list;
}

void mime_list_free(struct mime_list *list)
{
    if (list == NULL)
        return;
    arena_free(list->arena);
    free(list->entries);
    free(list);
}

size_t mime_list_count(const struct mime_list *list)
{
    return list->n;
}

/* ---- names ---- */

struct str mime_type(const struct mime_list *list, struct str file_name)
{
    char lower[MIME_EXTENSION_MAX];
    struct str extension = {lower, 0};
    size_t dot = file_name.len;
    const struct entry *entry = NULL;
    const struct mime_row *row;

    while (dot > 0 && file_name.p[dot - 1] != '.' && file_name.p[dot - 1] != '/')
        dot--;
    if (dot < 2 || file_name.p[dot - 1] != '.' || file_name.p[dot - 2] == '/' ||
        file_name.len - dot > sizeof lower)
        return (struct str){NULL, 0};
    for (; dot < file_name.len; dot++)
        lower[extension.len++] = ascii_lower(file_name.p[dot]);
    if (list != NULL && list->n > 0)
        entry = bsearch(&extension, list->entries, list->n, sizeof list->entries[0], compare_entry);
    if (entry != NULL)
        return entry->type;
    row = find_row(extension);
    return row == NULL ? (struct str){NULL, 0} : type_of(row);
}
