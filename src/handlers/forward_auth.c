#include "handlers/forward_auth.h"

#include "http/placeholder.h"

/* ---- configuration ---- */

static int set_uri(const struct directive_args *d, const struct node *n, struct proxy_auth *auth)
{
    if (n->n_words != 2)
        return directive_error(d, &n->words[0], "uri takes the path to ask");
    if (auth->uri.n_parts > 0)
        return directive_error(d, &n->words[0], "'uri' was already given");
    if (!str_starts(n->words[1].text, STR_LIT("/")))
        return directive_error(d, &n->words[1], "the uri begins with '/'");
    return directive_text(d, &n->words[1], &auth->uri);
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

static int set_copy_headers(const struct directive_args *d, const struct node *n,
                            struct proxy_auth *auth)
{
    int rc = 0;

    for (size_t i = 1; i < n->n_words; i++)
        if (add_copy(d, &n->words[i], auth) != 0)
            rc = -1;
    for (size_t i = 0; i < n->n_children; i++)
        for (size_t j = 0; j < n->children[i].n_words; j++)
            if (add_copy(d, &n->children[i].words[j], auth) != 0)
                rc = -1;
    if (rc == 0 && n->n_words == 1 && n->n_children == 0)
        return directive_error(d, &n->words[0], "copy_headers takes at least one field");
    return rc;
}

static int set_option(const struct directive_args *d, const struct node *n, struct proxy_auth *auth)
{
    if (str_is(n->words[0].text, "uri"))
        return set_uri(d, n, auth);
    if (str_is(n->words[0].text, "copy_headers"))
        return set_copy_headers(d, n, auth);
    return reverse_proxy_set_option(d, n);
}

int forward_auth_set(const struct directive_args *d)
{
    struct reverse_proxy_conf *c = d->target;
    struct proxy_auth *auth = arena_alloc(d->arena, sizeof *auth);
    int rc = reverse_proxy_set_upstreams(d);

    c->auth = auth;
    for (size_t i = 0; i < d->node->n_children; i++)
        if (set_option(d, &d->node->children[i], auth) != 0)
            rc = -1;
    if (rc == 0 && auth->uri.n_parts == 0)
        return directive_error(d, &d->node->words[0], "forward_auth needs a uri to ask");
    return rc == 0 ? reverse_proxy_check(d) : -1;
}

/* ---- the question ---- */

/* As rewrite has it: a uri without a query keeps the one of the request. */
const char *forward_auth_target(const struct proxy_auth *auth, struct exchange *ex)
{
    struct str uri = text_expand(&auth->uri, ex);
    size_t n = 0;

    if (ex->query.p != NULL && memchr(uri.p, '?', uri.len) == NULL)
        uri = arena_printf(ex->arena, STR_FMT "?" STR_FMT, STR_ARG(uri), STR_ARG(ex->query));
    char *copy = arena_bytes(ex->arena, uri.len + 1);

    /* What a placeholder held must not end the request line. */
    for (size_t i = 0; i < uri.len; i++)
        if ((unsigned char)uri.p[i] > ' ' && uri.p[i] != 0x7f)
            copy[n++] = uri.p[i];
    copy[n] = '\0';
    return copy;
}

void forward_auth_ask(struct exchange *ex, struct fields *out)
{
    struct str uri = ex->raw_path;

    if (ex->query.p != NULL)
        uri = arena_printf(ex->arena, STR_FMT "?" STR_FMT, STR_ARG(uri), STR_ARG(ex->query));
    fields_set(out, ex->arena, STR_LIT("X-Forwarded-Method"), ex->method);
    fields_set(out, ex->arena, STR_LIT("X-Forwarded-Uri"), uri);
}

/* ---- the answer ---- */

void forward_auth_grant(const struct proxy_auth *auth, struct exchange *ex,
                        const struct fields *answer)
{
    for (size_t i = 0; i < auth->n; i++)
        fields_remove(&ex->request, auth->copies[i].to);
    for (size_t i = 0; i < auth->n; i++) {
        struct str value = fields_get(answer, auth->copies[i].from);

        if (value.len > 0)
            fields_add(&ex->request, ex->arena, auth->copies[i].to, value);
    }
}
