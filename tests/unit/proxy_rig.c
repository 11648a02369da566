#include "proxy_rig.h"

#include "base/alloc.h"
#include "base/shared.h"
#include "conf/load.h"
#include "handlers/copy_response.h"
#include "handlers/error.h"
#include "handlers/header.h"
#include "handlers/respond.h"
#include "handlers/reverse_proxy.h"
#include "http/match.h"
#include "http/prepared.h"
#include "http/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the engine ---- */

atomic_bool rig_response_begun;

static void end(struct rig *r, bool failed)
{
    r->ended = true;
    r->failed = failed;
    loop_stop(r->loop);
}

static void take(struct rig *r, struct str bytes)
{
    r->received += bytes.len;
    if (bytes.len >= sizeof r->last)
        memcpy(r->last, bytes.p + bytes.len - sizeof r->last, sizeof r->last);
    if (r->body.len + bytes.len <= r->body.max)
        assert_int_equal(buf_append_str(&r->body, bytes), 0);
}

static void on_pump(struct task *t)
{
    struct rig *r = container_of(t, struct rig, pump);
    char block[3000];
    size_t n = 0;

    if (r->ended)
        return;
    r->parked = false;
    r->kind = r->ex.body.kind;
    if (r->kind == BODY_BYTES)
        take(r, r->ex.body.bytes);
    if (r->kind == BODY_PREPARED)
        take(r, r->ex.body.prepared->body);
    if (r->kind != BODY_SOURCE || r->ex.is_head) {
        end(r, false);
        return;
    }
    for (;;) {
        struct source *s = r->ex.body.source;

        switch (s->pull(s, block, sizeof block, &n)) {
        case PULL_BYTES:
            take(r, (struct str){block, n});
            if (r->slow)
                return;
            break;
        case PULL_AGAIN:
            r->parked = true;
            return;
        case PULL_END:
            end(r, false);
            return;
        case PULL_FAIL:
            end(r, true);
            return;
        }
    }
}

static void engine_respond(struct exchange *ex)
{
    struct rig *r = container_of(ex, struct rig, ex);

    atomic_store(&rig_response_begun, true);
    for (size_t i = 0; i < ex->response.n; i++)
        assert_int_equal(buf_printf(&r->fields, STR_FMT "=" STR_FMT "|",
                                    STR_ARG(ex->response.list[i].name),
                                    STR_ARG(ex->response.list[i].value)),
                         0);
    loop_post(r->loop, &r->pump);
}

static void engine_resume(struct exchange *ex)
{
    struct rig *r = container_of(ex, struct rig, ex);

    assert_true(r->parked); /* never for nothing */
    loop_post(r->loop, &r->pump);
}

static enum pull engine_read_body(struct exchange *ex, char *buf, size_t cap, size_t *n)
{
    struct rig *r = container_of(ex, struct rig, ex);

    if (r->half_duplex && ex->responded)
        return PULL_FAIL;
    if (r->stall > 0) {
        r->stall--;
        timer_set(r->loop, &r->later, 2);
        return PULL_AGAIN;
    }
    if (r->to_send == 0)
        return r->at_end;
    *n = r->to_send < cap ? r->to_send : cap;
    memset(buf, 'x', *n);
    r->to_send -= *n;
    return PULL_BYTES;
}

static void engine_abort(struct exchange *ex)
{
    end(container_of(ex, struct rig, ex), true);
}

static const struct exchange_engine engine = {.respond = engine_respond,
                                              .resume = engine_resume,
                                              .read_body = engine_read_body,
                                              .abort = engine_abort};

static void on_later(struct timer *t)
{
    struct rig *r = container_of(t, struct rig, later);

    r->ex.on_request_body(&r->ex);
}

static void on_limit(struct timer *t)
{
    loop_stop(container_of(t, struct rig, limit)->loop);
}

/* ---- the rig ---- */

static const struct directive *const tables[] = {reverse_proxy_directives, copy_response_directives,
                                                 respond_directives,       header_directives,
                                                 error_directives,         NULL};

struct conf *rig_parse(const char *directive, struct buf *errors)
{
    char text[1024];

    snprintf(text, sizeof text, "http://example.org:8080 {\n%s\n}\n", directive);
    const struct language language = {.directives = tables, .matchers = http_matchers};

    return conf_parse("test", str_of(text), &language, errors, NULL);
}

bool rig_direct;

static void open_transports(struct rig *r)
{
    const struct direct_limits limits = {.idle_max = 8};
    struct err e;

    r->fetcher = fetcher_new(r->loop, 8, &e);
    if (!rig_direct)
        return;
    assert_int_equal(mailbox_init(&r->box, r->loop, NULL, &e), 0);
    r->offload = offload_new(1, 8);
    r->resolver = resolver_new(r->loop, r->offload, &r->box);
    r->direct = direct_new(r->loop, r->resolver, &limits);
}

static void close_transports(struct rig *r)
{
    fetcher_free(r->fetcher);
    if (r->direct == NULL)
        return;
    direct_free(r->direct);
    resolver_free(r->resolver);
    offload_wait(r->offload, &r->box);
    mailbox_fini(&r->box);
    offload_free(r->offload);
}

void rig_init(struct rig *r, const char *directive)
{
    struct buf errors = BUF_INIT(4096);
    struct worker_env env;
    struct err e;

    memset(r, 0, sizeof *r);
    r->loop = loop_new(&e);
    open_transports(r);
    r->conf = rig_parse(directive, &errors);
    if (r->conf == NULL)
        fail_msg("%s", errors.p);
    r->shared = shared_new();
    env = (struct worker_env){.loop = r->loop,
                              .fetcher = r->fetcher,
                              .direct = r->direct,
                              .conf = r->conf,
                              .shared = r->shared};
    r->service = service_new(r->conf, &env, NULL, &e);
    assert_non_null(r->service);
    r->arena = arena_new();
    r->limit.on_timer = on_limit;
    r->later.on_timer = on_later;
    r->pump.run = on_pump;
    r->body = BUF_INIT(65536);
    r->fields = BUF_INIT(65536);
    buf_fini(&errors);
}

void rig_end_exchange(struct rig *r)
{
    timer_cancel(r->loop, &r->later);
    loop_unpost(r->loop, &r->pump);
    exchange_fini(&r->ex);
    arena_reset(r->arena);
}

void rig_fini(struct rig *r)
{
    timer_cancel(r->loop, &r->limit);
    service_unref(r->service);
    conf_unref(r->conf);
    close_transports(r);
    shared_free(r->shared);
    loop_free(r->loop);
    arena_free(r->arena);
    buf_fini(&r->body);
    buf_fini(&r->fields);
}

void rig_begin(struct rig *r, const char *method, const char *target)
{
    struct exchange *ex = &r->ex;

    exchange_init(ex, &engine, r->loop, r->arena, r->service);
    buf_clear(&r->body);
    buf_clear(&r->fields);
    r->received = 0;
    r->ended = r->failed = r->parked = r->slow = false;
    r->to_send = 0;
    r->stall = 0;
    r->at_end = PULL_END;
    r->half_duplex = false;
    ex->listener = &r->conf->listeners[0];
    ex->method = str_of(method);
    ex->is_head = strcmp(method, "HEAD") == 0;
    ex->target = str_of(target);
    ex->authority = STR_LIT("example.org:8080");
    ex->http_minor = 1;
    ex->remote_host = STR_LIT("192.0.2.7");
    assert_true(exchange_set_target(ex));
}

void rig_wait(struct rig *r, uint64_t ms)
{
    struct err e;

    timer_set(r->loop, &r->limit, ms);
    assert_int_equal(loop_run(r->loop, &e), 0);
    timer_cancel(r->loop, &r->limit);
}

void rig_run(struct rig *r)
{
    service_handle(r->service, &r->ex);
    rig_wait(r, RIG_LIMIT_MS);
    assert_true(r->ended);
}

void rig_to(struct rig *r, const struct peer *p)
{
    char directive[128];

    snprintf(directive, sizeof directive, "reverse_proxy 127.0.0.1:%u", p->port);
    rig_init(r, directive);
}

void rig_ask(struct rig *r, const char *method, const char *target, const struct field *fields,
             size_t n)
{
    rig_begin(r, method, target);
    for (size_t i = 0; i < n; i++)
        fields_add(&r->ex.request, r->arena, fields[i].name, fields[i].value);
    rig_run(r);
}

const char *rig_text(const struct buf *b)
{
    return b->len == 0 ? "" : b->p;
}

/* ---- peers ---- */

char rig_seen[8192];

void rig_serve_seen(struct peer *s, int fd)
{
    while (peer_read_head(fd, rig_seen, sizeof rig_seen) && peer_say(fd, s->text))
        ;
}

void rig_serve_many(struct peer *s, int fd)
{
    static const char block[65536];
    char head[8192];

    if (!peer_read_head(fd, head, sizeof head))
        return;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", (int)RIG_MANY);
    peer_say(fd, head);
    while (atomic_load(&s->sent) < RIG_MANY && peer_send(fd, block, sizeof block))
        atomic_fetch_add(&s->sent, sizeof block);
}

atomic_size_t rig_taken;

void rig_serve_sink(struct peer *s, int fd)
{
    char b[65536];
    size_t got = 0;
    ssize_t n;

    if (!peer_read_head(fd, rig_seen, sizeof rig_seen))
        return;
    while (got < RIG_MANY && (n = recv(fd, b, sizeof b, 0)) > 0)
        got += (size_t)n;
    atomic_store(&rig_taken, got);
    peer_say(fd, s->text);
}
