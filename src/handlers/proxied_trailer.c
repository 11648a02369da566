/* The trailer of an upstream's answer, to the client. It goes on whether or not the client has said
 * "TE: trailers": who reads chunks reads what follows them, if only to throw it away (RFC 9112
 * 7.1.2). Only an answer in chunks can have one, so nothing is said of a trailer with any other. */
#include "handlers/proxied.h"

#include "base/alloc.h"
#include "http/trailer.h"

/* Whether the fields that the answer calls its connection's are not for anybody else. */
static bool is_handed_on(const struct proxied *p, struct str name)
{
    return trailer_allows(name) &&
           !fields_has_token(&p->answer.fields, STR_LIT("Connection"), name);
}

void proxied_on_trailer(void *arg, struct str name, struct str value)
{
    struct proxied *p = arg;

    if (!p->unwanted && value.len > 0 && is_handed_on(p, name))
        proxied_keep_field(p, &p->trailer, name, value);
}

bool proxied_has_trailer(const struct proxied *p)
{
    const struct exchange *ex = p->ex;

    return ex->http_minor > 0 && !ex->is_head && p->content_length == -1 && p->trailer.n > 0;
}

/* What the upstream announces, but for what is not handed on; len 0: nothing. */
static struct str announced(const struct proxied *p)
{
    struct arena *a = p->ex->arena;
    struct str rest = fields_joined(&p->answer.fields, a, STR_LIT("Trailer")), name, list = rest;
    char *at = arena_bytes(a, 2 * rest.len + 1);

    list = (struct str){at, 0};
    while (str_list_next(&rest, &name)) {
        if (!str_is_token(name) || !is_handed_on(p, name))
            continue;
        if (at > list.p)
            at = mempcpy(at, ", ", 2);
        at = mempcpy(at, name.p, name.len);
    }
    list.len = (size_t)(at - list.p);
    return list;
}

void proxied_announce_trailer(struct proxied *p)
{
    struct exchange *ex = p->ex;
    struct str names;

    if (ex->http_minor == 0 || ex->is_head || p->content_length != -1)
        return;
    names = announced(p);
    if (names.len > 0)
        fields_add(&ex->response, ex->arena, STR_LIT("Trailer"), names);
}
