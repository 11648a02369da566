/* Each matcher: what it says about requests, what it leaves behind, which ones are refused. */
#include "conf_fixture.h"
#include "http/vars.h"
#include "matcher_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <cmocka.h>

struct row {
    const char *matcher;
    const char *request;
    bool verdict;
};

static void check(const struct row *rows, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int error;

        if (matcher_rig_run(rows[i].matcher, &fake_language, rows[i].request, &error) !=
            rows[i].verdict)
            fail_msg("%s: %s: not %d", rows[i].matcher, rows[i].request, rows[i].verdict);
        assert_int_equal(error, 0);
    }
}

/* ---- path ---- */

static const struct row path_rows[] = {
    {"path /", "GET /", true},
    {"path /foo/bar", "GET /", false},
    {"path /foo/bar", "GET /foo/bar", true},
    {"path /foo/bar/", "GET /foo/bar", false},
    {"path /foo/bar/", "GET /foo/bar/", true},
    {"path /foo/bar/ /other", "GET /other/", false},
    {"path /foo/bar/ /other", "GET /other", true},
    {"{\npath /a\npath /b\n}", "GET /b", true},
    {"path *", "GET /x", true},
    {"path **", "GET /foo/bar", true},
    {"path *.ext", "GET /foo/bar.ext", true},
    {"path *.php", "GET /index.PHP", true},
    {"path *.ext", "GET /ext", false},
    {"path /foo/*/baz", "GET /foo/bar/baz", true},
    {"path /foo/*/baz", "GET /foo/b/a/baz", false},
    {"path /foo/*/baz/bam", "GET /foo/bar/bam", false},
    {"path *substring*", "GET /foo/subSTRING/bar.txt", true},
    {"path *substring*", "GET /foo/substrin/g", false},
    {"path /foo", "GET /foo/bar", false},
    {"path /foo", "GET /FOO", true},
    {"path /foo*", "GET /FOOOO", true},
    {"path /foo*", "GET /fo", false},
    {"path /foo/*", "GET /foo", false},
    {"path /foo/bar.txt", "GET /foo/BAR.txt", true},
    {"path /foo*", "GET //foo/bar", true},
    {"path /foo", "GET //foo", true},
    {"path /foo", "GET /./x/../foo", true},
    {"path //foo", "GET /foo", false},
    {"path //foo", "GET //foo", true},
    {"path //foo", "GET /x/..//foo", true},
    {"path /foo//*", "GET /foo//bar", true},
    {"path /foo//*", "GET /foo/%2Fbar", true},
    {"path /foo/%2F*", "GET /foo/%2Fbar", true},
    {"path /foo/%2F*", "GET /foo//bar", false},
    {"path /foo//bar", "GET /foo//bar", true},
    {"path /foo/*//bar", "GET /foo///bar", true},
    {"path /foo/%*//bar", "GET /foo///bar", true},
    {"path /foo/%*//bar", "GET /foo//%2Fbar", true},
    {"path /foo*", "GET /%2F/foo", true},
    {"path /foo/bar", "GET /foo%2Fbar", true},
    {"path /%25@.txt", "GET /%25@.txt", true},
    {"path /%25@.txt", "GET /%25%40.txt", true},
    {"path /%25%40.txt", "GET /%25%40.txt", true},
    {"path /%25%40.txt", "GET /%25@.txt", false},
    {"path /bands/*/*", "GET /bands/AC%2FDC/T.N.T", false},
    {"path /bands/%*/%*", "GET /bands/AC%2FDC/T.N.T", true},
    {"path /bands/%*/*", "GET /bands/AC%2FDC/T.N.T", true},
    {"path /bands/%*/%*", "GET /bands/AC/DC/T.N.T", false},
    {"path /bands/%*", "GET /bands/AC/DC", false},
    {"path /bands/%*", "GET /bands/AC%2FDC", true},
    {"path /foo%2fbar/baz", "GET /foo%2Fbar/baz", true},
    {"path /foo%2fbar/baz", "GET /foo/bar/baz", false},
    {"path /admin%2fpanel", "GET /ADMIN%2fpanel", true},
    {"path /admin%2fpa*el", "GET /ADMIN%2fPaAzZLm123NEL", true},
    {"path /foo%2fbar", "GET /foo%2fbarbaz", false},
    {"path /foo%2f", "GET /foo%2fx", false},
    {"path /a?c", "GET /abc", true},
    {"path /a?c", "GET /a%2Fc", false},
    {"path /v[0-9]/x", "GET /v7/x", true},
    {"path /v[0-9]/x", "GET /vv/x", false},
    {"path /v[^0-9]/x", "GET /vv/x", true},
    {"path /v[a-c]/x", "GET /vB/x", true},
    {"path `/a\\*b/*/c`", "GET /a*b/x/c", true},
    {"path `/a\\*b/*/c`", "GET /aXb/x/c", false},
    {"path /{host}/*", "GET http://ex/EX/1", true},
    {"path /{host}/*", "GET http://ex/other/1", false},
    {"path {header.X}", "GET /a|X: /a", true},
};

static void matches_paths(void **state)
{
    (void)state;
    check(path_rows, ARRAY_LEN(path_rows));
}

/* A client that writes the pattern as well as the path: the verdict is soon there. */
static void is_not_kept_busy(void **state)
{
    enum { LEN = 60 * 1000 };
    static char request[2 * LEN + 32];
    struct timespec before, after;
    char *at = stpcpy(request, "GET /");
    int error;

    (void)state;
    at = (char *)memset(at, 'a', LEN) + LEN;
    at = stpcpy(at, "|X: ");
    at = (char *)memset(at, 'a', LEN) + LEN;
    memcpy(at, "b", 2);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &before);
    assert_false(matcher_rig_run("path /*{header.X}*c", &fake_language, request, &error));
    assert_false(matcher_rig_run("path *{header.X}*", &fake_language, request, &error));
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &after);
    assert_true(after.tv_sec - before.tv_sec < 2);
}

/* ---- the others ---- */

static const struct row other_rows[] = {
    {"host a.test", "GET http://a.test/", true},
    {"host A.Test", "GET http://a.TEST:8080/", true},
    {"host b.test a.test", "GET http://a.test/", true},
    {"host b.test", "GET http://a.test/", false},
    {"host *.test", "GET http://a.test/", true},
    {"host *.test", "GET http://b.a.test/", false},
    {"host *.test", "GET http://test/", false},
    {"host a.*.test", "GET http://a.x.test/", true},
    {"host *", "GET http://localhost/", true},
    {"host {header.X}", "GET http://a.test/|X: a.test", true},
    {"host {header.X}.test", "GET http://a.test/|X: b", false},
    {"host ::1", "GET http://[::1]:80/", true},
    {"host [::1]", "GET http://[::1]/", true},
    {"{\nhost x.test\nhost a.test\n}", "GET http://a.test/", true},
    {"host a b c d e f g h i j k l m n o p", "GET http://k/", true},
    {"host a b c d e f g h i j k l m n o p", "GET http://q/", false},

    {"method GET", "GET /", true},
    {"method post", "POST /", true},
    {"method POST", "post /", false},
    {"method PUT DELETE", "DELETE /", true},
    {"{\nmethod PUT\nmethod GET\n}", "GET /", true},
    {"method PUT", "GET /", false},

    {"header X a", "GET /|X: a", true},
    {"header x a", "GET /|X: a", true},
    {"header X a", "GET /|X: A", false},
    {"header X a", "GET /", false},
    {"header X a*", "GET /|X: abc", true},
    {"header X a*", "GET /|X: bac", false},
    {"header X *c", "GET /|X: abc", true},
    {"header X *c", "GET /|X: abcd", false},
    {"header X *b*", "GET /|X: abc", true},
    {"header X *x*", "GET /|X: abc", false},
    {"header X *", "GET /|X:", true},
    {"header X *", "GET /", false},
    {"header X \"\"", "GET /|X:", true},
    {"header X \"\"", "GET /|X: a", false},
    {"header !X", "GET /", true},
    {"header !X", "GET /|X: a", false},
    {"header !X", "GET /|X:", false},
    {"header X a b", "GET /|X: b", true},
    {"{\nheader X a\nheader X b\n}", "GET /|X: b", true},
    {"{\nheader X a\nheader Y b\n}", "GET /|X: a", false},
    {"{\nheader X a\nheader Y b\n}", "GET /|X: a|Y: b", true},
    {"header X b", "GET /|X: a|X: b", true},
    {"header X {method}", "GET /|X: GET", true},
    {"header Host a.test:80", "GET http://a.test:80/", true},
    {"header Host a.*", "GET http://a.test/", true},
    {"{\nheader Connection *Upgrade*\nheader Upgrade websocket\n}",
     "GET /|Connection: keep-alive, Upgrade|Upgrade: websocket", true},

    {"header_regexp X ^fo{2}$", "GET /|X: foo", true},
    {"header_regexp X ^fo{2}$", "GET /|X: bar|X: foo", true},
    {"header_regexp X ^fo{2}$", "GET /|X: fo", false},
    {"header_regexp X .*", "GET /", false},
    {"header_regexp name X ^f", "GET /|X: foo", true},
    {"header_regexp Host ^a", "GET http://a.test/", true},
    {"{\nheader_regexp X a\nheader_regexp Y b\n}", "GET /|X: a", false},

    {"path_regexp ^/foo", "GET /foobar", true},
    {"path_regexp ^/foo", "GET /FOO", false},
    {"path_regexp (?i)^/foo", "GET /FOO", true},
    {"path_regexp name ^/foo$", "GET /foo", true},
    {"path_regexp ^/a/b$", "GET /a//b", true},
    {"path_regexp ^/a/b$", "GET /a%2Fb", true},
    {"path_regexp \\.css$", "GET /a.css?x", true},
    {"path_regexp ^/a.*$", "GET /a/%FF", true},
    {"path_regexp \"\"", "GET /", true},

    {"query q=1", "GET /?q=1", true},
    {"query q=1", "GET /?q=2", false},
    {"query q=1", "GET /", false},
    {"query q=*", "GET /?q=x", true},
    {"query q=*", "GET /?q", true},
    {"query q=*", "GET /?r=x", false},
    {"query q=", "GET /?q", true},
    {"query q=", "GET /?q=", true},
    {"query q=", "GET /?q=x", false},
    {"query q=1 q=2", "GET /?q=2", true},
    {"query q=1 r=2", "GET /?q=1", false},
    {"query q=1 r=2", "GET /?r=2&q=1", true},
    {"{\nquery q=1\nquery q=2\n}", "GET /?q=1", true},
    {"query q=2", "GET /?q=1&q=2", true},
    {"query \"q=a b\"", "GET /?q=a+b", true},
    {"query \"q=a b\"", "GET /?q=a%20b", true},
    {"query q=a&b", "GET /?q=a%26b", true},
    {"query Q=1", "GET /?q=1", false},
    {"query q=1", "GET /?q=1;x", false},
    {"query q=1", "GET /?q=1&x=%zz", false},
    {"query \"\"", "GET /", true},
    {"query \"\"", "GET /?", true},
    {"query \"\"", "GET /?a", false},
    {"query \"\"", "GET /?=", false},
    {"query q={method}", "GET /?q=GET", true},
    {"query {method}=1", "GET /?GET=1", true},
    {"query a=b=c", "GET /?a=b=c", true},

    {"protocol http", "GET http://a.test/", true},
    {"protocol http", "GET https://a.test/", false},
    {"protocol https", "GET https://a.test/", true},
    {"protocol HTTPS", "GET https://a.test/", true},
    {"protocol grpc", "POST /|Content-Type: application/grpc+proto", true},
    {"protocol grpc", "POST /|Content-Type: text/plain", false},
    {"protocol http/1.0", "GET /|@version: 0", true},
    {"protocol http/1.0", "GET /", false},
    {"protocol http/1.0+", "GET /", true},
    {"protocol http/1.1", "GET /", true},
    {"protocol http/1.1+", "GET /", true},
    {"protocol http/1.1+", "GET /|@version: 0", false},
    {"protocol http/2", "GET /", false},
    {"protocol http/2+", "GET /", false},
    {"protocol http/3", "GET /", false},

    {"remote_ip 192.0.2.1", "GET /", true},
    {"remote_ip 192.0.2.2", "GET /", false},
    {"remote_ip 192.0.2.0/24", "GET /", true},
    {"remote_ip 192.0.2.99/24", "GET /", true},
    {"remote_ip 0.0.0.0/0", "GET /", true},
    {"remote_ip ::/0", "GET /", false},
    {"remote_ip ::/0", "GET /|@peer: 2001:db8::1", true},
    {"remote_ip 2001:db8::/32", "GET /|@peer: 2001:db8:1::1", true},
    {"remote_ip 2001:db8::/32", "GET /|@peer: 2001:db9::1", false},
    {"remote_ip 192.0.2.0/31", "GET /|@peer: ::ffff:192.0.2.1", true},
    {"remote_ip ::ffff:192.0.2.0/120", "GET /", true},
    {"remote_ip 10.0.0.0/8 192.0.2.0/24 192.0.2.0/25", "GET /", true},
    {"{\nremote_ip 10.0.0.1\nremote_ip 192.0.2.1\n}", "GET /", true},
    {"remote_ip private_ranges", "GET /", false},
    {"remote_ip private_ranges", "GET /|@peer: 172.31.255.255", true},
    {"remote_ip private_ranges", "GET /|@peer: 172.32.0.0", false},
    {"remote_ip private_ranges", "GET /|@peer: ::1", true},
    {"remote_ip private_ranges", "GET /|@peer: fdff::1", true},
    {"client_ip 192.0.2.1", "GET /", true},
    {"client_ip private_ranges 192.0.2.2", "GET /", false},
    {"not client_ip private_ranges", "GET /", true},

    {"vars x 1", "GET /|@var: vars.x=1", true},
    {"vars x 1 2", "GET /|@var: vars.x=2", true},
    {"vars x 1", "GET /|@var: vars.x=2", false},
    {"vars x 1", "GET /", false},
    {"vars x \"\"", "GET /", true},
    {"vars {method} PUT GET", "GET /", true},
    {"vars {header.X} {host}", "GET http://a.test/|X: a.test", true},
    {"{\nvars x 1\nvars y 2\n}", "GET /|@var: vars.y=2", true},
    {"vars_regexp x ^(4.*)", "GET /|@var: vars.x=42", true},
    {"vars_regexp x ^(4.*)", "GET /|@var: vars.x=24", false},
    {"vars_regexp name {path} ^/a", "GET /a", true},

    {"not path /a", "GET /a", false},
    {"not path /a", "GET /b", true},
    {"not path /a /b", "GET /b", false},
    {"{\nnot path /a\nnot method POST\n}", "GET /b", true},
    {"{\nnot path /a\nnot method POST\n}", "POST /b", false},
    {"{\nnot path /a\nnot method POST\n}", "GET /a", false},
    {"not {\npath /a\nmethod POST\n}", "POST /a", false},
    {"not {\npath /a\nmethod POST\n}", "GET /a", true},
    {"not not path /a", "GET /a", true},
    {"{\npath /a\nmethod GET\n}", "GET /a", true},
    {"{\npath /a\nmethod GET\n}", "POST /a", false},
};

static void matches_the_rest(void **state)
{
    (void)state;
    check(other_rows, ARRAY_LEN(other_rows));
}

/* ---- what is caught ---- */

static const struct {
    const char *matcher;
    const char *request;
    const char *name;
    const char *value; /* NULL: not set */
} captures[] = {
    {"path_regexp static \\.([a-f0-9]{6})\\.(css|js)$", "GET /a.b0c1d2.css", "re.static.1",
     "b0c1d2"},
    {"path_regexp static \\.([a-f0-9]{6})\\.(css|js)$", "GET /a.b0c1d2.css", "re.static.2", "css"},
    {"path_regexp static \\.([a-f0-9]{6})\\.(css|js)$", "GET /a.b0c1d2.css", "re.2", "css"},
    {"path_regexp ^/(a+)", "GET /aab", "re.m.1", "aa"}, /* after the matcher's own name */
    {"path_regexp ^/(a+)", "GET /aab", "re.m.0", "/aa"},
    {"path_regexp \"\" ^/(a+)", "GET /aab", "re.m.0", "/aa"},
    {"path_regexp x ^/(a+)", "GET /aab", "re.m.0", NULL},
    {"path_regexp ^/(?P<what>a+)", "GET /aab", "re.m.what", "aa"},
    {"path_regexp ^/(?P<what>a+)", "GET /aab", "re.what", "aa"},
    {"path_regexp ^/(a)|(b)", "GET /a", "re.m.2", ""},
    {"path_regexp ^/(b+)", "GET /aab", "re.m.0", NULL},
    {"header_regexp lang Accept-Language ^(..)", "GET /|Accept-Language: de-AT", "re.lang.1", "de"},
    {"header_regexp X (b)", "GET /|X: a|X: b", "re.m.1", "b"},
    {"vars_regexp n x ^(4.*)", "GET /|@var: vars.x=42", "re.n.1", "42"},
    {"{\npath_regexp p ^/(.*)$\nheader_regexp h X (.*)\n}", "GET /p|X: h", "re.p.1", "p"},
    {"{\npath_regexp p ^/(.*)$\nheader_regexp h X (.*)\n}", "GET /p|X: h", "re.h.1", "h"},
    {"{\npath_regexp p ^/(.*)$\nheader_regexp h X (.*)\n}", "GET /p|X: h", "re.1", "h"},
};

static void catches(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(captures); i++) {
        struct matcher_rig rig = matcher_rig_new(captures[i].matcher, &fake_language);
        struct arena *a = arena_new();
        struct exchange ex;
        struct str got;

        matcher_rig_exchange(&ex, a, captures[i].request);
        (void)matcher_matches(rig.matcher, &ex);
        got = vars_get(&ex, str_of(captures[i].name));
        if ((captures[i].value == NULL) != (got.p == NULL) ||
            (got.p != NULL && !str_is(got, captures[i].value)))
            fail_msg("%s: %s: " STR_FMT, captures[i].matcher, captures[i].name, STR_ARG(got));
        arena_free(a);
        matcher_rig_free(&rig);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(matches_paths),
        cmocka_unit_test(is_not_kept_busy),
        cmocka_unit_test(matches_the_rest),
        cmocka_unit_test(catches),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
