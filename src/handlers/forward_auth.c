#include "handlers/forward_auth.h"

#include "base/alloc.h"
#include "handlers/rewrite.h"

/* ---- configuration ---- */

/* The target of all options, since they are also those of reverse_proxy. */
static struct reverse_proxy_conf *conf_of(const struct directive_args *d)
{
    return d->target;
}

static int set_uri(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = conf_of(d);

    if (!str_starts(d->args[0].text, STR_LIT("/")))
        return directive_error(d, &d->args[0], "'" STR_FMT "' does not begin with '/'",
                               STR_ARG(d->args[0].text));
    if (c->has_rewrite)
        return directive_error(d, &d->node->words[0], "the URI was already given");
    c->has_rewrite = true;
    return rewrite_target_set(d, &d->args[0], &c->rewrite);
}

/* "Remote-User", or "Remote-User>X-User". */
static int add_copy(const struct directive_args *d, const struct token *t, struct proxy_auth *auth)
{
    struct str to = t->text, from = str_cut(&to, '>');

    if (to.p == NULL)
        to = from;
    if (from.len == 0 || to.len == 0 || memchr(to.p, '>', to.len) != NULL)
        return directive_error(d, t, "'" STR_FMT "' is no field, nor of the form from>to",
                               STR_ARG(t->text));
    auth->copies = arena_grow(d->arena, auth->copies, auth->n, &auth->cap, sizeof *auth->copies);
    auth->copies[auth->n++] =
        (struct auth_copy){arena_str(d->arena, from), arena_str(d->arena, to)};
    return 0;
}

static int set_copy_headers(const struct directive_args *d)
{
    struct proxy_auth *auth = conf_of(d)->auth;
    const struct node *n = d->node;
    int rc = 0;

    for (size_t i = 0; i < d->n_args; i++)
        if (add_copy(d, &d->args[i], auth) != 0)
            rc = -1;
    for (size_t i = 0; i < n->n_children; i++)
        for (size_t j = 0; j < n->children[i].n_words; j++)
            if (add_copy(d, &n->children[i].words[j], auth) != 0)
                rc = -1;
    if (rc == 0 && d->n_args == 0 && n->n_children == 0)
        return directive_error(d, &n->words[0], "'copy_headers' takes at least one field");
    return rc;
}

const struct directive forward_auth_options[] = {
    {.name = "copy_headers",
     .max_args = -1,
     .block = true,
     .repeats = true,
     .set = set_copy_headers,
     .help = "copy_headers <field>[><to>]...: fields of the answer that the request gets"},
    {.name = "uri",
     .min_args = 1,
     .max_args = 1,
     .set = set_uri,
     .help = "uri <path>[?<query>]: what to ask for"},
    {0},
};

/* What the question says by default, as words of the configuration. */
static int set_question(const struct directive_args *d)
{
    static const char *const fields[][2] = {{"X-Forwarded-Method", "{method}"},
                                            {"X-Forwarded-Uri", "{uri}"}};
    struct token words[2] = {d->node->words[0], d->node->words[0]};
    int rc = 0;

    words[0].text = STR_LIT("GET");
    if (rewrite_method_set(d, &words[0], &conf_of(d)->method) != 0)
        rc = -1;
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        words[0].text = str_of(fields[i][0]);
        words[1].text = str_of(fields[i][1]);
        if (field_edit_add(d, words, 2, &conf_of(d)->up) != 0)
            rc = -1;
    }
    return rc;
}

int forward_auth_set(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = conf_of(d);

    c->auth = arena_alloc(d->arena, sizeof *c->auth);
    proxy_answer_add_auth(d->arena, &c->answers, c->auth);
    if (set_question(d) != 0 || reverse_proxy_set_with(d, forward_auth_options) != 0)
        return -1;
    if (c->has_rewrite)
        return 0;
    return directive_error(d, &d->node->words[0],
                           "'forward_auth' needs a 'uri' in its block: the path to ask");
}

/* ---- the answer ---- */

void forward_auth_grant(const struct proxy_auth *auth, struct exchange *ex,
                        const struct fields *answer)
{
    exchange_own_fields(ex);
    for (size_t i = 0; i < auth->n; i++)
        fields_remove(&ex->request, auth->copies[i].to);
    for (size_t i = 0; i < auth->n; i++) {
        struct str value = fields_joined_by(answer, ex->arena, auth->copies[i].from, STR_LIT(","));

        if (value.len > 0)
            fields_add(&ex->request, ex->arena, auth->copies[i].to, value);
    }
}
