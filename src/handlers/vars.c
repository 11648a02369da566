#include "handlers/vars.h"

#include "http/handler.h"
#include "http/placeholder.h"
#include "http/vars.h"

struct assignment {
    struct str name; /* of the variable: "vars.x" */
    struct text value;
};

struct vars_conf {
    struct assignment *list;
    size_t n, cap;
};

/* ---- configuration ---- */

static void append(const struct directive_args *d, struct str name, const struct text *value)
{
    struct vars_conf *conf = d->target;

    conf->list = arena_grow(d->arena, conf->list, conf->n, &conf->cap, sizeof *conf->list);
    conf->list[conf->n++] = (struct assignment){name, *value};
}

static int add(const struct directive_args *d, const struct token *words, size_t n)
{
    struct str name = words[0].text;
    struct text value;

    if (n != 2)
        return directive_error(d, &words[n < 2 ? 0 : 2],
                               n < 2 ? "the value of the variable is missing"
                                     : "nothing more can stand here: put the value in quotes");
    if (name.len == 0 || memchr(name.p, '{', name.len) != NULL)
        return directive_error(d, &words[0], "'" STR_FMT "' is no name of a variable",
                               STR_ARG(name));
    if (str_is(name, "root"))
        return directive_error(d, &words[0], "the folder of a site is set by 'root'");
    if (directive_text(d, &words[1], &value) != 0)
        return -1;
    append(d, arena_printf(d->arena, "vars." STR_FMT, STR_ARG(name)), &value);
    /* As in Caddy: the user that the access log names. */
    if (str_is(name, "http.auth.user.id"))
        append(d, STR_LIT("auth.user.id"), &value);
    return 0;
}

static int vars_directive(const struct directive_args *d)
{
    int rc = 0;

    if (d->n_args > 0)
        rc = add(d, d->args, d->n_args);
    else if (d->node->n_children == 0)
        rc = directive_error(d, &d->node->words[0], "'vars' needs a variable, or a block of them");
    for (size_t i = 0; i < d->node->n_children; i++) {
        const struct node *line = &d->node->children[i];

        if (line->has_block)
            rc = directive_error(d, &line->words[0], "a variable has no block");
        else if (add(d, line->words, line->n_words) != 0)
            rc = -1;
    }
    return rc;
}

/* ---- an exchange ---- */

static enum verdict vars_handle(const void *conf_, struct exchange *ex)
{
    const struct vars_conf *conf = conf_;

    for (size_t i = 0; i < conf->n; i++) {
        const struct assignment *a = &conf->list[i];

        if (a->value.constant)
            vars_set_own(ex, a->name, text_constant(&a->value));
        else
            vars_set(ex, a->name, text_expand(&a->value, ex));
    }
    return NEXT;
}

static const struct handler_type vars_handler = {.name = "vars", .handle = vars_handle};

const struct directive vars_directives[] = {
    {.name = "vars",
     .places = IN_HANDLERS,
     .max_args = 2,
     .block = true,
     .type = &vars_handler,
     .conf_size = sizeof(struct vars_conf),
     .set = vars_directive,
     .help = "vars [matcher] [<name> <value>] [{ <name> <value> ... }]: sets variables"},
    {0},
};
