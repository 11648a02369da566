#include "base/alloc.h"
#include "http/exchange.h"
#include "http/matchers.h"

enum protocol { PROTOCOL_UNSET, PROTOCOL_HTTP, PROTOCOL_HTTPS, PROTOCOL_GRPC, PROTOCOL_VERSION };

struct protocol_condition {
    enum protocol kind;
    unsigned lowest, highest; /* PROTOCOL_VERSION: ten times the version */
};

static const char *const names[] = {"http",      "https",    "grpc",      "http/1.0",
                                    "http/1.0+", "http/1.1", "http/1.1+", "http/2",
                                    "http/2+",   "http/3",   "http/3+",   NULL};

static const struct protocol_condition conditions[] = {
    {PROTOCOL_HTTP, 0, 0},       {PROTOCOL_HTTPS, 0, 0},      {PROTOCOL_GRPC, 0, 0},
    {PROTOCOL_VERSION, 10, 10},  {PROTOCOL_VERSION, 10, 999}, {PROTOCOL_VERSION, 11, 11},
    {PROTOCOL_VERSION, 11, 999}, {PROTOCOL_VERSION, 20, 29},  {PROTOCOL_VERSION, 20, 999},
    {PROTOCOL_VERSION, 30, 39},  {PROTOCOL_VERSION, 30, 999},
};

static bool protocol_matches(const void *conf, struct exchange *ex)
{
    const struct protocol_condition *c = conf;
    unsigned version = 10 + ex->http_minor;

    switch (c->kind) {
    case PROTOCOL_UNSET:
        break;
    case PROTOCOL_HTTP:
        return !ex->secure;
    case PROTOCOL_HTTPS:
        return ex->secure;
    case PROTOCOL_GRPC:
        return str_starts(fields_get(&ex->request, STR_LIT("Content-Type")),
                          STR_LIT("application/grpc"));
    case PROTOCOL_VERSION:
        return version >= c->lowest && version <= c->highest;
    }
    return false;
}

static int protocol_set(const struct directive_args *d)
{
    struct protocol_condition *c = d->target;

    if (c->kind != PROTOCOL_UNSET)
        return directive_error(d, &d->node->words[0],
                               "there can be one 'protocol' in a matcher; 'expression' has '||'");
    for (size_t i = 0; i < ARRAY_LEN(conditions); i++) {
        if (!str_eq_nocase(d->args[0].text, str_of(names[i])))
            continue;
        *c = conditions[i];
        return 0;
    }
    return directive_unknown(d, &d->args[0], "protocol", names);
}

const struct matcher_type protocol_matcher = {
    .row = {.name = "protocol",
            .min_args = 1,
            .max_args = 1,
            .conf_size = sizeof(struct protocol_condition),
            .set = protocol_set,
            .help = "protocol http|https|grpc|http/<version>[+]"},
    .match = protocol_matches};
