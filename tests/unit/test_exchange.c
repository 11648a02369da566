/* Targets to hosts and paths, and the end of an exchange. */
#include "http/prepared.h"
#include "http/service.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct exchange_engine no_engine;
static struct conf *conf;
static struct service *service;

static int set_up(void **state)
{
    (void)state;
    conf = xalloc(sizeof *conf);
    conf->refs = 1;
    conf->arena = arena_new();
    service = service_new(conf, NULL, NULL, NULL);
    return service == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    service_unref(service);
    arena_free(conf->arena);
    free(conf);
    return 0;
}

static const struct {
    const char *target;
    const char *authority;
    const char *host; /* NULL: not acceptable */
    const char *path;
    const char *query; /* NULL: none */
} targets[] = {
    {"/", "Example.COM", "example.com", "/", NULL},
    {"/a?b?c", "example.com:8443", "example.com", "/a", "b?c"},
    {"/a?", "example.com.", "example.com", "/a", ""},
    {"/%61/../b%20c", "[::1]:443", "::1", "/b c", NULL},
    {"http://other.example/x?y", "example.com", "other.example", "/x", "y"},
    {"https://other.example:1?y", "example.com", "other.example", "/", "y"},
    {"http://other.example", "", "other.example", "/", NULL},
    {"*", "example.com", "example.com", "*", NULL},
    {"/..", "example.com", NULL, NULL, NULL},
    {"/%00", "example.com", NULL, NULL, NULL},
    {"/%4", "example.com", NULL, NULL, NULL},
    {"example.com:443", "example.com", NULL, NULL, NULL},
    {"a/b", "example.com", NULL, NULL, NULL},
    {"http:///x", "example.com", NULL, NULL, NULL},
    {"", "example.com", NULL, NULL, NULL},
};

static void splits_targets(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct arena *a = arena_new();
        struct exchange ex;

        exchange_init(&ex, &no_engine, NULL, a, service);
        ex.target = str_of(targets[i].target);
        ex.authority = str_of(targets[i].authority);
        assert_int_equal(exchange_set_target(&ex), targets[i].host != NULL);
        if (targets[i].host != NULL) {
            assert_true(str_is(ex.host, targets[i].host));
            assert_true(str_is(ex.path, targets[i].path));
            assert_int_equal(ex.query.p == NULL, targets[i].query == NULL);
            if (targets[i].query != NULL)
                assert_true(str_is(ex.query, targets[i].query));
        }
        exchange_fini(&ex);
        arena_free(a);
    }
}

static void keeps_the_original(void **state)
{
    struct arena *a = arena_new();
    struct exchange ex;
    struct original o;

    (void)state;
    exchange_init(&ex, &no_engine, NULL, a, service);
    ex.method = STR_LIT("HEAD");
    ex.target = STR_LIT("/%61?b");
    assert_true(exchange_set_target(&ex));
    assert_true(str_is(exchange_original(&ex).path, "/a"));
    for (int i = 0; i < 2; i++) {
        exchange_keep_original(&ex);
        ex.method = STR_LIT("GET");
        ex.path = ex.raw_path = STR_LIT("/c");
        ex.query = (struct str){NULL, 0};
    }
    o = exchange_original(&ex);
    assert_true(str_is(o.method, "HEAD") && str_is(o.raw_path, "/%61"));
    assert_true(str_is(o.path, "/a") && str_is(o.query, "b"));
    exchange_fini(&ex);
    arena_free(a);
}

static void note(void *arg)
{
    char **at = arg;

    *(*at)++ = 'x';
}

static void runs_what_was_deferred_once(void **state)
{
    struct arena *a = arena_new();
    struct exchange ex;
    char marks[4] = "", *at = marks;

    (void)state;
    exchange_init(&ex, &no_engine, NULL, a, service);
    exchange_defer(&ex, note, &at);
    exchange_defer(&ex, note, &at);
    exchange_fini(&ex);
    assert_string_equal(marks, "xx");
    arena_free(a);
}

/* ---- hooks ---- */

static void no_respond(struct exchange *ex)
{
    (void)ex;
}

static void set_field(struct exchange *ex, const void *value)
{
    fields_set(&ex->response, ex->arena, STR_LIT("X"), str_of(value));
    exchange_unprepare(ex);
}

static bool never(const struct prepared *p, const void *arg)
{
    (void)p;
    (void)arg;
    return false;
}

/* As in Caddy: what was there first has the last word. */
static void calls_hooks_inner_first(void **state)
{
    static const struct exchange_engine engine = {.respond = no_respond};
    struct prepared *p = prepared_new(200, STR_LIT("body"));
    struct arena *a = arena_new();
    struct exchange ex;

    (void)state;
    fields_add(&p->fields, p->arena, STR_LIT("X"), STR_LIT("prepared"));
    fields_add(&p->fields, p->arena, STR_LIT("Y"), STR_LIT("prepared"));
    exchange_init(&ex, &engine, NULL, a, service);
    exchange_on_respond(&ex, set_field, never, "first");
    exchange_on_respond(&ex, set_field, never, "second");
    exchange_respond_prepared(&ex, p);
    assert_int_equal(ex.body.kind, BODY_BYTES);
    assert_int_equal(ex.response.n, 2);
    assert_true(str_is(fields_get(&ex.response, STR_LIT("X")), "first"));
    assert_true(str_is(fields_get(&ex.response, STR_LIT("Y")), "prepared"));
    prepared_unref(p);
    exchange_fini(&ex);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(splits_targets),
        cmocka_unit_test(runs_what_was_deferred_once),
        cmocka_unit_test(keeps_the_original),
        cmocka_unit_test(calls_hooks_inner_first),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
