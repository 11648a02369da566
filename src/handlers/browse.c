/* The list of a folder for a request:
 *  1. the query and Accept say what of it is wanted, and in which form.
 *  2. the list is there (handlers/browse_cache.h), or is read.
 *  3. conditions are judged by an ETag of the list, the query and the form.
 *  4. what was formatted for the same query before is sent again; else it is formatted, into memory
 *     if it is short, or for its length and then once more while it is sent. */
#include "handlers/browse.h"

#include "base/alloc.h"
#include "base/siphash.h"
#include "http/accept.h"
#include "http/conditional.h"
#include "http/query.h"
#include "http/vary.h"

#include <errno.h>
#include <stdlib.h>

/* Formatted for their length only as long as that takes no time to speak of; longer ones go out in
 * chunks. */
enum { ROWS_MEASURED = 10 * 1000, BLOCK = 64 * 1024 };

/* Our own page has one style and one script, and needs nothing from anywhere. The hashes are of
 * www/browse.css and www/browse.js as they are embedded: tests/it/files-browse.py says which. */
#define CONTENT_SECURITY_POLICY                                                                    \
    "default-src 'none'; style-src 'sha256-QNpKO9ctSQHjuC1IRTp2upcVlUJ7fItLOZwlX7+LQ+s='; "        \
    "script-src 'sha256-BTaST+4Dtci1M9FiBsTJe+mrzL7j86wdnLnbmT9U9Lc='; img-src 'self'; "           \
    "form-action 'self'; base-uri 'none'; frame-ancestors 'self'"

static const struct browse_form *const forms[] = {&browse_html, &browse_json, &browse_plain};

struct request {
    struct browse_asker asker;
    struct exchange *ex;
    const struct browser *browser;
    struct browse_show show;
    const struct browse_form *form;
    struct str key; /* of what is made of the list */
    struct str etag;
    struct str last_modified;
    struct str place; /* for messages */
    int status;
};

/* ---- what is wanted ---- */

static void read_query(struct request *r)
{
    struct query q = query_parse(r->ex->arena, r->ex->query);
    struct browse_show *s = &r->show;
    struct str order = query_get(&q, STR_LIT("order"));

    s->sort = r->browser->conf->sort;
    s->descending = r->browser->conf->descending;
    browse_sort_parse(query_get(&q, STR_LIT("sort")), &s->sort);
    browse_order_parse(order, &s->descending);
    if (!str_to_uint(query_get(&q, STR_LIT("offset")), UINT64_MAX, &s->offset))
        s->offset = 0;
    if (!str_to_uint(query_get(&q, STR_LIT("limit")), UINT64_MAX, &s->limit))
        s->limit = 0;
    s->filter = query_get(&q, STR_LIT("filter"));
    if (s->filter.len > BROWSE_FILTER_MAX + 1)
        s->filter.len = BROWSE_FILTER_MAX + 1; /* longer than any name: there is none */
}

static const struct browse_form *choose_form(struct exchange *ex)
{
    struct str types[ARRAY_LEN(forms)];

    for (size_t i = 0; i < ARRAY_LEN(forms); i++)
        types[i] = forms[i]->type;
    return forms[accept_choose(fields_joined(&ex->request, ex->arena, STR_LIT("Accept")), types,
                               ARRAY_LEN(types))];
}

/* All that the answer depends on besides the list and the directive. */
static struct str make_key(const struct request *r)
{
    const struct browse_show *s = &r->show;

    return arena_printf(r->ex->arena, STR_FMT " %d %d %llu %llu %zu " STR_FMT STR_FMT,
                        STR_ARG(r->form->type), (int)s->sort, s->descending,
                        (unsigned long long)s->offset, (unsigned long long)s->limit, s->filter.len,
                        STR_ARG(s->filter), STR_ARG(s->path));
}

/* ---- fields ---- */

static void set_validators(struct request *r)
{
    static const struct siphash_key no_secret;
    const struct browse_list *l = r->show.list;
    struct exchange *ex = r->ex;
    uint64_t form = siphash(&no_secret, r->key);
    char date[DATE_HTTP_LEN + 1];

    if (r->form == &browse_html)
        form ^= r->show.page->hash;
    r->etag = arena_printf(ex->arena, "\"%llx-%llx\"", (unsigned long long)l->hash,
                           (unsigned long long)form);
    /* Never later than the response's Date (RFC 9110 8.8.2.1), and 0 and 1 are no times. */
    if (l->newest_s <= 1 || l->newest_s > loop_wall_s(ex->loop))
        return;
    date_format_http(l->newest_s, date);
    r->last_modified = arena_str(ex->arena, str_of(date));
}

static void add(struct fields *f, struct arena *a, const char *name, struct str value)
{
    if (value.len > 0)
        fields_add(f, a, str_of(name), arena_str(a, value));
}

/* no-cache: browsers would otherwise believe an old list for as long as it has not changed. */
static void make_fields(const struct request *r, struct fields *f, struct arena *a)
{
    bool ours = r->form == &browse_html && !r->browser->conf->is_own;

    add(f, a, "Content-Type", r->form->content_type);
    add(f, a, "X-Content-Type-Options", STR_LIT("nosniff"));
    add(f, a, "Cache-Control", STR_LIT("no-cache"));
    add(f, a, "Vary", STR_LIT("Accept"));
    if (ours)
        add(f, a, "Content-Security-Policy", STR_LIT(CONTENT_SECURITY_POLICY));
    if (r->status == 0) {
        add(f, a, "ETag", r->etag);
        add(f, a, "Last-Modified", r->last_modified);
    }
}

/* What another handler has set stays, but for Vary, which is a list (RFC 9110 12.5.5). */
static void keep_vary(struct exchange *ex)
{
    if (fields_get(&ex->response, STR_LIT("Vary")).p != NULL)
        vary_add(ex, &ex->response, STR_LIT("Accept"));
}

static void add_fields(const struct request *r)
{
    struct exchange *ex = r->ex;
    struct fields f = {0};

    make_fields(r, &f, ex->arena);
    for (size_t i = 0; i < f.n; i++)
        if (fields_get(&ex->response, f.list[i].name).p == NULL)
            fields_add(&ex->response, ex->arena, f.list[i].name, f.list[i].value);
}

/* ---- the content ---- */

/* Formats into buf as long as there is room. The number of bytes; *all: it is all. */
static size_t format(struct browse_out *o, char *buf, size_t cap, bool *all)
{
    size_t len = 0, n;

    *all = false;
    while (len < cap && !*all) {
        *all = o->source.pull(&o->source, buf + len, cap - len, &n) == PULL_END;
        len += n;
    }
    return len;
}

static int64_t measure_rest(struct browse_out *o, char *buf)
{
    int64_t len = 0;
    bool all = false;

    while (!all)
        len += (int64_t)format(o, buf, BLOCK, &all);
    return len;
}

/* The content in memory, or its length. */
static void make_page(const struct request *r, struct browse_out *o)
{
    char *buf = xrealloc_array(NULL, 1, BROWSE_PAGE_MOST);
    struct prepared *p = NULL;
    bool all;
    int64_t len = (int64_t)format(o, buf, BROWSE_PAGE_MOST, &all);

    if (all) {
        p = prepared_new(200, (struct str){buf, (size_t)len});
        make_fields(r, &p->fields, p->arena);
    } else {
        len += measure_rest(o, buf);
    }
    free(buf);
    browse_pages_add(&r->show.list->pages, r->key, len, p);
    browse_cache_trim(r->browser->cache);
}

static void stream(struct request *r, struct browse_out *o, int64_t len)
{
    browse_out_rewind(o);
    add_fields(r);
    exchange_respond_source(r->ex, r->status == 0 ? 200 : r->status, &o->source, len);
}

static void respond_content(struct request *r)
{
    struct browse_show *s = &r->show;
    const struct browse_page *page = browse_pages_find(&s->list->pages, r->key);
    struct browse_out *o;

    if (page != NULL && page->full != NULL && r->status == 0) {
        exchange_respond_prepared(r->ex, page->full);
        return;
    }
    browse_show_select(s, r->ex->arena);
    o = browse_out_new(r->ex->arena, r->form, s);
    if (page == NULL && s->to - s->from <= ROWS_MEASURED && r->status == 0) {
        make_page(r, o);
        page = browse_pages_find(&s->list->pages, r->key);
    }
    if (page != NULL && page->full != NULL && r->status == 0)
        exchange_respond_prepared(r->ex, page->full);
    else
        stream(r, o, page == NULL ? -1 : page->len);
}

static void respond(struct request *r)
{
    struct exchange *ex = r->ex;
    struct conditions c;
    enum precondition verdict = PRECONDITION_HOLDS;

    set_validators(r);
    keep_vary(ex);
    if (r->status == 0 && conditions_read(&ex->request, ex->arena, &c)) {
        const struct validators v = {r->etag,
                                     r->last_modified.len > 0 ? r->show.list->newest_s : NO_MTIME};

        verdict = conditions_check(&c, &v, true, loop_wall_s(ex->loop));
    }
    switch (verdict) {
    case PRECONDITION_HOLDS:
        respond_content(r);
        break;
    case PRECONDITION_NOT_MODIFIED:
        add_fields(r);
        fields_remove(&ex->response, STR_LIT("Content-Type"));
        fields_remove(&ex->response, STR_LIT("Last-Modified"));
        exchange_respond(ex, 304);
        break;
    case PRECONDITION_FAILED:
        exchange_respond_error(ex, 412);
        break;
    }
}

/* ---- the list ---- */

static void fail(struct request *r, int code)
{
    int status = file_status(r->place.p, code);

    if (status == 503)
        fields_set(&r->ex->response, r->ex->arena, STR_LIT("Retry-After"), STR_LIT("3"));
    exchange_respond_error(r->ex, status);
}

static void on_list_end(void *list)
{
    browse_list_unref(list);
}

static void on_list(struct browse_asker *a, struct browse_list *l, int code)
{
    struct request *r = container_of(a, struct request, asker);

    if (l == NULL) {
        fail(r, code);
        return;
    }
    r->show.list = browse_list_ref(l);
    exchange_defer(r->ex, on_list_end, l);
    respond(r);
}

static void on_exchange_end(void *asker)
{
    browse_cache_leave(asker);
}

void browse_respond(const struct browser *b, struct exchange *ex, const struct folder *root,
                    struct str path, int status)
{
    struct request *r = arena_alloc(ex->arena, sizeof *r);
    const struct browse_scope scope = {.rules = b->rules,
                                       .root = *root,
                                       .path = path,
                                       .limit = b->conf->limit,
                                       .reveal = b->conf->reveal};

    r->asker.done = on_list;
    r->ex = ex;
    r->browser = b;
    r->status = status;
    r->show.path = ex->path;
    r->show.page = b->conf->page;
    r->form = choose_form(ex);
    r->place = arena_printf(ex->arena, STR_FMT STR_FMT, STR_ARG(root->path), STR_ARG(path));
    read_query(r);
    r->key = make_key(r);
    exchange_defer(ex, on_exchange_end, &r->asker);
    browse_cache_get(b->cache, b->owner, b->whole_conf, &scope, &r->asker);
}
