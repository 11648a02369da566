/* Which responses are encoded, and what becomes of their fields; what a configuration may say. */
#include "handlers/encode.h"

#include "base/alloc.h"
#include "base/buf.h"
#include "conf/load.h"
#include "decoder.h"
#include "handlers/encode_etag.h"
#include "handlers/encode_pool.h"
#include "handlers/header.h"
#include "http/match.h"
#include "http/prepared.h"
#include "http/service.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct loop *loop;
static struct coder_pool *pool;
static struct arena *arena;
static char content[3000];

static int set_up(void **state)
{
    struct err e;

    (void)state;
    memset(content, 'x', sizeof content);
    loop = loop_new(&e);
    pool = coder_pool_new(loop);
    arena = arena_new();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    arena_free(arena);
    coder_pool_free(pool);
    loop_free(loop);
    return 0;
}

static void need_all_formats(void)
{
    for (size_t i = 0; coder_types[i] != NULL; i++)
        if (coder_types[i]->make == NULL)
            skip();
}

/* ---- a handler that answers as the case at hand says ---- */

static const struct test_case {
    const char *conf;    /* the directive */
    const char *request; /* "Name: value|Name: value" */
    int status;
    size_t len;
    const char *response; /* fields */
    const char *want;     /* all fields of the response, in the order of their names */
} * now;

static void add_fields(struct fields *f, struct arena *a, const char *text)
{
    struct str rest = str_of(text);

    while (rest.len > 0) {
        struct str line = str_cut(&rest, '|');
        struct str name = str_cut(&line, ':');

        fields_add(f, a, name, str_trim(line));
    }
}

static enum pull no_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    (void)s, (void)buf, (void)cap, (void)n;
    return PULL_AGAIN;
}

static enum { AS_BYTES, AS_PREPARED, AS_SOURCE } form;
static struct str if_none_match; /* as the handler saw it */

static enum verdict answer_handle(const void *conf, struct exchange *ex)
{
    static struct source source = {no_pull, NULL};
    struct str body = {content, now->len};
    struct prepared *p;

    (void)conf;
    if_none_match = fields_joined(&ex->request, ex->arena, STR_LIT("If-None-Match"));
    switch (form) {
    case AS_BYTES:
        add_fields(&ex->response, ex->arena, now->response);
        exchange_respond_bytes(ex, now->status, body);
        break;
    case AS_SOURCE:
        add_fields(&ex->response, ex->arena, now->response);
        exchange_respond_source(ex, now->status, &source, (int64_t)now->len);
        break;
    case AS_PREPARED:
        p = prepared_new(now->status, body);
        add_fields(&p->fields, p->arena, now->response);
        exchange_respond_prepared(ex, p);
        prepared_unref(p);
        break;
    }
    return TAKEN;
}

static int answer_set(const struct directive_args *d)
{
    (void)d;
    return 0;
}

static const struct handler_type answer_handler = {.name = "respond", .handle = answer_handle};
static const struct directive answer_directives[] = {
    {.name = "respond",
     .places = IN_HANDLERS,
     .type = &answer_handler,
     .conf_size = 1,
     .set = answer_set},
    {0},
};
static const struct directive *const tables[] = {encode_directives, answer_directives, NULL};
static const struct language language = {.directives = tables, .matchers = http_matchers};

static struct conf *parse(const char *directive, struct buf *errors)
{
    char text[1024];

    snprintf(text, sizeof text, "http://example.org:8080 {\n%s\nrespond\n}\n", directive);
    return conf_parse("f", str_of(text), &language, errors, NULL);
}

/* ---- decisions ---- */

#define TEXT "Content-Type: text/plain"
#define VARY "|Vary: Accept-Encoding"
#define ENCODED(coding) "Content-Encoding: " coding "|Content-Type: text/plain" VARY
#define PLAIN "Content-Type: text/plain" VARY

static const struct test_case cases[] = {
    /* what the client accepts */
    {"encode", "Accept-Encoding: gzip", 200, 1000, TEXT, ENCODED("gzip")},
    {"encode", "Accept-Encoding: gzip, br", 200, 1000, TEXT, ENCODED("br")},
    {"encode", "Accept-Encoding: gzip, br, zstd", 200, 1000, TEXT, ENCODED("zstd")},
    {"encode", "Accept-Encoding: gzip|Accept-Encoding: br", 200, 1000, TEXT, ENCODED("br")},
    {"encode", "Accept-Encoding: x-gzip", 200, 1000, TEXT, ENCODED("gzip")},
    {"encode gzip br", "Accept-Encoding: br, gzip, zstd", 200, 1000, TEXT, ENCODED("gzip")},
    {"encode gzip", "Accept-Encoding: br, zstd", 200, 1000, TEXT, PLAIN},
    {"encode gzip {\nbr\n}", "Accept-Encoding: br, gzip", 200, 1000, TEXT, ENCODED("gzip")},
    {"encode", "", 200, 1000, TEXT, PLAIN},
    {"encode", "Accept-Encoding: identity", 200, 1000, TEXT, PLAIN},
    {"encode", "Accept-Encoding: gzip|Cache-Control: no-transform", 200, 1000, TEXT, PLAIN},
    /* lengths */
    {"encode gzip", "Accept-Encoding: gzip", 200, 511, TEXT, TEXT},
    {"encode gzip", "Accept-Encoding: gzip", 200, 512, TEXT, ENCODED("gzip")},
    {"encode gzip {\nminimum_length 0\n}", "Accept-Encoding: gzip", 200, 1, TEXT, ENCODED("gzip")},
    {"encode gzip {\nminimum_length 0\n}", "Accept-Encoding: gzip", 200, 0, TEXT, TEXT},
    {"encode gzip {\nminimum_length 2000\n}", "Accept-Encoding: gzip", 200, 1999, TEXT, TEXT},
    /* statuses */
    {"encode", "Accept-Encoding: gzip", 404, 1000, TEXT, ENCODED("gzip")},
    {"encode", "Accept-Encoding: gzip", 206, 1000, TEXT, PLAIN},
    {"encode", "", 206, 1000, TEXT, PLAIN},
    {"encode", "", 206, 1000, "Content-Type: multipart/byteranges; boundary=x",
     "Content-Type: multipart/byteranges; boundary=x" VARY},
    {"encode", "", 206, 1000, "Content-Type: video/mp4", "Content-Type: video/mp4"},
    {"encode", "", 206, 1000, TEXT "|Content-Encoding: br", "Content-Encoding: br|" TEXT},
    {"encode", "", 206, 1000, TEXT "|Cache-Control: no-transform",
     "Cache-Control: no-transform|" TEXT},
    {"encode", "Accept-Encoding: gzip", 205, 1000, TEXT, TEXT},
    {"encode", "Accept-Encoding: gzip", 204, 0, "A: b", "A: b"},
    {"encode", "Accept-Encoding: gzip", 304, 0, "ETag: \"a\"", "ETag: \"a\"" VARY},
    {"encode", "", 304, 0, "ETag: \"a\"|Vary: X", "ETag: \"a\"|Vary: X, Accept-Encoding"},
    /* fields that keep it as it is */
    {"encode", "Accept-Encoding: gzip", 200, 1000, TEXT "|Content-Encoding: br",
     "Content-Encoding: br|" TEXT},
    {"encode", "Accept-Encoding: gzip", 200, 1000, TEXT "|Cache-Control: public, no-transform",
     "Cache-Control: public, no-transform|" TEXT},
    {"encode", "Accept-Encoding: gzip", 200, 1000, "Content-Range: bytes 0-999/1000|" TEXT,
     "Content-Range: bytes 0-999/1000|" TEXT},
    {"encode", "Accept-Encoding: gzip", 200, 1000,
     TEXT "|Repr-Digest: sha-256=::", TEXT "|Repr-Digest: sha-256=::"},
    /* types */
    {"encode", "Accept-Encoding: gzip", 200, 1000, "", ""},
    {"encode", "Accept-Encoding: gzip", 200, 1000, "Content-Type: image/png",
     "Content-Type: image/png"},
    {"encode", "Accept-Encoding: gzip", 200, 1000, "Content-Type: Image/SVG+xml",
     "Content-Encoding: gzip|Content-Type: Image/SVG+xml" VARY},
    {"encode", "Accept-Encoding: gzip", 200, 1000, "Content-Type: font/woff2",
     "Content-Type: font/woff2"},
    /* Vary */
    {"encode", "Accept-Encoding: gzip", 200, 1000, TEXT "|Vary: Origin",
     "Content-Encoding: gzip|" TEXT "|Vary: Origin, Accept-Encoding"},
    {"encode", "Accept-Encoding: gzip", 200, 1000, TEXT "|Vary: Origin|Vary: Accept-encoding",
     "Content-Encoding: gzip|" TEXT "|Vary: Origin|Vary: Accept-encoding"},
    {"encode", "", 200, 1000, TEXT "|Vary: *", TEXT "|Vary: *"},
    /* validators and ranges */
    {"encode", "Accept-Encoding: br", 200, 1000, TEXT "|ETag: \"a-b\"|Accept-Ranges: bytes",
     "Content-Encoding: br|" TEXT "|ETag: W/\"a-b-br\"" VARY},
    {"encode", "Accept-Encoding: br", 200, 1000, TEXT "|ETag: W/\"a\"",
     "Content-Encoding: br|" TEXT "|ETag: W/\"a\"" VARY},
    {"encode", "", 200, 1000, TEXT "|ETag: \"a\"|Accept-Ranges: bytes",
     "Accept-Ranges: bytes|" TEXT "|ETag: \"a\"" VARY},
    {"encode", "Accept-Encoding: gzip|If-None-Match: W/\"a-gzip\"", 304, 0, "ETag: \"a\"",
     "ETag: W/\"a-gzip\"" VARY},
    {"encode", "Accept-Encoding: gzip|If-None-Match: \"a-gzip\"", 304, 0, "ETag: \"a\"",
     "ETag: W/\"a-gzip\"" VARY},
    {"encode", "Accept-Encoding: gzip|If-None-Match: \"b-gzip\", \"a\"", 304, 0, "ETag: \"a\"",
     "ETag: \"a\"" VARY},
    {"encode", "Accept-Encoding: gzip|If-None-Match: W/\"a-gzip\"", 304, 0, "ETag: W/\"a\"",
     "ETag: W/\"a\"" VARY},
    /* match */
    {"encode gzip {\nmatch status 2xx 404\n}", "Accept-Encoding: gzip", 404, 1000, "A: b",
     "A: b|Content-Encoding: gzip" VARY},
    {"encode gzip {\nmatch status 2xx 404\n}", "Accept-Encoding: gzip", 403, 1000, TEXT, TEXT},
    {"encode gzip {\nmatch header Content-Type image/*\n}", "Accept-Encoding: gzip", 200, 1000,
     "content-type: image/x", "Content-Encoding: gzip|Vary: Accept-Encoding|content-type: image/x"},
    {"encode gzip {\nmatch {\nheader A *b\nheader A c*\nheader B *\nheader !C\n}\n}",
     "Accept-Encoding: gzip", 200, 1000, "A: xb|B: 1", "A: xb|B: 1|Content-Encoding: gzip" VARY},
    {"encode gzip {\nmatch {\nheader A *b\nheader A c*\nheader B *\nheader !C\n}\n}",
     "Accept-Encoding: gzip", 200, 1000, "A: x|A: cx|B: 1|C: ", "A: x|A: cx|B: 1|C: "},
    {"encode gzip {\nmatch {\nheader A *b\nheader B *\n}\n}", "Accept-Encoding: gzip", 200, 1000,
     "A: xb", "A: xb"},
    {"encode gzip {\nmatch header A *mid*\n}", "Accept-Encoding: gzip", 200, 1000, "A: amidst",
     "A: amidst|Content-Encoding: gzip" VARY},
    {"encode gzip {\nmatch header A same\n}", "Accept-Encoding: gzip", 200, 1000, "A: Same",
     "A: Same"},
};

/* Lines of one name stay in their order. */
static void sort_by_name(struct fields *f)
{
    for (size_t i = 1; i < f->n; i++)
        for (size_t j = i; j > 0 && str_cmp(f->list[j - 1].name, f->list[j].name) > 0; j--) {
            struct field swap = f->list[j];

            f->list[j] = f->list[j - 1];
            f->list[j - 1] = swap;
        }
}

/* "Name: value|Name: value" of all fields but Server. */
static const char *text_of(struct exchange *ex)
{
    struct fields f = ex->body.kind == BODY_PREPARED
                          ? prepared_fields(ex->body.prepared, &ex->response, arena)
                          : ex->response;
    struct str text = STR_LIT("");

    fields_remove(&f, STR_LIT("Server"));
    sort_by_name(&f);
    for (size_t i = 0; i < f.n; i++)
        text = arena_printf(arena, STR_FMT "%s" STR_FMT ": " STR_FMT, STR_ARG(text),
                            i == 0 ? "" : "|", STR_ARG(f.list[i].name), STR_ARG(f.list[i].value));
    return text.p == NULL ? "" : text.p;
}

static void no_respond(struct exchange *ex)
{
    (void)ex;
}

static const struct exchange_engine engine = {.respond = no_respond};

static void begin(struct exchange *ex, const struct conf *conf, struct service *service)
{
    arena_reset(arena);
    exchange_init(ex, &engine, loop, arena, service);
    ex->listener = &conf->listeners[0];
    ex->method = STR_LIT("GET");
    ex->target = STR_LIT("/");
    ex->authority = STR_LIT("example.org:8080");
    assert_true(exchange_set_target(ex));
    add_fields(&ex->request, arena, now->request);
}

static void check_body(const struct exchange *ex, size_t i)
{
    const bool is_prepared = ex->body.kind == BODY_PREPARED;
    struct str coding = fields_get(is_prepared ? &ex->body.prepared->fields : &ex->response,
                                   STR_LIT("Content-Encoding"));
    struct str body = is_prepared ? ex->body.prepared->body : ex->body.bytes;
    char out[sizeof content];
    bool ended;

    if (form == AS_SOURCE || ex->body.kind == BODY_NONE)
        return;
    if (coding.p == NULL || strstr(now->response, "Content-Encoding") != NULL) {
        assert_int_equal(ex->body.len, now->len);
        return;
    }
    assert_int_equal(is_prepared, form == AS_PREPARED);
    assert_int_equal(ex->body.len, body.len);
    if (decode(coding, body, out, sizeof out, &ended) != now->len || !ended)
        fail_msg("row %zu: the body cannot be decoded", i);
    assert_memory_equal(out, content, now->len);
}

static void run_cases(void)
{
    need_all_formats();
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf errors = BUF_INIT(4096);
        struct worker_env env = {.loop = loop, .coders = pool};
        struct service *service;
        struct exchange ex;
        struct err e;

        now = &cases[i];
        if (form == AS_SOURCE && now->len == 0)
            continue; /* no handler makes one of it */
        env.conf = parse(now->conf, &errors);
        if (env.conf == NULL)
            fail_msg("row %zu: %s", i, errors.p);
        service = service_new((struct conf *)(uintptr_t)env.conf, &env, NULL, &e);
        begin(&ex, env.conf, service);
        service_handle(service, &ex);
        if (strcmp(text_of(&ex), now->want) != 0)
            fail_msg("row %zu (%s; %s; %d; %s):\n  got  %s\n  want %s", i, now->conf, now->request,
                     now->status, now->response, text_of(&ex), now->want);
        check_body(&ex, i);
        exchange_fini(&ex);
        service_unref(service);
        conf_unref((struct conf *)(uintptr_t)env.conf);
        buf_fini(&errors);
    }
}

static void decides_for_bytes(void **state)
{
    (void)state;
    form = AS_BYTES;
    run_cases();
}

static void decides_for_prepared_responses(void **state)
{
    (void)state;
    form = AS_PREPARED;
    run_cases();
}

static void decides_for_sources(void **state)
{
    (void)state;
    form = AS_SOURCE;
    run_cases();
}

/* ---- prepared responses ---- */

static struct prepared *kept;
static const char *before; /* fields that other handlers have set */

static enum verdict kept_handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    add_fields(&ex->response, ex->arena, before);
    exchange_respond_prepared(ex, kept);
    return TAKEN;
}

static const struct handler_type kept_handler = {.name = "respond", .handle = kept_handle};
static const struct directive kept_directives[] = {
    {.name = "respond",
     .places = IN_HANDLERS,
     .type = &kept_handler,
     .conf_size = 1,
     .set = answer_set},
    {0},
};
static const struct directive *const kept_tables[] = {encode_directives, header_directives,
                                                      kept_directives, NULL};
static const struct language kept_language = {.directives = kept_tables, .matchers = http_matchers};

/* Sends the kept response through the directives. The body stays as it is until the exchange's end,
 * which is the caller's. */
static void send_kept(struct exchange *ex, const char *directives, const char *accept, bool head)
{
    const struct test_case one = {.request = accept};
    struct buf out = BUF_INIT(4096);
    struct worker_env env = {.loop = loop, .coders = pool};
    struct service *service;
    struct conf *conf;
    char text[256];
    struct err e;

    snprintf(text, sizeof text, "http://example.org:8080 {\n%s\nrespond\n}\n", directives);
    conf = conf_parse("f", str_of(text), &kept_language, &out, NULL);
    assert_non_null(conf);
    env.conf = conf;
    service = service_new(conf, &env, NULL, &e);
    now = &one;
    begin(ex, conf, service);
    ex->is_head = head;
    service_handle(service, ex);
    service_unref(service);
    conf_unref(conf);
    buf_fini(&out);
}

/* The form that is sent, by the bytes of the body. */
static const char *bytes_sent(const char *directives, const char *accept, bool head)
{
    struct exchange ex;
    const char *bytes;

    send_kept(&ex, directives, accept, head);
    bytes = ex.body.kind == BODY_PREPARED ? ex.body.prepared->body.p : ex.body.bytes.p;
    exchange_fini(&ex);
    return bytes;
}

static void keep(void)
{
    before = "";
    kept = prepared_new(200, (struct str){content, sizeof content});
    add_fields(&kept->fields, kept->arena, TEXT "|ETag: \"a\"|Accept-Ranges: bytes");
}

static void encodes_what_is_prepared_once(void **state)
{
    const char *gzip, *br, *fast;

    (void)state;
    need_all_formats();
    keep();
    gzip = bytes_sent("encode", "Accept-Encoding: gzip", false);
    br = bytes_sent("encode", "Accept-Encoding: br", true);
    fast = bytes_sent("encode {\ngzip 1\n}", "Accept-Encoding: gzip", false);
    assert_ptr_not_equal(gzip, br);
    assert_ptr_not_equal(gzip, fast);
    for (int head = 0; head < 2; head++) {
        assert_ptr_equal(bytes_sent("encode", "", head), kept->body.p);
        assert_ptr_equal(bytes_sent("encode", "Accept-Encoding: gzip", head), gzip);
        assert_ptr_equal(bytes_sent("encode gzip", "Accept-Encoding: gzip, br", head), gzip);
        assert_ptr_equal(bytes_sent("encode", "Accept-Encoding: br", head), br);
        assert_ptr_equal(bytes_sent("encode {\ngzip 1\n}", "Accept-Encoding: gzip", head), fast);
    }
    /* Also where another handler has to see all fields. */
    assert_ptr_equal(bytes_sent("header >Accept-Ranges a b\nencode", "Accept-Encoding: br", false),
                     br);
    assert_ptr_equal(bytes_sent("encode\nheader -ETag {\ndefer\n}", "Accept-Encoding: br", true),
                     br);
    prepared_unref(kept);
}

static void changes_what_goes_before_the_prepared(void **state)
{
    struct exchange ex;

    (void)state;
    need_all_formats();
    keep();
    before = "ETag: \"b\"|Accept-Ranges: none|Vary: Origin|A: b";
    send_kept(&ex, "encode", "Accept-Encoding: gzip", false);
    assert_string_equal(text_of(&ex), "A: b|Content-Encoding: gzip|Content-Type: text/plain|"
                                      "ETag: W/\"b-gzip\"|Vary: Origin, Accept-Encoding");
    assert_int_equal(ex.body.kind, BODY_PREPARED);
    exchange_fini(&ex);
    prepared_unref(kept);
}

/* Such as when its file is changed while a slow client still reads it. */
static void keeps_a_form_for_as_long_as_it_is_sent(void **state)
{
    struct exchange ex;
    char out[sizeof content];
    bool ended;

    (void)state;
    need_all_formats();
    keep();
    send_kept(&ex, "encode", "Accept-Encoding: gzip", false);
    prepared_unref(kept);
    assert_string_equal(text_of(&ex), "Content-Encoding: gzip|Content-Type: text/plain|"
                                      "ETag: W/\"a-gzip\"|Vary: Accept-Encoding");
    assert_int_equal(decode(STR_LIT("gzip"), ex.body.prepared->body, out, sizeof out, &ended),
                     sizeof content);
    exchange_fini(&ex);
}

static void counts_the_memory_of_forms(void **state)
{
    size_t meter = 0, bytes;

    (void)state;
    need_all_formats();
    keep();
    bytes = prepared_bytes(kept);
    kept->meter = &meter;
    for (int i = 0; i < 2; i++) {
        bytes_sent("encode", "Accept-Encoding: gzip", false);
        bytes_sent("encode", "Accept-Encoding: br", false);
    }
    assert_true(meter > 0);
    assert_int_equal(prepared_bytes(kept), bytes + meter);
    prepared_unref(kept);
}

/* ---- entity tags ---- */

static const struct {
    const char *list;
    const char *want;
} stripped[] = {
    {"\"a-gzip\"", "\"a\""},
    {"W/\"a-gzip\"", "\"a\""},
    {"W/\"a\"", "W/\"a\""},
    {"W/\"a-br\"", "W/\"a-br\""},
    {"w/\"a-gzip\"", "w/\"a\""},
    {"/\"a-gzip\"", "/\"a\""},
    {"\"x\"W/\"a-gzip\"", "\"x\"\"a\""},
    {"\"a-br\"", "\"a-br\""},
    {"\"-gzip\"", "\"\""},
    {"\"gzip\"", "\"gzip\""},
    {"\"a-gzip\", \"b-gzip\",W/\"c-gzip\"", "\"a\", \"b\",\"c\""},
    {"\"a-gzip-gzip\"", "\"a-gzip\""},
    {"*", "*"},
    {"", ""},
    {"a-gzip", "a-gzip"},
    {"\"a-gzip", "\"a-gzip"},
    {"\"a\"-gzip\"", "\"a\"-gzip\""},
    {"\"a\" -gzip \"b-gzip\"", "\"a\" -gzip \"b\""},
};

static void strips_entity_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(stripped); i++) {
        struct str got = encode_etag_strip(arena, str_of(stripped[i].list), STR_LIT("gzip"));

        if (!str_is(got, stripped[i].want))
            fail_msg("%s: " STR_FMT, stripped[i].list, STR_ARG(got));
    }
}

static const struct {
    const char *tag;
    const char *want;
} added[] = {
    {"\"a\"", "W/\"a-gzip\""},
    {"\"\"", "W/\"-gzip\""},
    {"W/\"a\"", "W/\"a\""},
    {"a", "a"},
    {"\"", "\""},
    {"\"a", "\"a"},
    {"", ""},
};

static void adds_to_entity_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(added); i++)
        assert_true(
            str_is(encode_etag_add(arena, str_of(added[i].tag), STR_LIT("gzip")), added[i].want));
}

/* ---- errors ---- */

static const struct {
    const char *conf;
    const char *message;
} errors[] = {
    {"encode gzpi", "f:2:8: unknown format 'gzpi'; did you mean 'gzip'?\n"},
    {"encode deflate", "f:2:8: unknown format 'deflate': there are zstd, br, gzip\n"},
    {"encode gzip gzip", "f:2:13: 'gzip' stands here twice\n"},
    {"encode gzip {\ngzip 3\n}", "f:3:1: 'gzip' stands here twice\n"},
    {"encode {\ngzip 0\n}", "f:3:6: '0' is no level: there are 1 to 9\n"},
    {"encode {\ngzip best\n}", "f:3:6: 'best' is no level: there are 1 to 9\n"},
    {"encode {\nbr 11\n}", "f:3:4: '11' is no level: there are 1 to 9\n"},
    {"encode {\nzstd 13\n}", "f:3:6: '13' is no level: there are 1 to 12, fastest, default, better "
                             "and best\n"},
    {"encode {\nzstd {\nlevel fast\n}\n}",
     "f:4:7: 'fast' is no level: there are 1 to 12, fastest, default, better and best\n"},
    {"encode {\nminimum_length 1KB\n}",
     "f:3:16: '1KB' is no number from 0 to 9223372036854775807\n"},
    {"encode {\nmatch\n}", "f:3:1: 'match' needs 'status' or 'header'\n"},
    {"encode {\nmatch status\n}", "f:3:7: 'status' needs a code\n"},
    {"encode {\nmatch status 2x 99 600 7\n}",
     "f:3:14: '2x' is no status (100 to 599) and no class of them (2xx)\n"
     "f:3:17: '99' is no status (100 to 599) and no class of them (2xx)\n"
     "f:3:20: '600' is no status (100 to 599) and no class of them (2xx)\n"
     "f:3:24: '7' is no status (100 to 599) and no class of them (2xx)\n"},
    {"encode {\nmatch header\n}", "f:3:7: 'header' needs a field\n"},
    {"encode {\nmatch header !\n}", "f:3:7: 'header' needs a field\n"},
    {"encode {\nmatch header A\n}", "f:3:14: a value is missing: 'header <field> <value>'\n"},
    {"encode {\nmatch header !A b\n}", "f:3:17: with '!', no value can stand here\n"},
    {"encode {\nmatch header A b c\n}", "f:3:18: nothing more can stand here\n"},
    {"encode {\nmatch {\nstatsu 200\n}\n}",
     "f:4:1: unknown response matcher 'statsu'; did you mean 'status'?\n"},
    {"encode {\nminimum_lenght 3\n}",
     "f:3:1: unknown encode option 'minimum_lenght'; did you mean 'minimum_length'?\n"},
};

/* The messages alone, without the lines they are about. */
static const char *messages(const struct buf *b)
{
    struct str rest = buf_str(b), out = STR_LIT("");

    while (rest.len > 0) {
        struct str line = str_cut(&rest, '\n');

        if (str_starts(line, STR_LIT("f:")))
            out = arena_printf(arena, STR_FMT STR_FMT "\n", STR_ARG(out), STR_ARG(line));
    }
    return out.p;
}

static void names_errors(void **state)
{
    (void)state;
    need_all_formats();
    for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
        struct buf out = BUF_INIT(65536);

        assert_null(parse(errors[i].conf, &out));
        if (strcmp(messages(&out), errors[i].message) != 0)
            fail_msg("%s:\n  got  %s  want %s", errors[i].conf, messages(&out), errors[i].message);
        buf_fini(&out);
    }
}

static void refuses_what_was_not_compiled_in(void **state)
{
    struct conf *of_all;
    bool none = true;

    (void)state;
    for (size_t i = 0; coder_types[i] != NULL; i++) {
        const struct coder_type *type = coder_types[i];
        struct buf out = BUF_INIT(4096);
        struct conf *conf;
        char text[64];

        snprintf(text, sizeof text, "encode " STR_FMT, STR_ARG(type->name));
        conf = parse(text, &out);
        assert_int_equal(conf != NULL, type->make != NULL);
        snprintf(text, sizeof text, "was not compiled in (./configure %s)", type->option);
        if (conf == NULL)
            assert_non_null(strstr(out.p, text));
        none = none && conf == NULL;
        conf_unref(conf);
        buf_fini(&out);
    }
    of_all = parse("encode", NULL);
    assert_int_equal(of_all == NULL, none);
    conf_unref(of_all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_for_bytes),
        cmocka_unit_test(decides_for_prepared_responses),
        cmocka_unit_test(decides_for_sources),
        cmocka_unit_test(encodes_what_is_prepared_once),
        cmocka_unit_test(changes_what_goes_before_the_prepared),
        cmocka_unit_test(keeps_a_form_for_as_long_as_it_is_sent),
        cmocka_unit_test(counts_the_memory_of_forms),
        cmocka_unit_test(strips_entity_tags),
        cmocka_unit_test(adds_to_entity_tags),
        cmocka_unit_test(names_errors),
        cmocka_unit_test(refuses_what_was_not_compiled_in),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
