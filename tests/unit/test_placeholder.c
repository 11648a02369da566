/* The value of every placeholder, for a few requests. */
#include "http/placeholder.h"

#include "base/alloc.h"
#include "conf/text.h"
#include "http/service.h"
#include "http/vars.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

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

/* ---- requests ---- */

enum request { FULL, BARE, REWRITTEN, HOSTILE };

static struct str local_host(struct exchange *ex)
{
    (void)ex;
    return STR_LIT("192.0.2.1");
}

static const struct exchange_engine engine = {.local_host = local_host}, bare_engine;

static void set_full(struct exchange *ex)
{
    static const struct upstream_names upstream = {STR_LIT("up.example:81"), STR_LIT("up.example"),
                                                   STR_LIT("81"), STR_LIT("tcp/up.example:81")};
    struct arena *a = ex->arena;

    ex->engine = &engine;
    ex->target = STR_LIT("/a%20b/c/file.tar.gz?x=1&y=a%2Bb+c&x=2&&z");
    ex->authority = STR_LIT("Shop.Example.com:8443");
    ex->secure = true;
    ex->http_minor = 1;
    ex->remote_host = STR_LIT("2001:db8::7");
    ex->remote_port = 40000;
    ex->local_port = 8443;
    ex->tls_version = "TLS1.3";
    ex->tls_cipher = "TLS_AES_128_GCM_SHA256";
    ex->tls_resumed = true;
    ex->tls_proto = STR_LIT("http/1.1");
    ex->sni = STR_LIT("shop.example.com");
    ex->root.path = STR_LIT("/srv");
    ex->upstream = &upstream;
    ex->error.status = 404;
    ex->error.message = STR_LIT("gone fishing");
    fields_add(&ex->request, a, STR_LIT("X-One"), STR_LIT("one"));
    fields_add(&ex->request, a, STR_LIT("X-Many"), STR_LIT("1"));
    fields_add(&ex->request, a, STR_LIT("x-many"), STR_LIT("2"));
    fields_add(&ex->request, a, STR_LIT("Cookie"),
               STR_LIT("a=1; b=\"quoted value\";bad=a\"b; a=2"));
    fields_add(&ex->request, a, STR_LIT("cookie"), STR_LIT("none; later=x=y"));
    fields_add(&ex->response, a, STR_LIT("Server"), STR_LIT("Lintel"));
    vars_set(ex, STR_LIT("vars.color"), STR_LIT("blue"));
    vars_set(ex, STR_LIT("vars.color"), STR_LIT("red"));
    vars_set(ex, STR_LIT("re.name.1"), STR_LIT("match"));
    vars_set(ex, STR_LIT("re.1"), STR_LIT("last"));
    vars_set(ex, STR_LIT("file_match.relative"), STR_LIT("/index.html"));
    vars_set(ex, STR_LIT("auth.user.id"), STR_LIT("bob"));
}

static void set_request(struct exchange *ex, enum request which)
{
    exchange_init(ex, &bare_engine, NULL, arena_new(), service);
    ex->method = STR_LIT("GET");
    ex->target = STR_LIT("/");
    ex->authority = STR_LIT("example.com");
    ex->remote_host = STR_LIT("192.0.2.9");
    ex->remote_port = 5;
    if (which == FULL) {
        set_full(ex);
    } else if (which == REWRITTEN) {
        ex->method = STR_LIT("POST");
        ex->target = STR_LIT("/old/x%2Fy?o=1");
        ex->error.status = 500;
    } else if (which == HOSTILE) {
        ex->target = STR_LIT("//a//dots./?bad=%zz&bad=%4&bad=%&ok=1&semi=1;2&;semi=3&=e&"
                             "plus=a+b&k%5b%5D=v&nul=%00");
        ex->authority = STR_LIT("[::1]:80");
    }
    assert_true(exchange_set_target(ex));
    if (which == REWRITTEN) {
        exchange_keep_original(ex);
        ex->method = STR_LIT("GET");
        ex->raw_path = ex->path = STR_LIT("/new");
        ex->query = STR_LIT("n");
    }
}

static void end(struct exchange *ex)
{
    struct arena *a = ex->arena;

    exchange_fini(ex);
    arena_free(a);
}

static struct str expand(struct exchange *ex, const char *source)
{
    struct text t;
    struct err e;

    if (text_compile(ex->arena, str_of(source), NULL, &t, &e) != 0)
        fail_msg("%s: %s", source, e.msg);
    return text_expand(&t, ex);
}

/* ---- values that are always the same ---- */

static const struct {
    enum request request;
    const char *text;
    const char *value;
} cases[] = {
    {FULL, "{host}", "shop.example.com"},
    {FULL, "{http.request.host}", "shop.example.com"},
    {FULL, "{hostport}", "Shop.Example.com:8443"},
    {FULL, "{http.request.hostport}", "Shop.Example.com:8443"},
    {FULL, "{port}", "8443"},
    {FULL, "{http.request.port}", "8443"},
    {FULL, "{method}", "GET"},
    {FULL, "{http.request.method}", "GET"},
    {FULL, "{scheme}", "https"},
    {FULL, "{http.request.scheme}", "https"},
    {FULL, "{http.request.proto}", "HTTP/1.1"},
    {FULL, "{http.request.proto_name}", "HTTP/1.1"},
    {FULL, "{labels.0}", "com"},
    {FULL, "{http.request.host.labels.0}", "com"},
    {FULL, "{labels.1}", "example"},
    {FULL, "{http.request.host.labels.1}", "example"},
    {FULL, "{labels.2}", "shop"},
    {FULL, "{http.request.host.labels.2}", "shop"},
    {FULL, "{labels.3}", ""},
    {FULL, "{http.request.host.labels.3}", ""},
    {FULL, "{uri}", "/a%20b/c/file.tar.gz?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.uri}", "/a%20b/c/file.tar.gz?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{%uri}", "%2Fa%2520b%2Fc%2Ffile.tar.gz%3Fx%3D1%26y%3Da%252Bb%2Bc%26x%3D2%26%26z"},
    {FULL, "{http.request.uri_escaped}",
     "%2Fa%2520b%2Fc%2Ffile.tar.gz%3Fx%3D1%26y%3Da%252Bb%2Bc%26x%3D2%26%26z"},
    {FULL, "{path}", "/a b/c/file.tar.gz"},
    {FULL, "{http.request.uri.path}", "/a b/c/file.tar.gz"},
    {FULL, "{%path}", "%2Fa+b%2Fc%2Ffile.tar.gz"},
    {FULL, "{http.request.uri.path_escaped}", "%2Fa+b%2Fc%2Ffile.tar.gz"},
    {FULL, "{path.0}", "a b"},
    {FULL, "{http.request.uri.path.0}", "a b"},
    {FULL, "{path.1}", "c"},
    {FULL, "{http.request.uri.path.1}", "c"},
    {FULL, "{path.2}", "file.tar.gz"},
    {FULL, "{http.request.uri.path.2}", "file.tar.gz"},
    {FULL, "{path.3}", ""},
    {FULL, "{http.request.uri.path.3}", ""},
    {FULL, "{dir}", "/a b/c/"},
    {FULL, "{http.request.uri.path.dir}", "/a b/c/"},
    {FULL, "{file}", "file.tar.gz"},
    {FULL, "{http.request.uri.path.file}", "file.tar.gz"},
    {FULL, "{file.base}", "file.tar"},
    {FULL, "{http.request.uri.path.file.base}", "file.tar"},
    {FULL, "{file.ext}", ".gz"},
    {FULL, "{http.request.uri.path.file.ext}", ".gz"},
    {FULL, "{query}", "x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.uri.query}", "x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{%query}", "x%3D1%26y%3Da%252Bb%2Bc%26x%3D2%26%26z"},
    {FULL, "{http.request.uri.query_escaped}", "x%3D1%26y%3Da%252Bb%2Bc%26x%3D2%26%26z"},
    {FULL, "{?query}", "?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.uri.prefixed_query}", "?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{query.x}", "1,2"},
    {FULL, "{http.request.uri.query.x}", "1,2"},
    {FULL, "{query.y}", "a+b c"},
    {FULL, "{http.request.uri.query.y}", "a+b c"},
    {FULL, "{query.z}", ""},
    {FULL, "{http.request.uri.query.z}", ""},
    {FULL, "{query.X}", ""},
    {FULL, "{orig_method}", "GET"},
    {FULL, "{http.request.orig_method}", "GET"},
    {FULL, "{orig_uri}", "/a%20b/c/file.tar.gz?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.orig_uri}", "/a%20b/c/file.tar.gz?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{orig_path}", "/a b/c/file.tar.gz"},
    {FULL, "{http.request.orig_uri.path}", "/a b/c/file.tar.gz"},
    {FULL, "{orig_path.1}", "c"},
    {FULL, "{http.request.orig_uri.path.1}", "c"},
    {FULL, "{orig_dir}", "/a b/c/"},
    {FULL, "{http.request.orig_uri.path.dir}", "/a b/c/"},
    {FULL, "{orig_file}", "file.tar.gz"},
    {FULL, "{http.request.orig_uri.path.file}", "file.tar.gz"},
    {FULL, "{orig_query}", "x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.orig_uri.query}", "x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{orig_?query}", "?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{http.request.orig_uri.prefixed_query}", "?x=1&y=a%2Bb+c&x=2&&z"},
    {FULL, "{header.X-One}", "one"},
    {FULL, "{http.request.header.X-One}", "one"},
    {FULL, "{header.x-one}", "one"},
    {FULL, "{header.X-Many}", "1,2"},
    {FULL, "{header.X-None}", ""},
    {FULL, "{cookie.a}", "1"},
    {FULL, "{http.request.cookie.a}", "1"},
    {FULL, "{cookie.A}", "1"},
    {FULL, "{cookie.b}", "quoted value"},
    {FULL, "{cookie.bad}", ""},
    {FULL, "{cookie.later}", "x=y"},
    {FULL, "{cookie.none}", ""},
    {FULL, "{remote}", "[2001:db8::7]:40000"},
    {FULL, "{http.request.remote}", "[2001:db8::7]:40000"},
    {FULL, "{remote_host}", "2001:db8::7"},
    {FULL, "{http.request.remote.host}", "2001:db8::7"},
    {FULL, "{remote_port}", "40000"},
    {FULL, "{http.request.remote.port}", "40000"},
    {FULL, "{client_ip}", "2001:db8::7"},
    {FULL, "{http.vars.client_ip}", "2001:db8::7"},
    {FULL, "{http.request.local}", "192.0.2.1:8443"},
    {FULL, "{http.request.local.host}", "192.0.2.1"},
    {FULL, "{http.request.local.port}", "8443"},
    {FULL, "{tls_version}", "tls1.3"},
    {FULL, "{http.request.tls.version}", "tls1.3"},
    {FULL, "{tls_cipher}", "TLS_AES_128_GCM_SHA256"},
    {FULL, "{http.request.tls.cipher_suite}", "TLS_AES_128_GCM_SHA256"},
    {FULL, "{http.request.tls.resumed}", "true"},
    {FULL, "{http.request.tls.proto}", "http/1.1"},
    {FULL, "{http.request.tls.proto_mutual}", "true"},
    {FULL, "{http.request.tls.server_name}", "shop.example.com"},
    {FULL, "{http.request.tls.ech}", "false"},
    {FULL, "{vars.root}", "/srv"},
    {FULL, "{http.vars.root}", "/srv"},
    {FULL, "{vars.color}", "red"},
    {FULL, "{http.vars.color}", "red"},
    {FULL, "{vars.none}", ""},
    {FULL, "{http.vars.none}", ""},
    {FULL, "{re.name.1}", "match"},
    {FULL, "{http.regexp.name.1}", "match"},
    {FULL, "{re.1}", "last"},
    {FULL, "{http.regexp.1}", "last"},
    {FULL, "{file_match.relative}", "/index.html"},
    {FULL, "{http.matchers.file.relative}", "/index.html"},
    {FULL, "{http.auth.user.id}", "bob"},
    {FULL, "{http.response.header.Server}", "Lintel"},
    {FULL, "{http.response.header.X-None}", ""},
    {FULL, "{upstream_hostport}", "up.example:81"},
    {FULL, "{http.reverse_proxy.upstream.hostport}", "up.example:81"},
    {FULL, "{rp.upstream.hostport}", "up.example:81"},
    {FULL, "{rp.upstream.host}", "up.example"},
    {FULL, "{http.reverse_proxy.upstream.host}", "up.example"},
    {FULL, "{rp.upstream.port}", "81"},
    {FULL, "{http.reverse_proxy.upstream.port}", "81"},
    {FULL, "{rp.upstream.address}", "tcp/up.example:81"},
    {FULL, "{http.reverse_proxy.upstream.address}", "tcp/up.example:81"},
    {FULL, "{err.status_code}", "404"},
    {FULL, "{http.error.status_code}", "404"},
    {FULL, "{err.status_text}", "Not Found"},
    {FULL, "{http.error.status_text}", "Not Found"},
    {FULL, "{err.message}", "gone fishing"},
    {FULL, "{http.error.message}", "gone fishing"},
    {FULL, "{err.trace}", ""},
    {FULL, "{http.error.trace}", ""},
    {FULL, "{method} {path.1}|{query.x}|{header.X-None}|", "GET c|1,2||"},
    {FULL, "{system.os}{system.slash}", "linux/"},
    {FULL, "\\{method\\}", "{method}"},
    {BARE, "{hostport}", "example.com"},
    {BARE, "{port}", ""},
    {BARE, "{scheme}", "http"},
    {BARE, "{uri}", "/"},
    {BARE, "{query}", ""},
    {BARE, "{?query}", ""},
    {BARE, "{orig_?query}", ""},
    {BARE, "{query.x}", ""},
    {BARE, "{path.0}", ""},
    {BARE, "{dir}", "/"},
    {BARE, "{file}", ""},
    {BARE, "{file.base}", "/"},
    {BARE, "{file.ext}", ""},
    {BARE, "{cookie.a}", ""},
    {BARE, "{header.X}", ""},
    {BARE, "{tls_version}", ""},
    {BARE, "{tls_cipher}", ""},
    {BARE, "{http.request.tls.resumed}", ""},
    {BARE, "{http.request.tls.proto}", ""},
    {BARE, "{http.request.tls.ech}", ""},
    {BARE, "{vars.root}", ""},
    {BARE, "{upstream_hostport}", ""},
    {BARE, "{rp.upstream.port}", ""},
    {BARE, "{err.status_code}", ""},
    {BARE, "{err.status_text}", ""},
    {BARE, "{err.message}", ""},
    {BARE, "{err.id}", ""},
    {BARE, "{http.auth.user.id}", ""},
    {BARE, "{http.request.local}", ""},
    {BARE, "{remote}", "192.0.2.9:5"},
    {BARE, "{http.request.proto}", "HTTP/1.0"},
    {REWRITTEN, "{method}", "GET"},
    {REWRITTEN, "{uri}", "/new?n"},
    {REWRITTEN, "{path}", "/new"},
    {REWRITTEN, "{query}", "n"},
    {REWRITTEN, "{file}", "new"},
    {REWRITTEN, "{orig_method}", "POST"},
    {REWRITTEN, "{orig_uri}", "/old/x%2Fy?o=1"},
    {REWRITTEN, "{orig_path}", "/old/x/y"},
    {REWRITTEN, "{orig_path.0}", "old"},
    {REWRITTEN, "{orig_dir}", "/old/x/"},
    {REWRITTEN, "{orig_file}", "y"},
    {REWRITTEN, "{orig_query}", "o=1"},
    {REWRITTEN, "{orig_?query}", "?o=1"},
    {REWRITTEN, "{err.message}", "Internal Server Error"},
    {HOSTILE, "{query.ok}", "1"},
    {HOSTILE, "{query.bad}", ""},
    {HOSTILE, "{query.semi}", ""},
    {HOSTILE, "{query.plus}", "a b"},
    {HOSTILE, "{query.k[]}", "v"},
    {HOSTILE, "{query.nul}", "\000"},
    {HOSTILE, "{file.ext}", ""},
    {HOSTILE, "{file.base}", "dots."},
    {HOSTILE, "{path.1}", "dots."},
    {HOSTILE, "{host}", "::1"},
    {HOSTILE, "{port}", "80"},
    {HOSTILE, "{labels.0}", "::1"},
};

static void gives_values(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str got, want = str_of(cases[i].value);
        struct exchange ex;

        if (str_is(str_of(cases[i].text), "{query.nul}"))
            want.len = 1;
        set_request(&ex, cases[i].request);
        got = expand(&ex, cases[i].text);
        assert_non_null(got.p);
        if (!str_eq(got, want))
            fail_msg("request %d, %s: '" STR_FMT "', not '%s'", (int)cases[i].request,
                     cases[i].text, STR_ARG(got), cases[i].value);
        end(&ex);
    }
}

/* ---- those that are new each time ---- */

static void makes_one_uuid(void **state)
{
    struct exchange a, b;
    struct str first;

    (void)state;
    set_request(&a, BARE);
    set_request(&b, BARE);
    first = expand(&a, "{uuid}");
    assert_int_equal(first.len, 36);
    for (size_t i = 0; i < first.len; i++)
        assert_true(i == 8 || i == 13 || i == 18 || i == 23
                        ? first.p[i] == '-'
                        : strchr("0123456789abcdef", first.p[i]) != NULL);
    assert_int_equal(first.p[14], '4');
    assert_non_null(strchr("89ab", first.p[19]));
    assert_true(str_eq(first, expand(&a, "{http.request.uuid}")));
    assert_false(str_eq(first, expand(&b, "{uuid}")));
    end(&a);
    end(&b);
}

static void makes_one_error_id(void **state)
{
    struct exchange ex;
    struct str id;

    (void)state;
    set_request(&ex, REWRITTEN);
    id = expand(&ex, "{err.id}");
    assert_int_equal(id.len, 9);
    assert_true(str_eq(id, expand(&ex, "{http.error.id}")));
    end(&ex);
}

/* '9' stands for a digit, '*' for any number of digits and dots. */
static bool looks_like(struct str s, const char *form)
{
    for (; *form != '\0'; form++) {
        if (*form == '*') {
            while (s.len > 0 && strchr("0123456789.", s.p[0]) != NULL)
                s = str_from(s, 1);
            continue;
        }
        if (s.len == 0 || (*form == '9' ? s.p[0] < '0' || s.p[0] > '9' : s.p[0] != *form))
            return false;
        s = str_from(s, 1);
    }
    return s.len == 0;
}

static void tells_the_time(void **state)
{
    static const struct {
        const char *text;
        const char *form;
    } forms[] = {
        {"{time.now}", "9999-99-99 99:99:99* +0000 UTC"},
        {"{time.now.year}", "9999"},
        {"{time.now.unix}", "9999999999"},
        {"{time.now.unix_ms}", "9999999999999"},
        {"{http.request.duration}", "9m9*s"},
        {"{http.request.duration_ms}", "9*"},
    };
    struct timespec t;
    struct exchange ex;

    (void)state;
    set_request(&ex, BARE);
    clock_gettime(CLOCK_MONOTONIC, &t);
    ex.started_us = ((uint64_t)t.tv_sec - 90) * 1000000;
    for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
        struct str got = expand(&ex, forms[i].text);

        if (!looks_like(got, forms[i].form))
            fail_msg("%s: " STR_FMT, forms[i].text, STR_ARG(got));
    }
    assert_int_equal(expand(&ex, "{time.now.http}").len, 29);
    assert_true(str_ends(expand(&ex, "{time.now.http}"), STR_LIT(" GMT")));
    assert_true(str_ends(expand(&ex, "{time.now.common_log}"), STR_LIT(" +0000")));
    end(&ex);
}

/* ---- no copies ---- */

static void copies_nothing(void **state)
{
    struct exchange ex;

    (void)state;
    set_request(&ex, FULL);
    assert_ptr_equal(expand(&ex, "{path}").p, ex.path.p);
    assert_ptr_equal(expand(&ex, "{header.X-One}").p, ex.request.list[0].value.p);
    end(&ex);
}

/* ---- variables that are found when they are used ---- */

static struct str twice(struct exchange *ex, const void *arg, bool *own)
{
    struct str value = vars_get(ex, str_of(arg));

    *own = true;
    return arena_printf(ex->arena, STR_FMT STR_FMT, STR_ARG(value), STR_ARG(value));
}

static void finds_variables(void **state)
{
    struct exchange ex;

    (void)state;
    set_request(&ex, BARE);
    vars_set_function(&ex, STR_LIT("vars.b"), twice, "vars.a");
    vars_set(&ex, STR_LIT("vars.a"), STR_LIT("x"));
    assert_true(str_is(expand(&ex, "{vars.b}"), "xx"));
    vars_set_own(&ex, STR_LIT("vars.a"), STR_LIT("y"));
    assert_true(str_is(expand(&ex, "{vars.b}"), "yy"));
    vars_set_function(&ex, STR_LIT("vars.c"), twice, "vars.c");
    assert_true(str_is(expand(&ex, "{vars.c}"), ""));
    vars_set_function(&ex, STR_LIT("vars.a"), twice, "vars.c");
    assert_true(str_is(expand(&ex, "{vars.a}"), "y"));
    assert_true(vars_is_own(&ex, STR_LIT("vars.a")));
    assert_true(vars_is_own(&ex, STR_LIT("vars.b")));
    vars_set(&ex, STR_LIT("vars.a"), STR_LIT("z"));
    assert_false(vars_is_own(&ex, STR_LIT("vars.a")));
    assert_false(vars_is_own(&ex, STR_LIT("vars.none")));
    end(&ex);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(gives_values),       cmocka_unit_test(makes_one_uuid),
        cmocka_unit_test(makes_one_error_id), cmocka_unit_test(tells_the_time),
        cmocka_unit_test(copies_nothing),     cmocka_unit_test(finds_variables),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
