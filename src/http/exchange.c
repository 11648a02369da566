#include "http/exchange.h"

#include "http/path.h"
#include "http/prepared.h"
#include "http/service.h"

#include <assert.h>
#include <unistd.h>

void exchange_init(struct exchange *ex, const struct exchange_engine *engine, struct loop *l,
                   struct arena *a, struct service *s)
{
    *ex = (struct exchange){
        .engine = engine, .loop = l, .arena = a, .service = service_ref(s), .body = {.fd = -1}};
}

void exchange_close_body(struct body *b)
{
    if (b->kind == BODY_FILE && !b->keep_fd)
        close(b->fd);
    else if (b->kind == BODY_SOURCE && b->source->close != NULL)
        b->source->close(b->source);
    else if (b->kind == BODY_PREPARED)
        prepared_unref(b->prepared);
    b->kind = BODY_NONE;
}

void exchange_fini(struct exchange *ex)
{
    exchange_close_body(&ex->body);
    while (ex->deferred != NULL) {
        struct deferred *d = ex->deferred;

        ex->deferred = d->next;
        d->fn(d->arg);
    }
    service_unref(ex->service);
    ex->service = NULL;
}

void exchange_defer(struct exchange *ex, void (*fn)(void *), void *arg)
{
    struct deferred *d = arena_alloc(ex->arena, sizeof *d);

    *d = (struct deferred){ex->deferred, fn, arg};
    ex->deferred = d;
}

void exchange_nosniff(struct exchange *ex)
{
    static const struct str name = STR_LIT("X-Content-Type-Options");

    if (fields_get(&ex->response, name).p == NULL)
        fields_add(&ex->response, ex->arena, name, STR_LIT("nosniff"));
}

void exchange_on_respond(struct exchange *ex, void (*fn)(struct exchange *, const void *),
                         bool (*needs)(const struct prepared *, const void *), const void *arg)
{
    struct respond_hook *h = arena_alloc(ex->arena, sizeof *h);

    *h = (struct respond_hook){.next = ex->hooks, .fn = fn, .needs = needs, .arg = arg};
    ex->hooks = h;
}

void exchange_intercept(struct exchange *ex, bool (*takes)(struct exchange *, const void *),
                        bool (*needs)(const struct prepared *, const void *), const void *arg)
{
    struct respond_hook *h = arena_alloc(ex->arena, sizeof *h);

    *h = (struct respond_hook){.next = ex->hooks, .takes = takes, .needs = needs, .arg = arg};
    ex->hooks = h;
}

void exchange_take_back(struct exchange *ex, struct body *body)
{
    *body = ex->body;
    ex->body = (struct body){.fd = -1};
    ex->responded = false;
}

/* ---- the request ---- */

/* "example.com:8443" to "example.com", "[::1]:80" to "::1"; lower-cased, without the root dot. */
static struct str host_of(struct arena *a, struct str authority)
{
    struct str host = authority;
    char *lower;

    if (host.len > 0 && host.p[0] == '[') {
        host = str_from(host, 1);
        host.len = str_chr(host, ']');
    } else {
        host.len = str_chr(host, ':');
    }
    if (host.len > 1 && host.p[host.len - 1] == '.')
        host.len--;
    lower = arena_bytes(a, host.len + 1);
    for (size_t i = 0; i < host.len; i++)
        lower[i] = ascii_lower(host.p[i]);
    lower[host.len] = '\0';
    return (struct str){lower, host.len};
}

/* Takes "http://authority" off the front of an absolute-form target. */
static bool take_authority(struct str *target, struct str *authority)
{
    struct str rest = *target;
    size_t scheme = str_chr(rest, ':');

    rest = str_from(rest, scheme);
    if (!str_starts(rest, STR_LIT("://")))
        return false;
    rest = str_from(rest, 3);
    for (authority->len = 0; authority->len < rest.len; authority->len++)
        if (memchr("/?#", rest.p[authority->len], 3) != NULL)
            break;
    authority->p = rest.p;
    *target = str_from(rest, authority->len);
    return authority->len > 0;
}

bool exchange_set_target(struct exchange *ex)
{
    struct str rest = ex->target;

    if (str_is(rest, "*")) {
        ex->raw_path = ex->path = rest;
        ex->host = host_of(ex->arena, ex->authority);
        return true;
    }
    if (rest.len == 0 || (rest.p[0] != '/' && !take_authority(&rest, &ex->authority)))
        return false;
    ex->host = host_of(ex->arena, ex->authority);
    ex->raw_path = rest;
    ex->raw_path.len = str_chr(rest, '?');
    if (ex->raw_path.len < rest.len)
        ex->query = str_from(rest, ex->raw_path.len + 1);
    if (ex->raw_path.len == 0)
        ex->raw_path = STR_LIT("/"); /* RFC 9112 3.2.1: an empty path is sent as "/" */
    return path_clean(ex->arena, ex->raw_path, &ex->path) == PATH_OK;
}

void exchange_set_authority(struct exchange *ex, struct str authority)
{
    exchange_keep_original(ex);
    ex->authority = authority.p == NULL ? STR_LIT("") : authority;
    ex->host = host_of(ex->arena, ex->authority);
}

struct original exchange_original(const struct exchange *ex)
{
    if (ex->original != NULL)
        return *ex->original;
    return (struct original){ex->method,    ex->raw_path, ex->query,  ex->path,
                             ex->authority, ex->host,     ex->request};
}

void exchange_keep_original(struct exchange *ex)
{
    struct original *o;

    if (ex->original != NULL)
        return;
    o = arena_alloc(ex->arena, sizeof *o);
    *o = exchange_original(ex);
    ex->original = o;
}

void exchange_restore_target(struct exchange *ex)
{
    const struct original o = exchange_original(ex);

    ex->method = o.method;
    ex->raw_path = o.raw_path;
    ex->query = o.query;
    ex->path = o.path;
}

void exchange_own_fields(struct exchange *ex)
{
    struct fields own = {NULL, 0, ex->request.n + 1};

    exchange_keep_original(ex);
    if (ex->request.list != NULL && ex->request.list != ex->original->request.list)
        return;
    own.list = arena_alloc(ex->arena, own.cap * sizeof *own.list);
    for (size_t i = 0; i < ex->request.n; i++)
        own.list[own.n++] = ex->request.list[i];
    ex->request = own;
}

bool exchange_is_clients(const struct exchange *ex, const struct field *line)
{
    const struct original sent = exchange_original(ex);

    for (size_t i = 0; i < sent.request.n; i++)
        if (sent.request.list[i].name.p == line->name.p &&
            sent.request.list[i].value.p == line->value.p)
            return true;
    return false;
}

static bool is_too_long(const struct exchange *ex)
{
    return ex->request_body_max > 0 && ex->request_body_read > ex->request_body_max;
}

enum pull exchange_read_body(struct exchange *ex, char *buf, size_t cap, size_t *n)
{
    enum pull answer = is_too_long(ex) ? PULL_FAIL : ex->engine->read_body(ex, buf, cap, n);

    if (answer != PULL_BYTES)
        return answer;
    ex->request_body_read += (int64_t)*n;
    return is_too_long(ex) ? PULL_FAIL : PULL_BYTES;
}

int exchange_body_error(const struct exchange *ex, int status)
{
    return is_too_long(ex) ? 413 : status;
}

/* ---- the response ---- */

void exchange_unprepare(struct exchange *ex)
{
    struct prepared *p = ex->body.prepared;

    if (ex->body.kind != BODY_PREPARED)
        return;
    ex->response = prepared_fields(p, &ex->response, ex->arena);
    ex->body.kind = p->body.len == 0 ? BODY_NONE : BODY_BYTES;
    ex->body.bytes = p->body;
    ex->body.len = (int64_t)p->body.len;
    exchange_defer(ex, (void (*)(void *))prepared_unref, p);
}

static bool hooks_need(const struct exchange *ex, const struct prepared *p)
{
    for (const struct respond_hook *h = ex->hooks; h != NULL; h = h->next)
        if (h->needs(p, h->arg))
            return true;
    return false;
}

/* Each hook sees the response once, also where it was taken back in between. False: it was. */
static bool run_hooks(struct exchange *ex)
{
    const struct respond_hook *h;

    while ((h = ex->hooks) != NULL) {
        ex->hooks = h->next;
        if (h->fn != NULL)
            h->fn(ex, h->arg);
        else if (ex->answered && h->takes(ex, h->arg))
            return false;
    }
    return true;
}

static void respond_as(struct exchange *ex, int status, bool answered)
{
    assert(!ex->responded);
    ex->status = status;
    ex->responded = true;
    ex->answered = answered;
    if (ex->body.kind == BODY_PREPARED && hooks_need(ex, ex->body.prepared))
        exchange_unprepare(ex);
    if (run_hooks(ex))
        ex->engine->respond(ex);
}

static void respond(struct exchange *ex, int status)
{
    respond_as(ex, status, true);
}

void exchange_interim(struct exchange *ex, int status, const struct fields *fields)
{
    if (!ex->responded && ex->http_minor > 0 && ex->engine->interim != NULL)
        ex->engine->interim(ex, status, fields);
}

void exchange_respond(struct exchange *ex, int status)
{
    ex->body.kind = BODY_NONE;
    ex->body.len = 0;
    respond(ex, status);
}

void exchange_respond_unanswered(struct exchange *ex)
{
    ex->body.kind = BODY_NONE;
    ex->body.len = 0;
    respond_as(ex, ex->unanswered == 0 ? 200 : ex->unanswered, false);
}

void exchange_respond_bytes(struct exchange *ex, int status, struct str body)
{
    ex->body.kind = body.len == 0 ? BODY_NONE : BODY_BYTES;
    ex->body.bytes = body;
    ex->body.len = (int64_t)body.len;
    respond(ex, status);
}

void exchange_respond_file(struct exchange *ex, int status, int fd, bool keep_fd, int64_t offset,
                           int64_t len)
{
    ex->body.kind = BODY_FILE;
    ex->body.fd = fd;
    ex->body.keep_fd = keep_fd;
    ex->body.offset = offset;
    ex->body.len = len;
    respond(ex, status);
}

void exchange_respond_source(struct exchange *ex, int status, struct source *s, int64_t len)
{
    ex->body.kind = BODY_SOURCE;
    ex->body.source = s;
    ex->body.len = len;
    respond(ex, status);
}

void exchange_respond_upgrade(struct exchange *ex, struct source *s)
{
    ex->upgraded = true;
    exchange_respond_source(ex, 101, s, -1);
}

void exchange_respond_prepared(struct exchange *ex, struct prepared *p)
{
    ex->body.kind = BODY_PREPARED;
    ex->body.prepared = prepared_ref(p);
    ex->body.len = (int64_t)p->body.len;
    respond(ex, p->status);
}
