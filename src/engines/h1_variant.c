#include "engines/h1_internal.h"

#include <stdlib.h>

enum {
    VARIANTS_MAX = 4,
    EXTRA_MAX = 2048 /* bytes: further fields may be what a client sent, and stay for long */
};

/* A prepared response with one set of further fields. The list begins with the one used last. */
struct prepared_variant {
    struct prepared_variant *next;
    struct MHD_Response *response;
    bool close;
    struct fields extra; /* in arena */
    struct arena *arena;
};

static void variant_free(struct prepared_variant *v)
{
    MHD_destroy_response(v->response);
    arena_free(v->arena);
    free(v);
}

static void free_all(struct prepared_variant *v)
{
    while (v != NULL) {
        struct prepared_variant *next = v->next;

        variant_free(v);
        v = next;
    }
}

/* To the byte; the same pointers are the usual case, for names above all. */
static bool same(struct str a, struct str b)
{
    return a.len == b.len && (a.p == b.p || memcmp(a.p, b.p, a.len) == 0);
}

static bool matches(const struct prepared_variant *v, const struct fields *extra, bool close)
{
    if (v->close != close || v->extra.n != extra->n)
        return false;
    for (size_t i = 0; i < extra->n; i++)
        if (!same(v->extra.list[i].value, extra->list[i].value) ||
            !same(v->extra.list[i].name, extra->list[i].name))
            return false;
    return true;
}

static ssize_t on_nothing(void *cls, uint64_t at, char *buf, size_t max)
{
    (void)cls;
    (void)at;
    (void)buf;
    (void)max;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

/* MHD 0.9.75 sends a Content-Length with a 304, which may only be that of the 200 in its place (RFC
 * 9110 8.6); under another tag than the one that was prepared the content is another one. None of
 * it is asked for. */
static struct MHD_Response *content_of(const struct prepared *p, const struct fields *extra)
{
    if (p->instead > 0 && fields_get(extra, STR_LIT("ETag")).p == NULL)
        return MHD_create_response_from_callback((uint64_t)p->instead, 1, on_nothing, NULL, NULL);
    return MHD_create_response_from_buffer(p->body.len, (void *)p->body.p, MHD_RESPMEM_PERSISTENT);
}

bool h1_variant_is_kept(const struct exchange *ex)
{
    size_t size = 0;

    for (size_t i = 0; i < ex->response.n; i++)
        size += ex->response.list[i].name.len + ex->response.list[i].value.len;
    return ex->body.kind == BODY_PREPARED && size <= EXTRA_MAX;
}

static struct MHD_Response *response_of(struct h1_stream *st, bool close)
{
    const struct prepared *p = st->ex.body.prepared;
    const struct fields all = prepared_fields(p, &st->ex.response, st->arena);

    return h1_response_with(content_of(p, &st->ex.response), &all, close, st->arena);
}

static struct prepared_variant *variant_new(struct h1_stream *st, bool close)
{
    const struct fields *extra = &st->ex.response;
    struct prepared_variant *v = xalloc(sizeof *v);

    v->close = close;
    v->arena = arena_new_small();
    v->response = response_of(st, close);
    if (v->response == NULL) {
        arena_free(v->arena);
        free(v);
        return NULL;
    }
    for (size_t i = 0; i < extra->n; i++)
        fields_add(&v->extra, v->arena, arena_str(v->arena, extra->list[i].name),
                   arena_str(v->arena, extra->list[i].value));
    return v;
}

/* Frees what is beyond the first VARIANTS_MAX; a connection that still sends it has its own
 * reference. */
static void trim(struct prepared_variant *v)
{
    for (unsigned n = 1; v != NULL; v = v->next, n++)
        if (n == VARIANTS_MAX) {
            free_all(v->next);
            v->next = NULL;
            return;
        }
}

struct MHD_Response *h1_variant(struct h1_stream *st, bool close)
{
    struct prepared *p = st->ex.body.prepared;
    struct prepared_variant **at = &p->variants;
    struct prepared_variant *v;

    if (!h1_variant_is_kept(&st->ex))
        return response_of(st, close);
    while (*at != NULL && !matches(*at, &st->ex.response, close))
        at = &(*at)->next;
    v = *at;
    if (v != NULL) {
        *at = v->next;
    } else {
        v = variant_new(st, close);
        if (v == NULL)
            return NULL;
    }
    v->next = p->variants;
    p->variants = v;
    p->free_variants = free_all;
    trim(p->variants);
    return v->response;
}
