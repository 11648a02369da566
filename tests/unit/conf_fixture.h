/* What the tests of conf share: handler directives that only remember that they were there. */
#ifndef LINTEL_TESTS_UNIT_CONF_FIXTURE_H
#define LINTEL_TESTS_UNIT_CONF_FIXTURE_H

#include "conf/load.h"
#include "handlers/handle.h"
#include "handlers/header.h"
#include "handlers/log.h"
#include "handlers/map.h"
#include "handlers/request_body.h"
#include "handlers/rewrite.h"
#include "handlers/try_files.h"
#include "handlers/uri.h"
#include "handlers/vars.h"
#include "http/match.h"

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
    {.name = "root",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 1,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "root PATH"},
    {.name = "file_server",
     .places = IN_HANDLERS,
     .block = true,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "file_server"},
    {.name = "respond",
     .places = IN_HANDLERS,
     .max_args = 2,
     .block = true,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "respond [BODY] [STATUS]"},
    {.name = "redir",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = 2,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "redir TO [STATUS]"},
    {.name = "header",
     .places = IN_HANDLERS,
     .max_args = 3,
     .block = true,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "header [FIELD [VALUE]]"},
    {.name = "count",
     .places = IN_HANDLERS,
     .own = true,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "count"},
    {.name = "reverse_proxy",
     .places = IN_HANDLERS,
     .min_args = 1,
     .max_args = -1,
     .block = true,
     .conf_size = sizeof(struct fake),
     .set = fake_set,
     .help = "reverse_proxy UPSTREAM..."},
    {0},
};

/* Of two rows of one name the first one counts. */
static const struct directive *const fake_tables[] = {fake_directives,
                                                      handle_directives,
                                                      rewrite_directives,
                                                      uri_directives,
                                                      try_files_directives,
                                                      header_directives,
                                                      log_directives,
                                                      request_body_directives,
                                                      map_directives,
                                                      vars_directives,
                                                      NULL};
static const struct language fake_language = {.directives = fake_tables, .matchers = http_matchers};

#endif
