#include "conf/order.h"

#include "base/alloc.h"

#include <stdlib.h>

static const char *const directives[] = {
    "tracing",       "map",
    "vars",          "fs",
    "root",          "log_append",
    "log_skip",      "log_name",
    "header",        "copy_response_headers",
    "request_body",  "timeouts",
    "redir",         "method",
    "rewrite",       "uri",
    "try_files",     "basic_auth",
    "forward_auth",  "request_header",
    "encode",        "push",
    "intercept",     "templates",
    "invoke",        "handle",
    "handle_path",   "route",
    "abort",         "error",
    "copy_response", "respond",
    "metrics",       "reverse_proxy",
    "php_fastcgi",   "file_server",
    "acme_server",
};

static size_t rank(const char *directive)
{
    size_t i = 0;

    while (i < ARRAY_LEN(directives) && strcmp(directives[i], directive) != 0)
        i++;
    return i;
}

/* Caddy compares the paths without a star at their end, and puts the one without the star first
 * when that leaves them equally long. */
static int compare_paths(struct str a, struct str b)
{
    size_t x = a.len - (str_ends(a, STR_LIT("*")) ? 1 : 0);
    size_t y = b.len - (str_ends(b, STR_LIT("*")) ? 1 : 0);

    if (x != y)
        return x > y ? -1 : 1;
    return (a.len > b.len) - (a.len < b.len);
}

static int compare(const void *left, const void *right)
{
    const struct order_row *a = left, *b = right;
    size_t x = rank(a->directive), y = rank(b->directive);
    int c = (x > y) - (x < y);

    if (c == 0)
        c = compare_paths(a->path, b->path);
    return c != 0 ? c : (a->row.slot > b->row.slot) - (a->row.slot < b->row.slot);
}

void order_sort(struct order_row *rows, size_t n)
{
    if (n > 1)
        qsort(rows, n, sizeof rows[0], compare);
}
