/* What pages that list a folder can say: a table of values, each a function. */
#include "handlers/browse_template.h"

static const char *const sorts[BROWSE_SORTS] = {[BROWSE_NAME] = "name",
                                                [BROWSE_FOLDERS_FIRST] = "namedirfirst",
                                                [BROWSE_SIZE] = "size",
                                                [BROWSE_TIME] = "time"};

/* ---- the folder ---- */

static void put_path(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_html(p, o->show->path);
}

static void put_up(const struct browse_out *o, struct browse_pen *p)
{
    if (o->show->path.len > 1)
        browse_put(p, STR_LIT("../"));
}

static void put_folders(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, (int64_t)o->show->list->n_folders);
}

static bool is_one_folder(const struct browse_out *o)
{
    return o->show->list->n_folders == 1;
}

static size_t n_files(const struct browse_out *o)
{
    return o->show->list->n - o->show->list->n_folders;
}

static void put_files(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, (int64_t)n_files(o));
}

static bool is_one_file(const struct browse_out *o)
{
    return n_files(o) == 1;
}

static void put_total(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_size(p, o->show->list->total_size);
}

static void put_total_bytes(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, o->show->list->total_size);
}

static void put_limit(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, (int64_t)o->show->list->n);
}

static bool is_cut(const struct browse_out *o)
{
    return o->show->list->is_cut;
}

/* ---- what is shown of it ---- */

static void put_filter(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_html(p, o->show->filter);
}

static void put_found(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, (int64_t)o->show->n_rows);
}

static bool is_filtered(const struct browse_out *o)
{
    return o->show->filter.len > 0;
}

static void put_sort(const struct browse_out *o, struct browse_pen *p)
{
    browse_put(p, str_of(sorts[o->show->sort]));
}

static void put_order(const struct browse_out *o, struct browse_pen *p)
{
    browse_put(p, o->show->descending ? STR_LIT("desc") : STR_LIT("asc"));
}

static bool is_folders_first(const struct browse_out *o)
{
    return o->show->sort == BROWSE_FOLDERS_FIRST;
}

static bool is_by_name(const struct browse_out *o)
{
    return o->show->sort == BROWSE_NAME || o->show->sort == BROWSE_FOLDERS_FIRST;
}

/* The query of a link that sorts otherwise; for use in an attribute. */
static void put_link(const struct browse_out *o, struct browse_pen *p, enum browse_sort by,
                     bool descending)
{
    browse_put(p, STR_LIT("?sort="));
    browse_put(p, str_of(sorts[by]));
    browse_put(p, descending ? STR_LIT("&amp;order=desc") : STR_LIT("&amp;order=asc"));
    if (o->show->filter.len > 0) {
        browse_put(p, STR_LIT("&amp;filter="));
        browse_put_query(p, o->show->filter);
    }
}

/* What is sorted by already is turned round. */
static void put_sort_link(const struct browse_out *o, struct browse_pen *p, enum browse_sort by)
{
    put_link(o, p, by, o->show->sort == by && !o->show->descending);
}

static void put_sort_name(const struct browse_out *o, struct browse_pen *p)
{
    put_sort_link(o, p, is_by_name(o) ? o->show->sort : BROWSE_FOLDERS_FIRST);
}

static void put_sort_size(const struct browse_out *o, struct browse_pen *p)
{
    put_sort_link(o, p, BROWSE_SIZE);
}

static void put_sort_time(const struct browse_out *o, struct browse_pen *p)
{
    put_sort_link(o, p, BROWSE_TIME);
}

static void put_sort_folders(const struct browse_out *o, struct browse_pen *p)
{
    put_link(o, p, is_folders_first(o) ? BROWSE_NAME : BROWSE_FOLDERS_FIRST,
             is_by_name(o) && o->show->descending);
}

/* As aria-sort has it. */
static void put_direction(const struct browse_out *o, struct browse_pen *p, bool sorted)
{
    if (!sorted)
        browse_put(p, STR_LIT("none"));
    else
        browse_put(p, o->show->descending ? STR_LIT("descending") : STR_LIT("ascending"));
}

static void put_by_name(const struct browse_out *o, struct browse_pen *p)
{
    put_direction(o, p, is_by_name(o));
}

static void put_by_size(const struct browse_out *o, struct browse_pen *p)
{
    put_direction(o, p, o->show->sort == BROWSE_SIZE);
}

static void put_by_time(const struct browse_out *o, struct browse_pen *p)
{
    put_direction(o, p, o->show->sort == BROWSE_TIME);
}

static bool is_empty(const struct browse_out *o)
{
    return o->show->from == o->show->to;
}

static bool has_entries(const struct browse_out *o)
{
    return !is_empty(o);
}

/* ---- the folders above ---- */

static bool has_crumbs(const struct browse_out *o)
{
    (void)o;
    return true; /* at least the root */
}

static void put_crumb(const struct browse_out *o, struct browse_pen *p)
{
    struct str rest = browse_crumb(o->show, o->crumb);

    browse_put_html(p, rest.len == 0 ? STR_LIT("/") : str_cut(&rest, '/'));
}

static void put_crumb_link(const struct browse_out *o, struct browse_pen *p)
{
    size_t n = browse_crumbs(o->show);

    if (o->crumb + 1 == n)
        browse_put(p, STR_LIT("./"));
    for (size_t i = o->crumb + 1; i < n; i++)
        browse_put(p, STR_LIT("../"));
}

static bool is_last_crumb(const struct browse_out *o)
{
    return o->crumb + 1 == browse_crumbs(o->show);
}

/* ---- an entry ---- */

static const struct browse_entry *entry(const struct browse_out *o)
{
    return browse_show_row(o->show, o->row);
}

static void put_name(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_html(p, browse_name(entry(o)));
}

/* With the folder that it is in, since a name may begin as "javascript:" does. */
static void put_url(const struct browse_out *o, struct browse_pen *p)
{
    browse_put(p, STR_LIT("./"));
    browse_put_url(p, browse_name(entry(o)));
    if (entry(o)->is_folder)
        browse_put_char(p, '/');
}

static void put_size(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_size(p, entry(o)->size);
}

static void put_bytes(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_number(p, entry(o)->size);
}

static void put_time(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_time(p, entry(o)->mtime_s);
}

static void put_datetime(const struct browse_out *o, struct browse_pen *p)
{
    browse_put_datetime(p, entry(o)->mtime_s, 0);
}

static bool is_folder(const struct browse_out *o)
{
    return entry(o)->is_folder;
}

static bool is_link(const struct browse_out *o)
{
    return entry(o)->is_link;
}

static void put_target(const struct browse_out *o, struct browse_pen *p)
{
    if (entry(o)->target != NULL)
        browse_put_html(p, str_of(entry(o)->target));
}

static void put_kind(const struct browse_out *o, struct browse_pen *p)
{
    browse_put(p, str_of(entry(o)->kind));
}

/* ---- all of them ---- */

const struct browse_value browse_values[] = {
    {.name = "path", .put = put_path},
    {.name = "up", .put = put_up},
    {.name = "folders", .put = put_folders},
    {.name = "one_folder", .is = is_one_folder},
    {.name = "files", .put = put_files},
    {.name = "one_file", .is = is_one_file},
    {.name = "total", .put = put_total},
    {.name = "total_bytes", .put = put_total_bytes},
    {.name = "limit", .put = put_limit, .is = is_cut},
    {.name = "filter", .put = put_filter},
    {.name = "found", .put = put_found, .is = is_filtered},
    {.name = "sort", .put = put_sort},
    {.name = "order", .put = put_order},
    {.name = "folders_first", .is = is_folders_first},
    {.name = "by_name", .put = put_by_name, .is = is_by_name},
    {.name = "by_size", .put = put_by_size},
    {.name = "by_time", .put = put_by_time},
    {.name = "sort_name", .put = put_sort_name},
    {.name = "sort_size", .put = put_sort_size},
    {.name = "sort_time", .put = put_sort_time},
    {.name = "sort_folders", .put = put_sort_folders},
    {.name = "empty", .is = is_empty},
    {.name = "crumbs", .is = has_crumbs, .elements = SCOPE_CRUMB},
    {.name = "name", .scope = SCOPE_CRUMB, .put = put_crumb},
    {.name = "link", .scope = SCOPE_CRUMB, .put = put_crumb_link},
    {.name = "last", .scope = SCOPE_CRUMB, .is = is_last_crumb},
    {.name = "entries", .is = has_entries, .elements = SCOPE_ENTRY},
    {.name = "name", .scope = SCOPE_ENTRY, .put = put_name},
    {.name = "url", .scope = SCOPE_ENTRY, .put = put_url},
    {.name = "size", .scope = SCOPE_ENTRY, .put = put_size},
    {.name = "bytes", .scope = SCOPE_ENTRY, .put = put_bytes},
    {.name = "time", .scope = SCOPE_ENTRY, .put = put_time},
    {.name = "datetime", .scope = SCOPE_ENTRY, .put = put_datetime},
    {.name = "folder", .scope = SCOPE_ENTRY, .is = is_folder},
    {.name = "symlink", .scope = SCOPE_ENTRY, .is = is_link},
    {.name = "target", .scope = SCOPE_ENTRY, .put = put_target},
    {.name = "kind", .scope = SCOPE_ENTRY, .put = put_kind},
    {0},
};
