#include "conf/order.h"

#include "base/alloc.h"

#include <stdlib.h>

static const char *const directives[] = {
    "tracing",       "map",           "vars",           "fs",
    "root",          "log_append",    "log_skip",       "skip_log",
    "log_name",      "header",        "request_body",   "copy_response_headers",
    "timeouts",      "redir",         "method",         "rewrite",
    "uri",           "try_files",     "rate_limit",     "basic_auth",
    "basicauth",     "forward_auth",  "request_header", "encode",
    "push",          "intercept",     "templates",      "invoke",
    "handle",        "handle_path",   "route",          "abort",
    "error",         "copy_response", "respond",        "metrics",
    "reverse_proxy", "php_fastcgi",   "file_server",    "acme_server",
};

void order_init(struct order *o, struct arena *a)
{
    o->n = ARRAY_LEN(directives);
    o->names = arena_alloc(a, sizeof directives);
    memcpy(o->names, directives, sizeof directives);
}

static size_t find(const struct order *o, struct str name)
{
    size_t i = 0;

    while (i < o->n && !str_is(name, o->names[i]))
        i++;
    return i;
}

bool order_move(struct order *o, struct arena *a, struct str name, enum order_place place,
                struct str of)
{
    const char **names = arena_alloc(a, (o->n + 1) * sizeof(*names));
    const char *moved = arena_str(a, name).p;
    size_t from = find(o, name), n = 0, to = 0;

    if (place == ORDER_BEFORE || place == ORDER_AFTER)
        if (find(o, of) == o->n || str_eq(name, of))
            return false;
    for (size_t i = 0; i < o->n; i++)
        if (i != from)
            names[n++] = o->names[i];
    *o = (struct order){names, n};
    if (place == ORDER_LAST)
        to = n;
    else if (place != ORDER_FIRST)
        to = find(o, of) + (place == ORDER_AFTER ? 1 : 0);
    memmove(names + to + 1, names + to, (n - to) * sizeof(*names));
    names[to] = moved;
    o->n++;
    return true;
}

/* Caddy compares the paths without a star at their end: the longer one first; of two equally long
 * ones the smaller; of two that differ by that star the one without it. */
static int compare_paths(struct str a, struct str b)
{
    struct str x = a, y = b;

    x.len -= str_ends(a, STR_LIT("*")) ? 1 : 0;
    y.len -= str_ends(b, STR_LIT("*")) ? 1 : 0;
    if (x.len != y.len)
        return x.len > y.len ? -1 : 1;
    return str_eq(x, y) ? (a.len > b.len) - (a.len < b.len) : str_cmp(x, y);
}

/* The more specific row first; 0 also for what cannot be compared. */
static int compare_matchers(const struct order_row *a, const struct order_row *b)
{
    if (a->path.len > 0 && b->path.len > 0)
        return compare_paths(a->path, b->path);
    return (b->row.matcher.n > 0) - (a->row.matcher.n > 0);
}

static int compare_index(const void *left, const void *right)
{
    const struct order_row *a = left, *b = right;
    int c = (a->rank > b->rank) - (a->rank < b->rank);

    return c != 0 ? c : (a->index > b->index) - (a->index < b->index);
}

static int compare(const void *left, const void *right)
{
    const struct order_row *a = left, *b = right;
    bool backwards = strcmp(a->directive, "vars") == 0;
    int c = backwards ? compare_matchers(b, a) : compare_matchers(a, b);

    if (c == 0)
        c = backwards ? compare_index(b, a) : compare_index(a, b);
    return c;
}

/* Rows of one directive. What cannot be compared makes the relation one that is not transitive:
 * insertion then gives what Caddy gives, which sorts few rows so. */
static void sort_alike(struct order_row *rows, size_t n)
{
    enum { FEW = 20 };

    if (n > FEW) {
        qsort(rows, n, sizeof rows[0], compare);
        return;
    }
    for (size_t i = 1; i < n; i++)
        for (size_t j = i; j > 0 && compare(&rows[j], &rows[j - 1]) < 0; j--) {
            struct order_row row = rows[j];

            rows[j] = rows[j - 1];
            rows[j - 1] = row;
        }
}

void order_sort(const struct order *o, struct order_row *rows, size_t n)
{
    size_t end;

    for (size_t i = 0; i < n; i++)
        rows[i].rank =
            find(o, strcmp(rows[i].directive, "handle_path") == 0 ? STR_LIT("handle")
                                                                  : str_of(rows[i].directive));
    if (n > 1)
        qsort(rows, n, sizeof rows[0], compare_index);
    for (size_t start = 0; start < n; start = end) {
        for (end = start + 1; end < n && rows[end].rank == rows[start].rank; end++)
            continue;
        sort_alike(rows + start, end - start);
    }
}
