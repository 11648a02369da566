/* What the tests of conf share: handler directives that only remember that they were there. */
#ifndef LINTEL_TESTS_UNIT_CONF_FIXTURE_H
#define LINTEL_TESTS_UNIT_CONF_FIXTURE_H

#include "conf/load.h"

/* The conf of every fake handler. */
struct fake {
    const char *name;
    struct text first; /* its first argument */
    size_t n_args;
};

static int fake_set(const struct directive_args *d)
{
    struct fake *f = d->target;

    f->name = directive_cstr(d, &d->node->words[0]);
    f->n_args = d->n_args;
    return d->n_args == 0 ? 0 : directive_text(d, &d->args[0], &f->first);
}

/* The shapes of the real ones. */
static const struct directive fake_directives[] = {
    {"root", IN_HANDLERS, 1, 1, false, NULL, sizeof(struct fake), fake_set, "root PATH"},
    {"file_server", IN_HANDLERS, 0, 0, true, NULL, sizeof(struct fake), fake_set, "file_server"},
    {"respond", IN_HANDLERS, 0, 2, true, NULL, sizeof(struct fake), fake_set,
     "respond [BODY] [STATUS]"},
    {"redir", IN_HANDLERS, 1, 2, false, NULL, sizeof(struct fake), fake_set, "redir TO [STATUS]"},
    {"header", IN_HANDLERS, 0, 3, true, NULL, sizeof(struct fake), fake_set,
     "header [FIELD [VALUE]]"},
    {"reverse_proxy", IN_HANDLERS, 1, -1, true, NULL, sizeof(struct fake), fake_set,
     "reverse_proxy UPSTREAM..."},
    {0},
};

static const struct directive *const fake_tables[] = {fake_directives, NULL};

#endif
