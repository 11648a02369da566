/* What the directives that change a request make of it: rewrite, uri, method, handle_path. */
#include "conf/load.h"
#include "handlers/handle.h"
#include "handlers/rewrite.h"
#include "handlers/uri.h"
#include "http/match.h"
#include "http/route.h"
#include "http/service.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct directive *const tables[] = {rewrite_directives, uri_directives,
                                                 handle_directives, NULL};
static const struct language language = {.directives = tables, .matchers = http_matchers};

/* uri: raw path and query afterwards, or the status of the answer. path: NULL if it is the same. */
static const struct {
    const char *directive;
    const char *request;
    const char *uri;
    const char *path;
} cases[] = {
    /* rewrite: the path, the query or both */
    {"rewrite /", "/", "/", NULL},
    {"rewrite /foo", "/", "/foo", NULL},
    {"rewrite /foo", "/bar", "/foo", NULL},
    {"rewrite foo", "/bar", "/foo", NULL},
    {"rewrite /foo", "/bar?a=b", "/foo?a=b", NULL},
    {"rewrite /?c=d", "/foo", "/?c=d", NULL},
    {"rewrite /?c=d", "/?a=b", "/?c=d", NULL},
    {"rewrite ?c=d", "/foo", "/foo?c=d", NULL},
    {"rewrite ?a=b&c=d", "/foo?x", "/foo?a=b&c=d", NULL},
    {"rewrite ?", "/foo?x", "/foo", NULL},
    {"rewrite {path}?", "/foo/bar?a=b&c=d", "/foo/bar", NULL},
    {"rewrite /bar#?x", "/foo?c=d", "/bar?c=d", NULL},
    {"rewrite /foo?{query}#frag", "/foo/bar?a=b", "/foo?a=b", NULL},
    {"rewrite /a%20b", "/", "/a%20b", "/a b"},
    {"rewrite \"/a b\"", "/", "/a%20b", "/a b"},
    {"rewrite /100%", "/", "/100%25", "/100%"},
    {"rewrite /caf\303\251", "/", "/caf%C3%A9", "/caf\303\251"},
    {"rewrite /api/admin/panel", "/api/admin%2Fpanel", "/api/admin/panel", NULL},
    {"rewrite /a//b", "/", "/a//b", "/a/b"},
    /* placeholders in the path */
    {"rewrite {uri}", "/bar?a=b", "/bar?a=b", NULL},
    {"rewrite {uri}", "/bar%3Fbaz?c=d", "/bar%3Fbaz?c=d", "/bar?baz"},
    {"rewrite {path}", "/bar%3Fbaz", "/bar%3Fbaz", "/bar?baz"},
    {"rewrite {path}", "/a%2541", "/a%2541", "/a%41"},
    {"rewrite /foo{path}", "/bar", "/foo/bar", NULL},
    {"rewrite {path}bar?c=d", "/foo/?a=b", "/foo/bar?c=d", NULL},
    {"rewrite /foo{uri}", "/bar", "/foo/bar", NULL},
    {"rewrite /foo{uri}", "/bar?a=b", "/foo/bar?a=b", NULL},
    {"rewrite /foo{uri}?", "/bar?a=b", "/foo/bar?a=b", NULL},
    {"rewrite /foo{uri}?c=d", "/bar?a=b", "/foo/bar?c=d", NULL},
    {"rewrite /foo{uri}?{query}&c=d", "/bar?a=b", "/foo/bar?a=b&c=d", NULL},
    {"rewrite /i{uri}", "/%C2%B7%E2%88%B5.png?a=b", "/i/%C2%B7%E2%88%B5.png?a=b",
     "/i/\302\267\342\210\265.png"},
    {"rewrite /x{?query}", "/?a=b", "/x?a=b", NULL},
    {"rewrite /x{?query}?", "/?a=b", "/x?a=b", NULL},
    {"rewrite /x{?query}?c=d", "/?a=b", "/x?c=d", NULL},
    {"rewrite /x?{query}&u={?query}", "/?a=b", "/x?a=b&u=%3Fa%3Db", NULL},
    {"rewrite /x/{%path}", "/a%3Fb", "/x//a%3Fb", "/x/a?b"},
    {"rewrite /x{orig_uri}?", "/a?b", "/x/a?b", NULL},
    {"rewrite /x/{file.base}.{file.ext}", "/a/b%25.tar", "/x/b%25..tar", "/x/b%..tar"},
    {"rewrite /i{uri}", "/a/%2e%2e/b", "/i/b", NULL},
    {"rewrite /i{uri}", "/a/../b", "/i/b", NULL},
    /* and in the query */
    {"rewrite /index.php?p={path}", "/foo/bar", "/index.php?p=%2Ffoo%2Fbar", "/index.php"},
    {"rewrite ?a=b&{query}", "/", "/?a=b", NULL},
    {"rewrite /?{query}&c=d", "/", "/?c=d", NULL},
    {"rewrite {path}?{query}&c=d", "/foo", "/foo?c=d", NULL},
    {"rewrite /index.php?{query}&c=d", "/?a=b", "/index.php?a=b&c=d", NULL},
    {"rewrite /index.php?c=d&{query}", "/?a=b", "/index.php?c=d&a=b", NULL},
    {"rewrite /index.php?{query}&p={path}", "/foo/bar?a=b", "/index.php?a=b&p=%2Ffoo%2Fbar", NULL},
    {"rewrite ?qs={query}", "/foo?a=b&c=d", "/foo?qs=a%3Db%26c%3Dd", NULL},
    {"rewrite ?{method}=1&&x==y&z=", "/foo", "/foo?GET=1&x==y&z", NULL},
    {"rewrite \"?a=b c\"", "/foo", "/foo?a=b%20c", NULL},
    /* what a client sends is a value and nothing else */
    {"rewrite /s/{header.X}?", "/", "/s/f%3F%7Bhost%7D=x&%25%23", "/s/f?{host}=x&%#"},
    {"rewrite /s?k={header.X}", "/", "/s?k=f%3F%7Bhost%7D%3Dx%26%25%23", NULL},
    {"rewrite /s/{header.Dots}/a", "/", "400", NULL},
    {"rewrite /s/{header.Dot}.", "/", "400", NULL},
    {"rewrite /s/{header.Up}", "/", "400", NULL},
    {"rewrite {header.Dots}", "/", "400", NULL},
    {"rewrite /s/{header.None}", "/", "/s/", NULL},
    {"rewrite /s/{header.Coded}", "/", "/s/%252e%252e/a", "/s/%2e%2e/a"},
    /* uri strip_prefix */
    {"uri strip_prefix /prefix", "/foo/bar", "/foo/bar", NULL},
    {"uri strip_prefix /prefix", "/prefix/foo/bar?q", "/foo/bar?q", NULL},
    {"uri strip_prefix prefix", "/prefix/foo/bar", "/foo/bar", NULL},
    {"uri strip_prefix /prefix", "/prefix", "/", NULL},
    {"uri strip_prefix /prefix", "/", "/", NULL},
    {"uri strip_prefix /prefix", "/PreFix/a", "/a", NULL},
    {"uri strip_prefix /prefix", "/prefix/foo%2Fbar", "/foo%2Fbar", "/foo/bar"},
    {"uri strip_prefix /prefix", "/foo/prefix/bar", "/foo/prefix/bar", NULL},
    {"uri strip_prefix /aaaaaa", "/%61%61", "/%61%61", "/aa"},
    {"uri strip_prefix //prefix", "//prefix/foo/bar", "/foo/bar", NULL},
    {"uri strip_prefix //prefix", "/prefix/foo/bar", "/prefix/foo/bar", NULL},
    {"uri strip_prefix /prefix", "//prefix//a", "/a", NULL},
    {"uri strip_prefix /a%2Fb/c", "/a%2Fb/c/d", "/d", NULL},
    {"uri strip_prefix /a%2Fb/c", "/a%2fb/c/d", "/d", NULL},
    {"uri strip_prefix /a/b/c", "/a%2Fb/c/d", "/d", NULL},
    {"uri strip_prefix /a%2Fb/c", "/a/b/c/d", "/a/b/c/d", NULL},
    {"uri strip_prefix //a%2Fb/c", "/a/b/c/d", "/a/b/c/d", NULL},
    {"uri strip_prefix /pre", "/prefix", "/fix", NULL},
    {"uri strip_prefix /a", "/a/../b", "/b", NULL},
    {"uri strip_prefix /a", "/x/%2e%2E/a/c", "/c", NULL},
    /* uri strip_suffix */
    {"uri strip_suffix /suffix", "/foo/bar", "/foo/bar", NULL},
    {"uri strip_suffix suffix", "/foo/bar/suffix", "/foo/bar/", NULL},
    {"uri strip_suffix suffix", "/foo%2Fbar/suffix", "/foo%2Fbar/", "/foo/bar/"},
    {"uri strip_suffix %2fsuffix", "/foo%2Fbar%2fsuffix", "/foo%2Fbar", "/foo/bar"},
    {"uri strip_suffix /suffix", "/foo/suffix/bar", "/foo/suffix/bar", NULL},
    {"uri strip_suffix Fb", "/a%2Fb", "/a%2Fb", "/a/b"},
    {"uri strip_suffix .php", "/x.%70HP?a", "/x?a", NULL},
    {"uri strip_suffix /long/suffix", "/x", "/x", NULL},
    /* uri replace */
    {"uri replace findme replaced", "/foo/bar", "/foo/bar", NULL},
    {"uri replace findme replaced", "/foo/findme/bar", "/foo/replaced/bar", NULL},
    {"uri replace findme replaced", "/foo/findme%2Fbar?findme=findme",
     "/foo/replaced%2Fbar?replaced=replaced", "/foo/replaced/bar"},
    {"uri replace %28 (", "/hello/%28%29", "/hello/(%29", "/hello/()"},
    {"uri replace a b 2", "/aaaa?aaa", "/bbaa?bba", NULL},
    {"uri replace /docs/ /v1/docs/", "/docs/a", "/v1/docs/a", NULL},
    {"uri replace a \"\"", "/banana", "/bnn", NULL},
    {"uri replace x {header.X}", "/x?x", "/f%3F%7Bhost%7D=x&%25%23?f%3F%7Bhost%7D%3Dx%26%25%23",
     "/f?{host}=x&%#"},
    {"uri replace x ..", "/a/x/b", "400", NULL},
    {"uri replace x {header.Dots}", "/a/x/b", "400", NULL},
    {"uri replace x %00", "/x", "400", NULL},
    /* uri path_regexp */
    {"uri path_regexp /{2,} /", "/foo//bar///baz?a=b//c", "/foo/bar/baz?a=b//c", NULL},
    {"uri path_regexp ^/(a+)/(b+) /$2/$1", "/aa/b/c", "/b/aa/c", NULL},
    {"uri path_regexp ^/static/(.*) /files/$1", "/static/../admin", "/admin", NULL},
    {"uri path_regexp ^/static/ /files/", "/static/%2e%2e/static/x", "/files/x", NULL},
    {"uri path_regexp x+ ..", "/a/xx/b", "400", NULL},
    /* uri query: always sorted by key */
    {"uri query foo bar", "/?b=1&a=2", "/?a=2&b=1&foo=bar", NULL},
    {"uri query foo bar", "/?foo=1&foo=2", "/?foo=bar", NULL},
    {"uri query -foo", "/?foo=1&a=b&foo", "/?a=b", NULL},
    {"uri query -foo", "/?foo=1", "/", NULL},
    {"uri query +foo bar", "/?foo=1", "/?foo=1&foo=bar", NULL},
    {"uri query foo>bar", "/?foo=1&x=y&foo=2&bar=3", "/?bar=1&bar=2&x=y", NULL},
    {"uri query foo>foo", "/?foo=1", "/?foo=1", NULL},
    {"uri query foo>bar", "/?bar=1", "/?bar=1", NULL},
    {"uri query foo ^(ba)r ${1}z", "/?foo=bar&x=bar", "/?foo=baz&x=bar", NULL},
    {"uri query foo (?<w>ba)r ${w}z-{path}", "/p?foo=bar", "/p?foo=baz-%2Fp", NULL},
    {"uri path_regexp (?<w>[a-z]+)s$ ${w}-${0}", "/cats", "/cat-cats", NULL},
    {"uri query * a b", "/?x=aa&y=a", "/?x=bb&y=b", NULL},
    {"uri query a {header.X}", "/", "/?a=f%3F%7Bhost%7D%3Dx%26%25%23", NULL},
    {"uri query a b", "/?x=1+2%203&bad=%zz&y;z=1&k", "/?a=b&k=&x=1+2+3", NULL},
    {"uri query {\n-gone\n+a 2\na 1\nx>y\n}", "/?gone=1&x=3&a=0", "/?a=1&a=2&y=3", NULL},
    /* handle_path */
    {"handle_path /api/* {\nrewrite /x{uri}\n}", "/api/v1?q", "/x/v1?q", NULL},
    {"handle_path /api* {\nrewrite /x{uri}\n}", "/apiary", "/x/ary", NULL},
    {"handle_path /api {\nrewrite /x{uri}\n}", "/api", "/x/", NULL},
    {"handle_path /api/* {\nrewrite /x{uri}\n}", "/other", "/other", NULL},
    /* only the first rewrite of a block, but any number of others */
    {"rewrite /a /b\nrewrite /b /c", "/a", "/b", NULL},
    {"uri strip_prefix /a\nuri strip_prefix /b", "/a/b/c", "/c", NULL},
};

/* ---- an exchange without an engine ---- */

static void no_respond(struct exchange *ex)
{
    (void)ex;
}

static const struct exchange_engine engine = {.respond = no_respond};

static struct service *service_for(const char *directive)
{
    struct arena *a = arena_new();
    struct str text = arena_printf(a, "http://a {\nroute {\n%s\n}\n}\n", directive);
    struct buf errors = BUF_INIT(16384);
    struct conf *conf = conf_parse("f", text, &language, &errors, NULL);
    struct service *s;

    if (conf == NULL)
        fail_msg("%s:\n" STR_FMT, directive, STR_ARG(buf_str(&errors)));
    s = service_new(conf, NULL, NULL, NULL);
    conf_unref(conf);
    buf_fini(&errors);
    arena_free(a);
    return s;
}

static void request(struct exchange *ex, struct service *s, const char *method, const char *target)
{
    exchange_init(ex, &engine, NULL, arena_new(), s);
    ex->method = str_of(method);
    ex->target = str_of(target);
    ex->authority = STR_LIT("a");
    fields_add(&ex->request, ex->arena, STR_LIT("X"), STR_LIT("f?{host}=x&%#"));
    fields_add(&ex->request, ex->arena, STR_LIT("Dots"), STR_LIT("../.."));
    fields_add(&ex->request, ex->arena, STR_LIT("Dot"), STR_LIT("."));
    fields_add(&ex->request, ex->arena, STR_LIT("Up"), STR_LIT("a/b/../c"));
    fields_add(&ex->request, ex->arena, STR_LIT("Coded"), STR_LIT("%2e%2e/a"));
    assert_true(exchange_set_target(ex));
    route_start(ex, &service_conf(s)->sites[0]->route);
    assert_true(ex->responded);
}

static void end(struct exchange *ex)
{
    struct arena *a = ex->arena;

    exchange_fini(ex);
    arena_free(a);
}

static void rewrites(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct service *s = service_for(cases[i].directive);
        struct str want = str_of(cases[i].uri), uri, path;
        struct exchange ex;

        request(&ex, s, "GET", cases[i].request);
        uri = ex.status == 200 ? arena_printf(ex.arena, STR_FMT "%s" STR_FMT, STR_ARG(ex.raw_path),
                                              ex.query.p == NULL ? "" : "?", STR_ARG(ex.query))
                               : arena_printf(ex.arena, "%d", ex.status);
        if (!str_eq(uri, want))
            fail_msg("row %zu: %s at %s makes " STR_FMT ", not %s", i, cases[i].directive,
                     cases[i].request, STR_ARG(uri), cases[i].uri);
        path = cases[i].path == NULL ? ex.raw_path : str_of(cases[i].path);
        if (cases[i].path == NULL)
            path.len = path.len > 3 && memmem(path.p, path.len, "//", 2) != NULL ? 0 : path.len;
        if (ex.status == 200 && path.len > 0 && !str_eq(ex.path, path))
            fail_msg("row %zu: %s at %s: the path is " STR_FMT, i, cases[i].directive,
                     cases[i].request, STR_ARG(ex.path));
        assert_true(str_is(ex.target, cases[i].request));
        end(&ex);
        service_unref(s);
    }
}

static const struct {
    const char *directive;
    const char *method; /* NULL: 400 */
} methods[] = {
    {"method POST", "POST"},         {"method post", "POST"},      {"method {header.Dot}", "."},
    {"method {header.X}", NULL},     {"method {header.No}", NULL}, {"method /other POST", "GET"},
    {"method M-SEARCH", "M-SEARCH"},
};

static void changes_the_method(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        struct service *s = service_for(methods[i].directive);
        struct exchange ex;

        request(&ex, s, "GET", "/x");
        assert_int_equal(ex.status, methods[i].method == NULL ? 400 : 200);
        assert_true(str_is(ex.method, methods[i].method == NULL ? "GET" : methods[i].method));
        assert_true(str_is(exchange_original(&ex).method, "GET"));
        end(&ex);
        service_unref(s);
    }
}

/* No request makes a URI, or the memory for one, grow without an end. */
static void stays_small(void **state)
{
    static const char *const directives[] = {"uri replace a {header.Big}",
                                             "uri query * a {header.Big}",
                                             "rewrite /{header.Big}{header.Big}{header.Big}?",
                                             "rewrite ?{header.Big}={header.Big}&{header.Big}"};
    struct arena *a = arena_new();
    char *big = arena_bytes(a, 30001), *target = arena_bytes(a, 8192);

    (void)state;
    memset(big, '{', 30000);
    big[30000] = '\0';
    memset(target, 'a', 8191);
    memcpy(target, "/aa?x=", 6);
    target[8191] = '\0';
    for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
        struct service *s = service_for(directives[i]);
        struct exchange ex;

        exchange_init(&ex, &engine, NULL, a, s);
        ex.method = STR_LIT("GET");
        ex.target = str_of(target);
        ex.authority = STR_LIT("a");
        fields_add(&ex.request, a, STR_LIT("Big"), str_of(big));
        assert_true(exchange_set_target(&ex));
        route_start(&ex, &service_conf(s)->sites[0]->route);
        assert_int_equal(ex.status, 414);
        assert_true(str_is(ex.path, "/aa"));
        exchange_fini(&ex);
        service_unref(s);
    }
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rewrites),
        cmocka_unit_test(changes_the_method),
        cmocka_unit_test(stays_small),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
