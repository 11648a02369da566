/* The proxy between an engine made for the test and a peer that says what the test wants. */
#include "handlers/reverse_proxy.h"
#include "http/match.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "conf/load.h"
#include "handlers/copy_response.h"
#include "handlers/error.h"
#include "handlers/header.h"
#include "handlers/respond.h"
#include "handlers/upstream.h"
#include "http/prepared.h"
#include "http/service.h"
#include "peer.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

/* MANY is more than the kernel buffers of a connection hold. */
enum { MANY = 32 * 1024 * 1024, LIMIT_MS = 10000 };

/* ---- upstream addresses ---- */

static const struct {
    const char *text;
    const char *url; /* NULL: an error */
    const char *hostport;
    const char *unix_socket;
} addresses[] = {
    {"127.0.0.1:9000", "http://127.0.0.1:9000/", "127.0.0.1:9000", NULL},
    {":9000", "http://localhost:9000/", "localhost:9000", NULL},
    {"backend", "http://backend/", "backend", NULL},
    {"http://backend:80", "http://backend/", "backend", NULL},
    {"https://backend", "https://backend/", "backend", NULL},
    {"https://backend:8443", "https://backend:8443/", "backend:8443", NULL},
    {"[::1]:9000", "http://[::1]:9000/", "[::1]:9000", NULL},
    {"unix//run/app.sock", "http://localhost/", "localhost", "/run/app.sock"},
    {"", NULL, NULL, NULL},
    {":", NULL, NULL, NULL},
    {"host:0", NULL, NULL, NULL},
    {"host:65536", NULL, NULL, NULL},
    {"host:80-82", NULL, NULL, NULL},
    {"http://host/path", NULL, NULL, NULL},
    {"host/", NULL, NULL, NULL},
    {"h2c://host:80", NULL, NULL, NULL},
    {"{env}:80", NULL, NULL, NULL},
    {"user@host:80", NULL, NULL, NULL},
    {"[::1:80", NULL, NULL, NULL},
    {"unix/relative", NULL, NULL, NULL},
    {"ho st", NULL, NULL, NULL},
};

static void reads_upstream_addresses(void **state)
{
    struct arena *a = arena_new();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(addresses); i++) {
        struct upstream u;
        struct err e = {0};
        int rc = upstream_parse(a, str_of(addresses[i].text), &u, &e);

        assert_int_equal(rc, addresses[i].url == NULL ? -1 : 0);
        if (rc != 0)
            continue;
        assert_string_equal(u.url, addresses[i].url);
        assert_true(str_is(u.names.hostport, addresses[i].hostport));
        assert_int_equal(u.unix_socket == NULL, addresses[i].unix_socket == NULL);
        if (u.unix_socket != NULL)
            assert_string_equal(u.unix_socket, addresses[i].unix_socket);
    }
    arena_free(a);
}

/* ---- the engine ---- */

static atomic_bool response_begun;

struct rig {
    struct loop *loop;
    struct fetcher *fetcher;
    struct conf *conf;
    struct service *service;
    struct timer limit;
    struct timer later;

    struct exchange ex;
    struct arena *arena;
    struct task pump;
    struct buf body;
    struct buf fields;
    size_t received;
    char last[5]; /* bytes of the body */
    bool parked;  /* the source answered AGAIN */
    bool slow;    /* pull only when the timer `later` says so */
    bool ended;
    bool failed;
    enum body_kind kind;

    size_t to_send; /* of the request's body */
    unsigned stall;
    enum pull at_end;
    bool half_duplex; /* the rest of the request's body is lost once the response begins */
};

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

    atomic_store(&response_begun, true);
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

static struct conf *parse(const char *directive, struct buf *errors)
{
    char text[1024];

    snprintf(text, sizeof text, "http://example.org:8080 {\n%s\n}\n", directive);
    const struct language language = {.directives = tables, .matchers = http_matchers};

    return conf_parse("test", str_of(text), &language, errors, NULL);
}

static void rig_init(struct rig *r, const char *directive)
{
    struct buf errors = BUF_INIT(4096);
    struct worker_env env;
    struct err e;

    memset(r, 0, sizeof *r);
    r->loop = loop_new(&e);
    r->fetcher = fetcher_new(r->loop, 8, &e);
    r->conf = parse(directive, &errors);
    if (r->conf == NULL)
        fail_msg("%s", errors.p);
    env = (struct worker_env){.loop = r->loop, .fetcher = r->fetcher, .conf = r->conf};
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

static void rig_end_exchange(struct rig *r)
{
    timer_cancel(r->loop, &r->later);
    loop_unpost(r->loop, &r->pump);
    exchange_fini(&r->ex);
    arena_reset(r->arena);
}

static void rig_fini(struct rig *r)
{
    timer_cancel(r->loop, &r->limit);
    service_unref(r->service);
    conf_unref(r->conf);
    fetcher_free(r->fetcher);
    loop_free(r->loop);
    arena_free(r->arena);
    buf_fini(&r->body);
    buf_fini(&r->fields);
}

static void rig_begin(struct rig *r, const char *method, const char *target)
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

static void rig_wait(struct rig *r, uint64_t ms)
{
    struct err e;

    timer_set(r->loop, &r->limit, ms);
    assert_int_equal(loop_run(r->loop, &e), 0);
    timer_cancel(r->loop, &r->limit);
}

static void rig_run(struct rig *r)
{
    service_handle(r->service, &r->ex);
    rig_wait(r, LIMIT_MS);
    assert_true(r->ended);
}

static void rig_to(struct rig *r, const struct peer *p)
{
    char directive[128];

    snprintf(directive, sizeof directive, "reverse_proxy 127.0.0.1:%u", p->port);
    rig_init(r, directive);
}

static const char *text_of(const struct buf *b)
{
    return b->len == 0 ? "" : b->p;
}

/* ---- the directive ---- */

static const struct {
    const char *directive;
    const char *error; /* part of the message */
} directives[] = {
    {"reverse_proxy", "needs an upstream"},
    {"reverse_proxy http://a/b", "no path"},
    {"reverse_proxy a:1 {\n lb_policy least_conn\n}", "'least_conn' is not supported yet"},
    {"reverse_proxy a:1 {\n lb_policy best\n}", "there are round_robin, first, random"},
    {"reverse_proxy a:1 {\n lb_policy first last\n}", "3:18: nothing follows 'first'"},
    {"reverse_proxy a:1 {\n health_uri /\n}", "'health_uri' is not supported yet"},
    {"reverse_proxy a:1 {\n response_buffers 1MB\n}", "bodies are streamed"},
    {"reverse_proxy a:1 {\n flush_interval often\n}", "often"},
    {"reverse_proxy a:1 {\n heeder_up A b\n}", "header_up"},
    {"reverse_proxy a:1 {\n transport fastcgi\n}", "only transport"},
    {"reverse_proxy a:1 {\n transport http {\n tls\n}\n}", "write 'https://'"},
    {"reverse_proxy a:1 {\n transport http {\n dial_timeout soon\n}\n}", "soon"},
    {"reverse_proxy a:1 {\n transport http {\n compression on\n}\n}", "can only be off"},
    {"reverse_proxy a:1 {\n transport http {\n versions h2c\n}\n}", "'1.1' is missing"},
    {"reverse_proxy a:1 {\n transport http {\n versions 1.0\n}\n}", "version"},
    {"reverse_proxy a:1 {\n header_up\n}", "at least 1"},
    {"reverse_proxy a:1 {\n header_up A\n}", "value"},
    {"reverse_proxy a:1 {\n header_up -A b\n}", "nothing more"},
    {"reverse_proxy a:1 {\n header_up ?A b\n}", "'?' is for 'header'"},
    {"reverse_proxy a:1 {\n header_up A ( b\n}", "3:15"},
    {"reverse_proxy a:1 {\n header_up A {nonsense}\n}", "nonsense"},
    {"reverse_proxy a:1 {\n header_up Content-Length 3\n}", "belongs to the protocol"},
    {"reverse_proxy a:1 {\n header_up +Transfer-Encoding chunked\n}", "belongs to the protocol"},
    {"reverse_proxy a:1 {\n header_down A:b c\n}", "no field name"},
    {"reverse_proxy a:1 {\n method G/T\n}", "no method"},
    {"reverse_proxy a:1 {\n method CONNECT\n}", "a gateway, no tunnel"},
    {"reverse_proxy a:1 {\n rewrite /a/../b\n}", "'..'"},
    {"reverse_proxy a:1 {\n rewrite /a\n rewrite /b\n}", "already given in line 3"},
    {"reverse_proxy a:1 {\n handle_response {\n respondd\n}\n}", "respond"},
    {"reverse_proxy a:1 {\n handle_response\n}", "needs a block"},
    {"reverse_proxy a:1 {\n handle_response bad {\n}\n}", "stands here: '@name'"},
    {"reverse_proxy a:1 {\n @bad status 5xx\n handle_response @bat {\n}\n}", "mean '@bad'?"},
    {"reverse_proxy a:1 {\n @bad status 6xx\n}", "no status"},
    {"reverse_proxy a:1 {\n @bad\n}", "needs 'status' or 'header'"},
    {"reverse_proxy a:1 {\n @ status 5xx\n}", "has a name"},
    {"reverse_proxy a:1 {\n @bad status 500\n @bad status 501\n}", "4:2: '@bad' was already"},
    {"reverse_proxy a:1 {\n @bad path /a\n}", "unknown response matcher 'path'"},
    {"reverse_proxy a:1 {\n replace_status 199\n}", "no status from 200 to 599"},
    {"reverse_proxy a:1 {\n replace_status bad 404\n}", "stands here: '@name'"},
    {"reverse_proxy a:1 {\n replace_status @bad 404\n}", "unknown response matcher '@bad'"},
    {"copy_response 99", "no status from 200 to 599"},
    {"copy_response_headers {\n include A\n exclude B\n}", "only one can stand"},
    {"reverse_proxy a:1 {\n trusted_proxies\n}", "at least 1"},
    {"reverse_proxy a:1 {\n trusted_proxies 10.0.0.0/33\n}", "10.0.0.0/33"},
    {"forward_auth a:1", "needs a 'uri'"},
    {"forward_auth {\n uri /\n}", "needs an upstream"},
    {"forward_auth a:1 {\n uri x\n}", "does not begin with '/'"},
    {"forward_auth a:1 {\n uri /\n uri /\n}", "already given"},
    {"forward_auth a:1 {\n uri /\n rewrite /\n}", "4:2: the URI was already given"},
    {"forward_auth a:1 {\n rewrite /\n uri /\n}", "4:2: the URI was already given"},
    {"forward_auth a:1 {\n uri /\n copy_headers\n}", "at least one field"},
    {"forward_auth a:1 {\n uri /\n copy_headers A>B>C\n}", "from>to"},
    {"forward_auth a:1 {\n urii /\n}", "uri"},
};

static void tells_what_is_wrong_with_a_directive(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
        struct buf errors = BUF_INIT(8192);

        if (parse(directives[i].directive, &errors) != NULL)
            fail_msg("%s: no error", directives[i].directive);
        if (strstr(errors.p, directives[i].error) == NULL)
            fail_msg("%s: %s", directives[i].directive, errors.p);
        buf_fini(&errors);
    }
}

/* ---- fields ---- */

static char seen[8192];

static void serve_seen(struct peer *s, int fd)
{
    while (peer_read_head(fd, seen, sizeof seen) && peer_say(fd, s->text))
        ;
}

static const struct field request_fields[] = {
    {STR_LIT("Host"), STR_LIT("example.org:8080")},
    {STR_LIT("Accept"), STR_LIT("text/html")},
    {STR_LIT("Connection"), STR_LIT("keep-alive, X-Mine ,close")},
    {STR_LIT("connection"), STR_LIT("X-Other")},
    {STR_LIT("X-Mine"), STR_LIT("1")},
    {STR_LIT("x-other"), STR_LIT("1")},
    {STR_LIT("Keep-Alive"), STR_LIT("timeout=5")},
    {STR_LIT("Proxy-Connection"), STR_LIT("close")},
    {STR_LIT("Proxy-Authorization"), STR_LIT("Basic eA==")},
    {STR_LIT("TE"), STR_LIT("trailers")},
    {STR_LIT("Upgrade"), STR_LIT("websocket")},
    {STR_LIT("Expect"), STR_LIT("100-continue")},
    {STR_LIT("X-Forwarded-For"), STR_LIT("10.0.0.1")},
    {STR_LIT("X-Forwarded-Proto"), STR_LIT("https")},
    {STR_LIT("x-forwarded-host"), STR_LIT("evil.example")},
    {STR_LIT("X_Forwarded_For"), STR_LIT("10.0.0.1")},
    {STR_LIT("Via"), STR_LIT("1.1 before")},
    {STR_LIT("X-Empty"), STR_LIT("")},
    {STR_LIT("Cookie"), STR_LIT("a=b")},
};

static void add_request_fields(struct rig *r)
{
    for (size_t i = 0; i < ARRAY_LEN(request_fields); i++)
        fields_add(&r->ex.request, r->arena, request_fields[i].name, request_fields[i].value);
}

static void hands_on_what_is_for_the_upstream(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_seen,
               "HTTP/1.1 203 Sure\r\nServer: app\r\nConnection: X-Hop\r\nX-Hop: 1\r\n"
               "Keep-Alive: timeout=5\r\nTrailer: X\r\nUpgrade: h2c\r\nSet-Cookie: a=1\r\n"
               "Set-Cookie: b=2\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nVia: 1.0 inner\r\n"
               "Content-Length: 2\r\n\r\nok");
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/a%2Fb/../c?x=%7e&y=z w");
    add_request_fields(&r);
    rig_run(&r);
    assert_int_equal(r.ex.status, 203);
    assert_string_equal(seen, "GET /a%2Fb/../c?x=%7e&y=z w HTTP/1.1\r\nHost: example.org:8080\r\n"
                              "Accept: text/html\r\nVia: 1.1 before\r\nX-Empty:\r\nCookie: a=b\r\n"
                              "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
                              "X-Forwarded-Host: example.org:8080\r\nVia: 1.1 Lintel\r\n\r\n");
    assert_string_equal(text_of(&r.fields),
                        "Server=app|Set-Cookie=a=1|Set-Cookie=b=2|"
                        "Date=Sun, 06 Nov 1994 08:49:37 GMT|Via=1.0 inner|Via=1.1 Lintel|");
    assert_string_equal(text_of(&r.body), "ok");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void states_that_a_post_is_empty(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    rig_to(&r, &p);
    rig_begin(&r, "POST", "http://example.org/?");
    rig_run(&r);
    assert_string_equal(seen, "POST /? HTTP/1.1\r\nHost: example.org\r\n"
                              "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
                              "X-Forwarded-Host: example.org\r\nVia: 1.1 Lintel\r\n"
                              "Content-Length: 0\r\n\r\n");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* What the upstream at port has seen of a request with the fields given, and what the client got.
 */
static void ask(struct rig *r, const char *method, const char *target, const struct field *fields,
                size_t n)
{
    rig_begin(r, method, target);
    for (size_t i = 0; i < n; i++)
        fields_add(&r->ex.request, r->arena, fields[i].name, fields[i].value);
    rig_run(r);
}

static void changes_fields_as_told(void **state)
{
    static const struct field fields[] = {{STR_LIT("Cookie"), STR_LIT("a=b")},
                                          {STR_LIT("x-any-one"), STR_LIT("1")},
                                          {STR_LIT("X-Any-Two"), STR_LIT("2")},
                                          {STR_LIT("A-Id"), STR_LIT("3")},
                                          {STR_LIT("X-Re"), STR_LIT("abc axc")}};
    struct peer p;
    struct rig r;
    char directive[640];

    (void)state;
    peer_start(&p, serve_seen,
               "HTTP/1.1 200 OK\r\nX-Secret: 1\r\nServer: app\r\nX-Re: http://a http://b\r\n"
               "Content-Length: 0\r\n\r\n");
    snprintf(directive, sizeof directive,
             "reverse_proxy {\n to 127.0.0.1:%u\n header_up Host {upstream_hostport}\n"
             " header_up -Cookie\n header_up X-Path {path}\n header_up +Accept image/*\n"
             " header_up X-Forwarded-For {remote_host}!\n header_up -X-Any-*\n"
             " header_up -*-Id\n header_up X-Re a(.)c <$1>\n header_down -X-Secret\n"
             " header_down Server mine\n header_down X-Re http:// https://\n}",
             p.port);
    rig_init(&r, directive);
    ask(&r, "GET", "/a%0d%0aEvil:%201", fields, ARRAY_LEN(fields));
    snprintf(directive, sizeof directive,
             "GET /a%%0d%%0aEvil:%%201 HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
             "X-Re: <b> <x>\r\nX-Forwarded-For: 192.0.2.7!\r\nX-Forwarded-Proto: http\r\n"
             "X-Forwarded-Host: example.org:8080\r\nVia: 1.1 Lintel\r\nAccept: image/*\r\n"
             "X-Path: /a  Evil: 1\r\n\r\n",
             p.port);
    assert_string_equal(seen, directive);
    assert_string_equal(text_of(&r.fields), "Server=mine|X-Re=https://a https://b|Via=1.1 Lintel|");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* One Host line reaches the upstream, whatever is said: two could mean two sites. */
static void leaves_one_host(void **state)
{
    static const struct {
        const char *option;
        const char *host; /* NULL: that of the upstream */
    } cases[] = {{"header_up +Host b.example", "example.org:8080"},
                 {"header_up Host b.example", "b.example"},
                 {"header_up Host {header.X-None}", NULL},
                 {"header_up -Host", NULL},
                 {"header_up -*", NULL},
                 {"header_up Host \"(.*)\" \"$1\n.evil\"", "example.org:8080 .evil"},
                 {"header_up Host {header.X-Host}", "c.example"}};
    static const struct field fields[] = {{STR_LIT("Host"), STR_LIT("d.example")},
                                          {STR_LIT("X-Host"), STR_LIT("c.example")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256], wanted[128];
        struct peer p;
        struct rig r;

        peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n%s\n}", p.port, cases[i].option);
        rig_init(&r, text);
        ask(&r, "GET", "/", fields, ARRAY_LEN(fields));
        snprintf(wanted, sizeof wanted, "\r\nHost: 127.0.0.1:%u\r\n", p.port);
        if (cases[i].host != NULL)
            snprintf(wanted, sizeof wanted, "\r\nHost: %s\r\n", cases[i].host);
        if (strstr(seen, wanted) == NULL)
            fail_msg("%s: %s", cases[i].option, seen);
        assert_null(strstr(strstr(seen, "Host:") + 1, "\nHost:"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- trusted_proxies ---- */

static const struct {
    const char *option;
    const char *peer;
    bool forged;
    const char *lines;
} trusting[] = {
    {"", "192.0.2.7", true,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies 192.0.2.0/24", "192.0.2.7", true,
     "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.7\r\nX-Forwarded-Proto: https\r\n"
     "X-Forwarded-Host: good.example\r\n"},
    {"trusted_proxies 192.0.2.0/24", "192.0.2.7", false,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies private_ranges 192.0.2.9", "192.0.2.7", true,
     "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: http\r\n"
     "X-Forwarded-Host: example.org:8080\r\n"},
    {"trusted_proxies private_ranges\n trusted_proxies 192.0.2.7", "192.0.2.7", true,
     "X-Forwarded-For: 10.0.0.1, 10.0.0.2, 192.0.2.7\r\n"},
};

static void believes_only_trusted_proxies(void **state)
{
    static const struct field forged[] = {{STR_LIT("x-forwarded-for"), STR_LIT("10.0.0.1")},
                                          {STR_LIT("X-Forwarded-For"), STR_LIT("10.0.0.2")},
                                          {STR_LIT("X_Forwarded_For"), STR_LIT("10.0.0.3")},
                                          {STR_LIT("X-Forwarded-Proto"), STR_LIT("gopher")},
                                          {STR_LIT("X-Forwarded-Proto"), STR_LIT("https")},
                                          {STR_LIT("X-Forwarded-Host"), STR_LIT("good.example")},
                                          {STR_LIT("Connection"), STR_LIT("X-Forwarded-For")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(trusting); i++) {
        struct sockaddr_in peer = {.sin_family = AF_INET};
        char text[256];
        struct peer p;
        struct rig r;

        assert_int_equal(inet_pton(AF_INET, trusting[i].peer, &peer.sin_addr), 1);
        peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n %s\n}", p.port,
                 trusting[i].option);
        rig_init(&r, text);
        rig_begin(&r, "GET", "/");
        r.ex.peer = (const struct sockaddr *)&peer;
        for (size_t j = 0; trusting[i].forged && j < ARRAY_LEN(forged); j++)
            fields_add(&r.ex.request, r.arena, forged[j].name, forged[j].value);
        rig_run(&r);
        if (strstr(seen, trusting[i].lines) == NULL)
            fail_msg("%s: %s", trusting[i].option, seen);
        assert_null(strstr(seen, "10.0.0.3"));
        assert_null(strstr(seen, "gopher"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- method, rewrite ---- */

static const struct {
    const char *options;
    const char *method;
    const char *target;
    const char *line; /* what the upstream gets; NULL: nothing */
    int status;
} asked[] = {
    {"method POST", "GET", "/a", "POST /a ", 200},
    {"method post", "GET", "/a", "POST /a ", 200},
    {"method {header.X-Method}", "GET", "/a", "PURGE /a ", 200},
    {"method {header.X-None}", "GET", "/a", NULL, 400},
    {"method {header.X-Tunnel}", "GET", "/a", NULL, 405},
    {"rewrite /new{uri}", "GET", "/r/a%20b?c=d", "GET /new/r/a%20b?c=d ", 200},
    {"rewrite /fixed?a=b", "PUT", "/q?x=y", "PUT /fixed?a=b ", 200},
    {"rewrite /fixed", "GET", "/q?x=y", "GET /fixed?x=y ", 200},
    {"rewrite /f?q={header.X-Split}", "GET", "/", "GET /f?q=a%0D%0AX%3A+b ", 200},
    {"rewrite /f/{header.X-Split}", "GET", "/", "GET /f/a%0D%0AX:%20b ", 200},
    {"rewrite /f/{header.X-Up}", "GET", "/", NULL, 400},
    {"rewrite /new\n method PUT\n header_up X-Uri \"{method} {uri}\"", "GET", "/a?b", "PUT /new?b ",
     200},
};

static void asks_for_something_else(void **state)
{
    static const struct field fields[] = {{STR_LIT("X-Method"), STR_LIT("Purge")},
                                          {STR_LIT("X-Tunnel"), STR_LIT("connect")},
                                          {STR_LIT("X-Split"), STR_LIT("a\r\nX: b")},
                                          {STR_LIT("X-Up"), STR_LIT("../x")}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(asked); i++) {
        char text[256];
        struct peer p;
        struct rig r;

        seen[0] = '\0';
        peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n header_up -X-*\n%s\n}", p.port,
                 asked[i].options);
        rig_init(&r, text);
        ask(&r, asked[i].method, asked[i].target, fields, ARRAY_LEN(fields));
        if (r.ex.status != asked[i].status ||
            (asked[i].line == NULL ? seen[0] != '\0'
                                   : strncmp(seen, asked[i].line, strlen(asked[i].line)) != 0))
            fail_msg("%s: %d %s", asked[i].options, r.ex.status, seen);
        assert_true(str_is(r.ex.method, asked[i].method));
        assert_null(r.ex.original);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* With GET and HEAD the body stays with the client, for others to read. */
static void keeps_the_body_of_a_get(void **state)
{
    static const char *const methods[] = {"GET", "HEAD"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        char text[128];
        struct peer p;
        struct rig r;

        peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX-A: b\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n method %s\n}", p.port,
                 methods[i]);
        rig_init(&r, text);
        rig_begin(&r, "POST", "/");
        fields_add(&r.ex.request, r.arena, STR_LIT("Content-Length"), STR_LIT("100"));
        r.ex.request_body_len = 100;
        r.to_send = 100;
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        assert_int_equal(r.to_send, 100);
        assert_null(strstr(seen, "Content-Length"));
        assert_null(strstr(seen, "chunked"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The length in the answer to a HEAD is that of a body which does not come. */
static void a_head_gives_a_get_no_body(void **state)
{
    char text[128];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_seen, "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n");
    snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n method HEAD\n}", p.port);
    rig_init(&r, text);
    ask(&r, "GET", "/", NULL, 0);
    assert_int_equal(r.ex.status, 200);
    assert_int_equal(r.kind, BODY_NONE);
    assert_false(r.failed);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* ---- responses ---- */

static const struct {
    const char *name;
    const char *method;
    const char *text;
    int status;
    enum body_kind kind;
    const char *body;
    bool failed;
} rows[] = {
    {"whole", "GET", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, BODY_BYTES, "abc",
     false},
    {"whole, chunked", "GET",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", 200, BODY_BYTES,
     "abc", false},
    {"empty", "GET", "HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", 404, BODY_NONE, "", false},
    {"204", "GET", "HTTP/1.1 204 No Content\r\n\r\n", 204, BODY_NONE, "", false},
    {"304", "GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", 304, BODY_NONE, "",
     false},
    {"HEAD", "HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", 200, BODY_SOURCE, "", false},
    {"interim", "GET",
     "HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", 200,
     BODY_NONE, "", false},
    {"no head", "GET", "", 502, BODY_BYTES, NULL, false},
    {"no HTTP", "GET", "hello\r\n\r\n", 502, BODY_BYTES, NULL, false},
};

static void answers_as_the_upstream_does(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer p;
        struct rig r;

        peer_start(&p, peer_serve_once, rows[i].text);
        rig_to(&r, &p);
        rig_begin(&r, rows[i].method, "/");
        rig_run(&r);
        if (r.ex.status != rows[i].status || r.kind != rows[i].kind)
            print_error("%s: %d, body %d\n", rows[i].name, r.ex.status, r.kind);
        assert_int_equal(r.ex.status, rows[i].status);
        assert_int_equal(r.kind, rows[i].kind);
        assert_int_equal(r.failed, rows[i].failed);
        if (rows[i].body != NULL)
            assert_string_equal(text_of(&r.body), rows[i].body);
        if (strcmp(rows[i].method, "HEAD") == 0)
            assert_int_equal(r.ex.body.len, 70);
        if (rows[i].status == 502) /* nothing of the failed answer is left */
            assert_null(strstr(text_of(&r.fields), "Lintel|Via"));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The head at once, the body in two parts with a pause between, the second short by a byte. */
static void serve_cut(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc");
    usleep(30000);
    peer_say(fd, "de");
}

static void a_cut_response_stays_cut(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_cut, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 200);
    assert_int_equal(r.kind, BODY_SOURCE);
    assert_int_equal(r.ex.body.len, 6);
    assert_true(r.failed);
    assert_string_equal(text_of(&r.body), "abcde");
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void serve_many(struct peer *s, int fd)
{
    static const char block[65536];
    char head[8192];

    if (!peer_read_head(fd, head, sizeof head))
        return;
    snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", (int)MANY);
    peer_say(fd, head);
    while (atomic_load(&s->sent) < MANY && peer_send(fd, block, sizeof block))
        atomic_fetch_add(&s->sent, sizeof block);
}

static void a_slow_client_slows_the_upstream(void **state)
{
    struct peer p;
    struct rig r;
    size_t sent;

    (void)state;
    peer_start(&p, serve_many, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    r.slow = true;
    service_handle(r.service, &r.ex);
    do { /* until the peer is stuck */
        sent = atomic_load(&p.sent);
        rig_wait(&r, 200);
    } while (atomic_load(&p.sent) != sent);
    assert_true(sent < MANY);
    r.slow = false;
    loop_post(r.loop, &r.pump);
    rig_wait(&r, LIMIT_MS);
    assert_true(r.ended && !r.failed);
    assert_int_equal(r.received, MANY);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* Notes when the connection is closed under it. */
static void serve_until_gone(struct peer *s, int fd)
{
    char b[4096];

    while (recv(fd, b, sizeof b, 0) > 0)
        ;
    atomic_fetch_add(&s->sent, 1);
}

static void a_client_that_goes_takes_the_upstream_along(void **state)
{
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_until_gone, NULL);
    rig_to(&r, &p);
    rig_begin(&r, "GET", "/");
    service_handle(r.service, &r.ex);
    rig_wait(&r, 50);
    assert_false(r.ended);
    rig_end_exchange(&r);
    for (int i = 0; i < 100 && atomic_load(&p.sent) == 0; i++)
        rig_wait(&r, 10);
    assert_int_equal(atomic_load(&p.sent), 1);
    rig_fini(&r);
    peer_stop(&p);
}

/* ---- requests with a body ---- */

static atomic_size_t taken;

static void serve_sink(struct peer *s, int fd)
{
    char b[65536];
    size_t got = 0;
    ssize_t n;

    if (!peer_read_head(fd, seen, sizeof seen))
        return;
    while (got < MANY && (n = recv(fd, b, sizeof b, 0)) > 0)
        got += (size_t)n;
    atomic_store(&taken, got);
    peer_say(fd, s->text);
}

static void streams_a_request_body(void **state)
{
    (void)state;
    for (int chunked = 0; chunked < 2; chunked++) {
        struct peer p;
        struct rig r;

        peer_start(&p, serve_sink,
                   "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        rig_to(&r, &p);
        rig_begin(&r, "PUT", "/");
        r.ex.request_body_len = chunked ? -1 : MANY;
        r.to_send = MANY;
        r.stall = 5;
        rig_run(&r);
        assert_int_equal(r.ex.status, 201);
        assert_int_equal(r.to_send, 0);
        assert_true(atomic_load(&taken) >= MANY);
        assert_int_equal(strstr(seen, "Transfer-Encoding: chunked") != NULL, chunked);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* The answer begins before the body has been read: as much of it as the row says. */
static void serve_early(struct peer *s, int fd)
{
    static const char block[65536];
    char b[65536];
    size_t got = 0, said = atomic_load(&s->sent);
    ssize_t n;

    if (!peer_read_head(fd, seen, sizeof seen))
        return;
    snprintf(b, sizeof b, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %zu\r\n\r\n",
             said + 5);
    peer_say(fd, b);
    for (size_t left = said, part; left > 0; left -= part) {
        part = left < sizeof block ? left : sizeof block;
        peer_send(fd, block, part);
    }
    while (got < MANY && (n = recv(fd, b, sizeof b, 0)) > 0)
        got += (size_t)n;
    atomic_store(&taken, got);
    for (int i = 0; i < 500 && !atomic_load(&response_begun); i++)
        usleep(10000);
    peer_say(fd, atomic_load(&response_begun) ? "ended" : "stuck");
}

static void an_early_answer_does_not_cut_the_request(void **state)
{
    static const struct {
        size_t early;
        bool chunked;
        bool half_duplex; /* otherwise more may come early than is held back */
    } cases[] = {{0, false, true},    {0, true, true},      {60000, false, true},
                 {60000, true, true}, {MANY, false, false}, {MANY, true, false}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer p;
        struct rig r;

        atomic_store(&response_begun, false);
        peer_start(&p, serve_early, NULL);
        atomic_store(&p.sent, cases[i].early);
        rig_to(&r, &p);
        rig_begin(&r, "POST", "/");
        r.half_duplex = cases[i].half_duplex;
        r.ex.request_body_len = cases[i].chunked ? -1 : MANY;
        r.to_send = MANY;
        r.stall = 20;
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        assert_true(atomic_load(&taken) >= MANY);
        assert_int_equal(r.received, cases[i].early + 5);
        assert_memory_equal(r.last, "ended", 5);
        assert_false(r.failed);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

/* ---- handle_response ---- */

#define SMALL_ANSWER "HTTP/1.1 500 No\r\nX-A: 1\r\nServer: app\r\nContent-Length: 3\r\n\r\nabc"

static const struct {
    const char *block;
    const char *method;
    const char *answer;
    int status;
    const char *body;
    const char *fields; /* a part of them */
} rules[] = {
    {"@a status 5xx\n handle_response @a {\n respond \"{rp.status_code} {rp.header.X-A}\"\n}",
     "GET", SMALL_ANSWER, 200, "500 1", "Server=Lintel|"},
    {"handle_response {\n respond {rp.status_text}\n}", "GET", SMALL_ANSWER, 200,
     "500 Internal Server Error", ""},
    {"handle_response {\n respond never\n}\n@a header X-A 1\n handle_response @a {\n respond "
     "now\n}",
     "GET", SMALL_ANSWER, 200, "now", ""},
    {"handle_response {\n respond now\n}\n@a status 4xx\n handle_response @a {\n respond never\n}",
     "GET", SMALL_ANSWER, 200, "now", ""},
    {"handle_response {\n header X-B 2\n copy_response\n}", "GET", SMALL_ANSWER, 500, "abc",
     "X-B=2|X-A=1|Server=app|Via=1.1 Lintel|"},
    {"handle_response {\n copy_response 404\n}", "GET", SMALL_ANSWER, 404, "abc", "X-A=1"},
    {"handle_response {\n copy_response {rp.header.X-A}\n}", "GET", SMALL_ANSWER, 500,
     "500 Internal Server Error\n", ""},
    {"handle_response {\n copy_response 204\n}", "GET", SMALL_ANSWER, 204, "", "X-A=1"},
    {"handle_response {\n copy_response_headers\n respond mine\n}", "GET", SMALL_ANSWER, 200,
     "mine", "X-A=1|Server=app|"},
    {"handle_response {\n header X-B 2\n}", "GET", SMALL_ANSWER, 200, "", "Server=Lintel|X-B=2|"},
    {"handle_response {\n error 503\n}", "GET", SMALL_ANSWER, 503, "503 Service Unavailable\n", ""},
    {"replace_status 418", "GET", SMALL_ANSWER, 418, "abc", "X-A=1"},
    {"replace_status {rp.header.X-A}", "GET", SMALL_ANSWER, 500, "500 Internal Server Error\n", ""},
    {"replace_status {rp.header.X-S}", "GET", "HTTP/1.1 200 OK\r\nX-S: 299\r\n\r\nabc", 299, "abc",
     ""},
    {"replace_status 200", "GET", "HTTP/1.1 204 None\r\n\r\n", 200, "", ""},
    {"replace_status 304", "GET", SMALL_ANSWER, 304, "", ""},
    {"handle_response {\n copy_response\n}", "HEAD",
     "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n", 200, "", ""},
    {"method GET\n handle_response {\n copy_response\n}", "HEAD",
     "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", 200, "", ""},
    {"header_down X-C {rp.status_code}", "GET", SMALL_ANSWER, 500, "abc", "X-C=500"},
};

static void runs_rows_for_an_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        char text[512];
        struct peer p;
        struct rig r;

        peer_start(&p, peer_serve_once, rules[i].answer);
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u {\n%s\n}", p.port, rules[i].block);
        rig_init(&r, text);
        ask(&r, rules[i].method, "/", NULL, 0);
        if (r.ex.status != rules[i].status || r.failed ||
            strcmp(text_of(&r.body), rules[i].body) != 0 ||
            strstr(text_of(&r.fields), rules[i].fields) == NULL)
            fail_msg("%s: %d '%s' %s", rules[i].block, r.ex.status, text_of(&r.body),
                     text_of(&r.fields));
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&p);
    }
}

static void copies_only_what_there_is(void **state)
{
    static const char *const directives_[] = {"copy_response", "copy_response_headers"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(directives_); i++) {
        struct rig r;

        rig_init(&r, directives_[i]);
        ask(&r, "GET", "/", NULL, 0);
        assert_int_equal(r.ex.status, 500);
        rig_end_exchange(&r);
        rig_fini(&r);
    }
}

/* An answer without an end: the rows do not wait for it, and what they do not want is cut off. */
static void does_not_wait_for_a_body(void **state)
{
    char text[256];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_many, NULL);
    snprintf(text, sizeof text,
             "reverse_proxy 127.0.0.1:%u {\n handle_response {\n respond mine\n}\n}", p.port);
    rig_init(&r, text);
    ask(&r, "GET", "/", NULL, 0);
    assert_string_equal(text_of(&r.body), "mine");
    rig_wait(&r, 100);
    assert_true(atomic_load(&p.sent) < MANY);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

static void streams_a_copy(void **state)
{
    char text[256];
    struct peer p;
    struct rig r;

    (void)state;
    peer_start(&p, serve_many, NULL);
    snprintf(text, sizeof text,
             "reverse_proxy 127.0.0.1:%u {\n handle_response {\n copy_response 203\n}\n}", p.port);
    rig_init(&r, text);
    ask(&r, "GET", "/", NULL, 0);
    assert_int_equal(r.ex.status, 203);
    assert_int_equal(r.received, MANY);
    assert_false(r.failed);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

/* The second proxy gets the request as if there had been none before, but for a body that is gone.
 */
static void a_second_proxy_takes_over(void **state)
{
    static const struct {
        const char *first;
        size_t body;
        int status;
    } cases[] = {{"method GET", 0, 201}, {"method GET", MANY, 201}, {"method POST", MANY, 502}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[512];
        struct peer check, sink;
        struct rig r;

        peer_start(&check, cases[i].status == 502 ? serve_sink : serve_many,
                   "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer_start(&sink, cases[i].body > 0 ? serve_sink : serve_seen,
                   "HTTP/1.1 201 Created\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text,
                 "reverse_proxy /a 127.0.0.1:%u {\n %s\n handle_response {\n header X-B 2\n}\n}\n"
                 "reverse_proxy 127.0.0.1:%u",
                 check.port, cases[i].first, sink.port);
        rig_init(&r, text);
        rig_begin(&r, "POST", "/a");
        r.ex.request_body_len = (int64_t)cases[i].body;
        r.to_send = cases[i].body;
        atomic_store(&taken, 0);
        rig_run(&r);
        assert_int_equal(r.ex.status, cases[i].status);
        if (cases[i].status == 201)
            assert_true(atomic_load(&taken) >= cases[i].body);
        rig_end_exchange(&r);
        rig_fini(&r);
        peer_stop(&check);
        peer_stop(&sink);
    }
}

/* ---- several upstreams ---- */

static void passes_over_an_upstream_that_is_down(void **state)
{
    struct peer up, down;
    struct rig r;
    char directive[128];

    (void)state;
    peer_start(&down, peer_serve, "");
    peer_stop(&down);
    peer_start(&up, peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    snprintf(directive, sizeof directive, "reverse_proxy 127.0.0.1:%u 127.0.0.1:%u", down.port,
             up.port);
    rig_init(&r, directive);
    for (int i = 0; i < 6; i++) {
        rig_begin(&r, i % 2 == 0 ? "GET" : "POST", "/");
        rig_run(&r);
        assert_int_equal(r.ex.status, 200);
        rig_end_exchange(&r);
    }
    rig_fini(&r);
    peer_stop(&up);
    rig_init(&r, directive);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 502);
    rig_end_exchange(&r);
    rig_fini(&r);
}

static void serve_name(struct peer *s, int fd)
{
    char head[8192];

    while (peer_read_head(fd, head, sizeof head) && peer_say(fd, s->text))
        atomic_fetch_add(&s->sent, 1);
}

static void asks_upstreams_by_the_policy(void **state)
{
    static const struct {
        const char *policy;
        size_t least, most; /* of 40 requests, those that the first upstream gets */
    } cases[] = {{"first", 40, 40}, {"round_robin", 20, 20}, {"random", 1, 39}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct peer one, other;
        char text[128];
        struct rig r;

        peer_start(&one, serve_name, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        peer_start(&other, serve_name, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        snprintf(text, sizeof text, "reverse_proxy 127.0.0.1:%u 127.0.0.1:%u {\n lb_policy %s\n}",
                 one.port, other.port, cases[i].policy);
        rig_init(&r, text);
        for (int n = 0; n < 40; n++) {
            ask(&r, "GET", "/", NULL, 0);
            assert_int_equal(r.ex.status, 200);
            rig_end_exchange(&r);
        }
        rig_fini(&r);
        peer_stop(&one);
        peer_stop(&other);
        assert_in_range(atomic_load(&one.sent), cases[i].least, cases[i].most);
    }
}

static void a_silent_upstream_is_given_up(void **state)
{
    struct peer p;
    struct rig r;
    char directive[160];

    (void)state;
    peer_start(&p, serve_until_gone, NULL);
    snprintf(directive, sizeof directive,
             "reverse_proxy 127.0.0.1:%u {\n transport http {\n response_header_timeout 50ms\n}\n}",
             p.port);
    rig_init(&r, directive);
    rig_begin(&r, "GET", "/");
    rig_run(&r);
    assert_int_equal(r.ex.status, 504);
    rig_end_exchange(&r);
    rig_fini(&r);
    peer_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_upstream_addresses),
        cmocka_unit_test(tells_what_is_wrong_with_a_directive),
        cmocka_unit_test(hands_on_what_is_for_the_upstream),
        cmocka_unit_test(states_that_a_post_is_empty),
        cmocka_unit_test(changes_fields_as_told),
        cmocka_unit_test(leaves_one_host),
        cmocka_unit_test(believes_only_trusted_proxies),
        cmocka_unit_test(asks_for_something_else),
        cmocka_unit_test(keeps_the_body_of_a_get),
        cmocka_unit_test(a_head_gives_a_get_no_body),
        cmocka_unit_test(answers_as_the_upstream_does),
        cmocka_unit_test(a_cut_response_stays_cut),
        cmocka_unit_test(a_slow_client_slows_the_upstream),
        cmocka_unit_test(a_client_that_goes_takes_the_upstream_along),
        cmocka_unit_test(streams_a_request_body),
        cmocka_unit_test(an_early_answer_does_not_cut_the_request),
        cmocka_unit_test(runs_rows_for_an_answer),
        cmocka_unit_test(copies_only_what_there_is),
        cmocka_unit_test(does_not_wait_for_a_body),
        cmocka_unit_test(streams_a_copy),
        cmocka_unit_test(a_second_proxy_takes_over),
        cmocka_unit_test(passes_over_an_upstream_that_is_down),
        cmocka_unit_test(asks_upstreams_by_the_policy),
        cmocka_unit_test(a_silent_upstream_is_given_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
