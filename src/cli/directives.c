/* What the tables of the language say, for people. */
#include "server/directives.h"
#include "cli/cli.h"
#include "conf/build.h"

#include <stdio.h>
#include <stdlib.h>

/* Calls fn for every row that conf and the server have; stops and returns true when fn does. */
static bool each_row(bool (*fn)(const struct directive *row, void *arg), void *arg)
{
    const struct directive *const own[] = {global_directives, site_directives};

    for (size_t i = 0; i < 2; i++)
        for (const struct directive *row = own[i]; row->name != NULL; row++)
            if (fn(row, arg))
                return true;
    for (size_t i = 0; server_language.directives[i] != NULL; i++)
        for (const struct directive *row = server_language.directives[i]; row->name != NULL; row++)
            if (fn(row, arg))
                return true;
    return false;
}

static void each_matcher(void (*fn)(const struct directive *row, void *arg), void *arg)
{
    for (size_t i = 0; server_language.matchers[i] != NULL; i++)
        for (size_t j = 0; server_language.matchers[i][j] != NULL; j++)
            fn(&server_language.matchers[i][j]->row, arg);
}

/* ---- the list ---- */

enum { ROWS_MAX = 512 }; /* more than there are */

struct list {
    unsigned place;
    const struct directive *rows[ROWS_MAX];
    size_t n;
};

static void add(const struct directive *row, void *arg)
{
    struct list *l = arg;

    if (l->n < ROWS_MAX)
        l->rows[l->n++] = row;
}

static bool add_if_placed(const struct directive *row, void *arg)
{
    if ((row->places & ((const struct list *)arg)->place) != 0)
        add(row, arg);
    return false;
}

static int compare_rows(const void *a, const void *b)
{
    const struct directive *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void print_list(const char *title, struct list *l)
{
    qsort(l->rows, l->n, sizeof l->rows[0], compare_rows);
    printf("%s:\n", title);
    for (size_t i = 0; i < l->n; i++)
        printf("  %s\n", l->rows[i]->help);
}

static void print_place(const char *title, unsigned place)
{
    struct list l = {.place = place};

    each_row(add_if_placed, &l);
    print_list(title, &l);
    putchar('\n');
}

static int print_all(void)
{
    struct list matchers = {0};

    print_place("Global options", IN_GLOBAL);
    print_place("Directives of a site", IN_SITE | IN_ERRORS);
    print_place("Handler directives", IN_HANDLERS);
    each_matcher(add, &matchers);
    print_list("Matchers", &matchers);
    return EXIT_OK;
}

/* ---- one ---- */

struct wanted {
    const char *name;
    unsigned found;
};

static const char *place_text(const struct directive *row)
{
    if ((row->places & IN_GLOBAL) != 0)
        return "a global option";
    if ((row->places & IN_ERRORS) != 0)
        return "a directive of a site, for its errors";
    return (row->places & IN_SITE) != 0 ? "a directive of a site" : "a handler directive";
}

static bool print_if_wanted(const struct directive *row, void *arg)
{
    struct wanted *w = arg;

    if (!str_is(str_of(w->name), row->name))
        return false;
    if (w->found++ > 0)
        putchar('\n');
    printf("%s\n\n%s", row->help, place_text(row));
    if ((row->places & IN_HANDLERS) != 0)
        printf("; a matcher may come first");
    printf("\n");
    if (row->options != NULL)
        puts("\nIn its block:");
    for (const struct directive *o = row->options; o != NULL && o->name != NULL; o++)
        printf("  %s\n", o->help);
    return false;
}

static void print_matcher_if_wanted(const struct directive *row, void *arg)
{
    struct wanted *w = arg;

    if (!str_is(str_of(w->name), row->name))
        return;
    if (w->found++ > 0)
        putchar('\n');
    printf("%s\n\na matcher: @name %s\n", row->help, row->help);
}

/* ---- no such name ---- */

struct names {
    size_t wanted, at;
    const char *name;
};

static bool is_nth(const struct directive *row, void *arg)
{
    struct names *n = arg;

    n->name = row->name;
    return n->at++ == n->wanted;
}

static const char *nth_name(const void *list, size_t i)
{
    struct names n = {.wanted = i};

    (void)list;
    return each_row(is_nth, &n) ? n.name : NULL;
}

static int refused(const char *name)
{
    const struct refused *const lists[] = {refused_directives, refused_options};

    for (size_t i = 0; i < 2; i++)
        for (const struct refused *r = lists[i]; r->name != NULL; r++)
            if (str_is(str_of(name), r->name))
                return cli_usage_error("'%s' is not supported%s%s", name,
                                       r->instead == NULL ? " yet" : ": ",
                                       r->instead == NULL ? "" : r->instead);
    return -1;
}

int cli_directives(const struct cli_options *o)
{
    struct wanted w = {.name = o->arguments[0]};
    const char *near;
    int rc;

    if (w.name == NULL)
        return print_all();
    each_row(print_if_wanted, &w);
    each_matcher(print_matcher_if_wanted, &w);
    if (w.found > 0)
        return EXIT_OK;
    rc = refused(w.name);
    if (rc != -1)
        return rc;
    near = cli_nearest(w.name, nth_name, NULL);
    if (near != NULL)
        return cli_usage_error("there is no directive '%s'; did you mean '%s'?", w.name, near);
    return cli_usage_error("there is no directive '%s'; see 'lintel directives'", w.name);
}
