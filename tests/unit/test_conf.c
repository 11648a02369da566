/* Good configurations: what they compile to. */
#include "conf_fixture.h"
#include "http/match_path.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

static struct conf *load(const char *text)
{
    struct buf errors = BUF_INIT(1 << 20), warnings = BUF_INIT(1 << 20);
    struct conf *c = conf_parse("f", str_of(text), &fake_language, &errors, &warnings);

    if (c == NULL)
        fail_msg("%s\n%s", text, errors.p);
    buf_fini(&errors);
    buf_fini(&warnings);
    return c;
}

#define PUT(...) assert_int_equal(buf_printf(__VA_ARGS__), 0)

/* ---- listeners and certificates: automatic HTTPS ---- */

static int compare_entries(const void *a, const void *b)
{
    return str_cmp((*(const struct host_entry *const *)a)->host,
                   (*(const struct host_entry *const *)b)->host);
}

/* " a.com b.com>443 *": a host, a host with its redirect, any host. */
static void print_hosts(const struct listener_conf *l, struct buf *out)
{
    const struct host_entry *sorted[64];
    size_t n = 0;

    if (l->any != NULL)
        sorted[n++] = l->any;
    for (size_t i = 0; i < l->n_buckets; i++)
        if (l->buckets[i] != NULL)
            sorted[n++] = l->buckets[i];
    qsort(sorted, n, sizeof sorted[0], compare_entries);
    for (size_t i = 0; i < n; i++) {
        PUT(out, " " STR_FMT, STR_ARG(sorted[i]->host.len == 0 ? STR_LIT("*") : sorted[i]->host));
        if (sorted[i]->site == NULL)
            PUT(out, ">%u", (unsigned)sorted[i]->https_port);
    }
}

static void print_listener(const struct listener_conf *l, struct buf *out)
{
    char ip[INET6_ADDRSTRLEN];
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&l->addr;
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)&l->addr;

    if (l->addr.ss_family == AF_INET6) {
        inet_ntop(AF_INET6, &v6->sin6_addr, ip, sizeof ip);
        assert_int_equal(ntohs(v6->sin6_port), l->port);
    } else {
        inet_ntop(AF_INET, &v4->sin_addr, ip, sizeof ip);
        assert_int_equal(ntohs(v4->sin_port), l->port);
    }
    PUT(out, "%s:%u %s%s:", ip, (unsigned)l->port, l->tls ? "tls" : "plain",
        l->implicit ? "?" : "");
    print_hosts(l, out);
    PUT(out, "\n");
}

static void print_certs(const struct conf *c, struct buf *out)
{
    static const char *const sources[] = {"none", "acme", "internal", "files"};

    PUT(out, "certs:");
    for (size_t i = 0; i < c->n_certs; i++)
        PUT(out, " %s=%s", c->certs[i].name, sources[c->certs[i].tls->source]);
}

static const struct {
    const char *text;
    const char *compiled; /* a listener a line ("?": implicit), then the certificates */
} https_cases[] = {
    {"example.com", ":::443 tls: example.com\n:::80 plain?: example.com>443\n"
                    "certs: example.com=acme"},
    {"Example.COM, www.example.com {\n}", ":::443 tls: example.com www.example.com\n"
                                          ":::80 plain?: example.com>443 www.example.com>443\n"
                                          "certs: example.com=acme www.example.com=acme"},
    {":8080", ":::8080 plain: *\ncerts:"},
    {":80", ":::80 plain: *\ncerts:"},
    {"http://", ":::80 plain: *\ncerts:"},
    {"http://example.com", ":::80 plain: example.com\ncerts:"},
    {"http://example.com:8080", ":::8080 plain: example.com\ncerts:"},
    {"example.com:80", ":::80 plain: example.com\ncerts:"},
    {"localhost", ":::443 tls: localhost\n:::80 plain?: localhost>443\n"
                  "certs: localhost=internal"},
    {"localhost:8080", ":::8080 tls: localhost\n:::80 plain?: localhost>8080\n"
                       "certs: localhost=internal"},
    {"a.localhost, b.local, c.internal, d.home.arpa, 192.0.2.7, [::1] {\n}",
     ":::443 tls: 192.0.2.7 ::1 a.localhost b.local c.internal d.home.arpa\n"
     ":::80 plain?: 192.0.2.7>443 ::1>443 a.localhost>443 b.local>443 c.internal>443 "
     "d.home.arpa>443\n"
     "certs: 192.0.2.7=internal ::1=internal a.localhost=internal b.local=internal "
     "c.internal=internal d.home.arpa=internal"},
    {"localhost, example.com {\n}",
     ":::443 tls: example.com localhost\n:::80 plain?: example.com>443 localhost>443\n"
     "certs: example.com=acme localhost=internal"},
    /* the options */
    {"{\nlocal_certs\n}\nexample.com",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=internal"},
    {"{\nlocal_certs\n}\nexample.com {\ntls {\nca https://ca.test/\n}\n}",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=acme"},
    {"{\nhttp_port 8080\nhttps_port 8443\n}\nexample.com",
     ":::8443 tls: example.com\n:::8080 plain?: example.com>8443\ncerts: example.com=acme"},
    {"{\nhttp_port 8080\n}\nexample.com:8080", ":::8080 plain: example.com\ncerts:"},
    {"{\nauto_https disable_redirects\n}\nexample.com\n",
     ":::443 tls: example.com\n:::80 plain?:\ncerts: example.com=acme"},
    {"{\nauto_https disable_redirects\n}\nlocalhost\n",
     ":::443 tls: localhost\ncerts: localhost=internal"},
    {"{\nauto_https off\n}\nexample.com {\ntls internal\n}",
     ":::443 tls: example.com\ncerts: example.com=internal"},
    {"{\nauto_https disable_certs\n}\nexample.com {\ntls internal\n}",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=internal"},
    {"{\nauto_https off\n}\nhttp://example.com", ":::80 plain: example.com\ncerts:"},
    /* tls */
    {"example.com {\ntls internal\n}",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=internal"},
    {"example.com {\ntls me@example.com\n}",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=acme"},
    {"example.com {\ntls /c.pem /k.pem\n}",
     ":::443 tls: example.com\n:::80 plain?: example.com>443\ncerts: example.com=files"},
    {"localhost {\ntls {\nca https://ca.test/\n}\n}",
     ":::443 tls: localhost\n:::80 plain?: localhost>443\ncerts: localhost=acme"},
    {"*.example.com {\ntls internal\n}",
     ":::443 tls: *.example.com\n:::80 plain?: *.example.com>443\n"
     "certs: *.example.com=internal"},
    {"*.localhost", ":::443 tls: *.localhost\n:::80 plain?: *.localhost>443\n"
                    "certs: *.localhost=internal"},
    {"http://localhost, localhost {\ntls internal\n}",
     ":::80 plain: localhost\n:::443 tls: localhost\ncerts: localhost=internal"},
    /* a wildcard from files covers what it can */
    {"*.example.com {\ntls /c /k\n}\na.example.com {\n}\nexample.com {\n}\na.b.example.com {\n}",
     ":::443 tls: *.example.com a.b.example.com a.example.com example.com\n"
     ":::80 plain?: *.example.com>443 a.b.example.com>443 a.example.com>443 example.com>443\n"
     "certs: *.example.com=files a.b.example.com=acme a.example.com=files example.com=acme"},
    {"*.example.com {\ntls /c /k\n}\na.example.com {\ntls me@example.com\n}",
     ":::443 tls: *.example.com a.example.com\n"
     ":::80 plain?: *.example.com>443 a.example.com>443\n"
     "certs: *.example.com=files a.example.com=acme"},
    {"{\nauto_https ignore_loaded_certs\n}\n"
     "*.example.com {\ntls /c /k\n}\na.example.com {\n}",
     ":::443 tls: *.example.com a.example.com\n"
     ":::80 plain?: *.example.com>443 a.example.com>443\n"
     "certs: *.example.com=files a.example.com=acme"},
    /* redirects give way */
    {"example.com {\n}\nhttp://example.com {\n}",
     ":::443 tls: example.com\n:::80 plain: example.com\ncerts: example.com=acme"},
    {"example.com {\n}\n:80 {\n}",
     ":::443 tls: example.com\n:::80 plain: * example.com>443\ncerts: example.com=acme"},
    {"example.com:8443 {\n}\nexample.com {\n}",
     ":::8443 tls: example.com\n:::443 tls: example.com\n:::80 plain?: example.com>443\n"
     "certs: example.com=acme"},
    /* bind */
    {"{\ndefault_bind 127.0.0.1 ::1\n}\nlocalhost",
     "127.0.0.1:443 tls: localhost\n::1:443 tls: localhost\n"
     "127.0.0.1:80 plain?: localhost>443\n::1:80 plain?: localhost>443\n"
     "certs: localhost=internal"},
    {"{\ndefault_bind 127.0.0.1\n}\nlocalhost {\nbind [::1]\n}",
     "::1:443 tls: localhost\n::1:80 plain?: localhost>443\ncerts: localhost=internal"},
    {"localhost:8443 {\nbind 127.0.0.1\n}\nhttp://localhost:8443 {\nbind 127.0.0.2\n}",
     "127.0.0.1:8443 tls: localhost\n127.0.0.2:8443 plain: localhost\n"
     "127.0.0.1:80 plain?: localhost>8443\ncerts: localhost=internal"},
    {":8080 {\nbind 0.0.0.0\n}\n:8081 {\nbind ::\n}\n:8081 {\nbind localhost\n}",
     "0.0.0.0:8080 plain: *\n:::8081 plain: *\n127.0.0.1:8081 plain: *\ncerts:"},
};

static void decides_automatic_https(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(https_cases); i++) {
        struct conf *c = load(https_cases[i].text);
        struct buf got = BUF_INIT(65536);

        for (size_t l = 0; l < c->n_listeners; l++) {
            assert_int_equal(c->listeners[l].index, l);
            print_listener(&c->listeners[l], &got);
        }
        print_certs(c, &got);
        assert_string_equal(got.p, https_cases[i].compiled);
        buf_fini(&got);
        conf_unref(c);
    }
}

/* ---- hosts ---- */

static void expect_site(const struct listener_conf *l, const char *host, const char *site)
{
    const struct host_entry *e = listener_find(l, str_of(host));

    if (site == NULL)
        assert_null(e);
    else if (e == NULL || e->site == NULL || !str_is(e->site->name, site))
        fail_msg("%s is not found at %s", host, site);
}

static void finds_hosts(void **state)
{
    struct conf *c = load("http://a.com {\n}\nhttp://*.a.com {\n}\nhttp://b.a.com {\n}\n");
    char longest[400];

    (void)state;
    memset(longest, 'x', sizeof longest);
    longest[sizeof longest - 1] = '\0';
    expect_site(&c->listeners[0], "a.com", "http://a.com");
    expect_site(&c->listeners[0], "A.COM", "http://a.com");
    expect_site(&c->listeners[0], "b.a.com", "http://b.a.com");
    expect_site(&c->listeners[0], "c.a.com", "http://*.a.com");
    expect_site(&c->listeners[0], "d.c.a.com", NULL);
    expect_site(&c->listeners[0], ".a.com", NULL);
    expect_site(&c->listeners[0], "com", NULL);
    expect_site(&c->listeners[0], "", NULL);
    expect_site(&c->listeners[0], longest, NULL);
    conf_unref(c);
    c = load("http://a.com {\n}\nhttp:// {\n}\n");
    expect_site(&c->listeners[0], "a.com", "http://a.com");
    expect_site(&c->listeners[0], "b.com", "http://");
    expect_site(&c->listeners[0], "", "http://");
    expect_site(&c->listeners[0], longest, "http://");
    conf_unref(c);
}

static void finds_many_hosts(void **state)
{
    enum { SITES = 3000 };
    struct buf text = BUF_INIT(1 << 20);
    struct conf *c;

    (void)state;
    for (unsigned i = 0; i < SITES; i++)
        PUT(&text, "http://site-%u.example.com {\nrespond %u\n}\n", i, i);
    c = load(text.p);
    assert_int_equal(c->n_sites, SITES);
    assert_int_equal(c->n_listeners, 1);
    for (unsigned i = 0; i < SITES; i++) {
        char host[64];
        const struct host_entry *e;

        snprintf(host, sizeof host, "site-%u.example.com", i);
        e = listener_find(&c->listeners[0], str_of(host));
        assert_non_null(e);
        assert_int_equal(e->site->index, i);
        assert_int_equal(e->site->route.rows[0].slot, i);
    }
    assert_null(listener_find(&c->listeners[0], STR_LIT("site-3000.example.com")));
    buf_fini(&text);
    conf_unref(c);
}

/* ---- handler rows ---- */

static const struct {
    const char *body; /* of one site */
    const char *rows; /* in order: directive, its first argument, its matcher */
} row_cases[] = {
    {"", ""},
    {"respond hi", "respond(hi)"},
    {"file_server\nreverse_proxy a\nrespond hi\nredir /x\nheader A b\nroot /srv",
     "root(/srv) header(A) redir(/x) respond(hi) reverse_proxy(a) file_server()"},
    /* matchers */
    {"respond *", "respond()"},
    {"respond /", "respond()=/"},
    {"respond /a b", "respond(b)=/a"},
    {"respond /a* b", "respond(b)^/a"},
    {"respond /a/* b", "respond(b)^/a/"},
    {"respond /a/*.css b", "respond(b)~/a/*.css"},
    {"respond /a?b* c", "respond(c)^/a?b"},
    {"respond \"/a\" 200", "respond(200)=/a"},
    {"respond `*`", "respond()"},
    {"root /srv", "root(/srv)"},
    {"root * /srv", "root(/srv)"},
    {"root /a /srv", "root(/srv)=/a"},
    {"redir /new", "redir(/new)"},
    {"redir /old /new", "redir(/new)=/old"},
    {"redir /old /new 301", "redir(/new)=/old"},
    {"redir * /new 301", "redir(/new)"},
    {"redir https://{host}{uri}", "redir(https://)"},
    {"file_server /a", "file_server()=/a"},
    {"reverse_proxy /a b:80 c:80", "reverse_proxy(b:80)=/a"},
    /* order of the same directive */
    {"respond c\nrespond /a b\nrespond /abc a", "respond(a)=/abc respond(b)=/a respond(c)"},
    {"respond /foo* b\nrespond /foo a", "respond(a)=/foo respond(b)^/foo"},
    {"respond /foo* b\nrespond /fooo c\nrespond /foo a",
     "respond(c)=/fooo respond(a)=/foo respond(b)^/foo"},
    {"respond * c\nrespond b\nrespond /a a", "respond(a)=/a respond(c) respond(b)"},
    {"respond /aa 1\nrespond /bb 2\nrespond /cc 3", "respond(1)=/aa respond(2)=/bb respond(3)=/cc"},
    {"header A 1\nheader /x B 2\nheader C 3", "header(B)=/x header(A) header(C)"},
    {"respond /b 1\nrespond /a 2", "respond(2)=/a respond(1)=/b"},
    /* named matchers: one path counts as a path; others come before none */
    {"@a path /abc\nrespond 1\nrespond /a 2\nrespond @a 3",
     "respond(3)=/abc respond(2)=/a respond(1)"},
    {"respond 1\nrespond @a 2\n@a path /a /b", "respond(2)=/a respond(1)"},
    {"@a path /a /bcd\nrespond /x 1\nrespond @a 2", "respond(1)=/x respond(2)=/a"},
    {"@a {\npath /a\npath /b\n}\nrespond @a 2", "respond(2)=/a"},
};

static void print_rows(const struct site *site, struct buf *out)
{
    static const char signs[] = {'*', '=', '^', '$', '-', '~', '%', '{'};

    PUT(out, "%s", "");
    for (size_t i = 0; i < site->route.n_rows; i++) {
        const struct handler_row *row = &site->route.rows[i];
        const struct fake *f = row->conf;
        struct str first = f->first.n_parts > 0 ? f->first.parts[0].text : STR_LIT("");

        PUT(out, "%s%s(" STR_FMT ")", i > 0 ? " " : "", f->name, STR_ARG(first));
        if (row->matcher.n > 0) {
            const struct path_condition *path = row->matcher.all[0].conf;

            PUT(out, "%c" STR_FMT, signs[path->list[0].kind], STR_ARG(path->list[0].text));
        }
    }
}

static void orders_rows(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(row_cases); i++) {
        struct buf text = BUF_INIT(65536), got = BUF_INIT(65536);
        struct conf *c;

        PUT(&text, "http://a {\n%s\n}\n", row_cases[i].body);
        c = load(text.p);
        print_rows(c->sites[0], &got);
        assert_string_equal(got.p, row_cases[i].rows);
        buf_fini(&text);
        buf_fini(&got);
        conf_unref(c);
    }
}

/* What two directives share must not depend on anything but what they say. */
static void shares_what_is_equal(void **state)
{
    static const struct {
        const char *text;
        size_t n_handlers;
    } rows[] = {
        {"http://a {\nhandle {\nrespond\n}\n}\nhttp://b {\nhandle {\nrespond\n}\n}\n", 2},
        {"http://a {\nhandle {\n@m path /a\nrespond @m\n}\n}\n"
         "http://b {\nhandle {\n@m path /b\nrespond @m\n}\n}\n",
         3},
        {"http://a {\ncount\n}\nhttp://b {\ncount\n}\n", 2},
        {"http://a {\nhandle {\ncount\n}\n}\nhttp://b {\nhandle {\ncount\n}\n}\n", 4},
        {"http://a {\nroute {\nhandle {\ncount\n}\n}\n}\nhttp://b {\nroute {\nhandle "
         "{\ncount\n}\n}\n"
         "}\n",
         6},
        {"http://a {\nhandle_errors 404 {\nrespond\n}\nhandle_errors 500 {\nrespond\n}\n}\n", 3},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct conf *c = load(rows[i].text);

        assert_int_equal(c->n_handlers, rows[i].n_handlers);
        conf_unref(c);
    }
}

static void numbers_slots(void **state)
{
    struct conf *c = load("http://a {\nrespond\nroot /\n}\nhttp://b {\nrespond\n}\n");

    (void)state;
    assert_int_equal(c->n_handlers, 2);                   /* the two respond say the same */
    assert_int_equal(c->sites[0]->route.rows[0].slot, 1); /* root comes first */
    assert_int_equal(c->sites[0]->route.rows[1].slot, 0);
    assert_int_equal(c->sites[1]->route.rows[0].slot, 0);
    assert_int_equal(c->handlers[1].line, 3);
    assert_true(str_is(c->handlers[1].file, "f"));
    conf_unref(c);
}

/* What a name stands for is a part of what a directive says. */
static void shares_no_names(void **state)
{
    struct conf *c = load("http://a {\nhandle /x {\n@m path /1\nrespond @m\n}\n"
                          "handle /y {\n@m path /2\nrespond @m\n}\n}\n");
    const struct route *r = &c->sites[0]->route;

    (void)state;
    assert_int_equal(r->n_rows, 2);
    assert_int_not_equal(r->rows[0].slot, r->rows[1].slot);
    conf_unref(c);
}

/* ---- options and what sites set ---- */

static void has_defaults(void **state)
{
    struct conf *c;
    const struct options *o;

    (void)state;
    setenv("XDG_DATA_HOME", "/data", 1);
    c = load("example.com");
    o = &c->options;
    assert_string_equal(o->storage, "/data/lintel");
    assert_string_equal(o->admin, "/data/lintel/admin.sock");
    assert_int_equal(o->http_port, 80);
    assert_int_equal(o->https_port, 443);
    assert_int_equal(o->grace_period_ms, 10000);
    assert_int_equal(o->renew_interval_ms, 600000);
    assert_int_equal(o->ticket_rotation_ms, 43200000);
    assert_int_equal(o->header_timeout_ms, 60000);
    assert_int_equal(o->body_timeout_ms, 60000);
    assert_int_equal(o->idle_timeout_ms, 300000);
    assert_int_equal(o->max_header_size, 16384);
    assert_int_equal(o->max_connections, 0);
    assert_int_equal(o->workers, 0);
    assert_int_equal(o->log_level, LOG_INFO);
    assert_string_equal(c->certs[0].tls->ca, "https://acme-v02.api.letsencrypt.org/directory");
    assert_int_equal(c->certs[0].tls->key_type, KEY_P256);
    assert_int_equal(c->certs[0].tls->min_version, TLS_1_2);
    assert_int_equal(c->certs[0].tls->max_version, TLS_1_3);
    assert_int_equal(c->sites[0]->hsts.mode, HSTS_RAMP);
    assert_int_equal(c->sites[0]->n_logs, 0);
    assert_true(str_is(c->path, "f"));
    conf_unref(c);
}

static void finds_storage(void **state)
{
    static const struct {
        const char *xdg, *home, *storage;
    } cases[] = {
        {"/x", "/h", "/x/lintel"},
        {"x", "/h", "/h/.local/share/lintel"},
        {NULL, "/h", "/h/.local/share/lintel"},
        {NULL, NULL, "/var/lib/lintel"},
        {"", "", "/var/lib/lintel"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct conf *c;

        unsetenv("XDG_DATA_HOME");
        unsetenv("HOME");
        if (cases[i].xdg != NULL)
            setenv("XDG_DATA_HOME", cases[i].xdg, 1);
        if (cases[i].home != NULL)
            setenv("HOME", cases[i].home, 1);
        c = load(":80");
        assert_string_equal(c->options.storage, cases[i].storage);
        conf_unref(c);
    }
}

static void takes_options(void **state)
{
    struct conf *c =
        load("{\n"
             "email me@example.com\nacme_ca https://ca.test/dir\nacme_ca_root /ca.pem\n"
             "acme_eab {\nkey_id kid\nmac_key a-b_C=\n}\n"
             "http_port 8080\nhttps_port 8443\nstorage file_system /var/x\n"
             "grace_period 3s\nadmin off\nrenew_interval 5s\n"
             "workers 3\nticket_rotation 1h\nkey_type rsa2048\n"
             "servers {\ntimeouts {\nread_header 5s\nread_body 6s\nidle 7s\n}\n"
             "max_header_size 32KiB\nmax_connections 500\nprotocols h1 h2 h3\nstrict_sni_host "
             "on\n0rtt off\n}\n"
             "log {\nlevel WARN\noutput stderr\n}\ndebug\nshutdown_delay 2s\n"
             "default_sni Example.com\nrenewal_window_ratio 0.25\npersist_config off\n"
             "skip_install_trust\nocsp_stapling off\norder redir last\n"
             "order respond before header\n"
             "}\nexample.com {\nredir /a\nheader A b\nrespond x\n}\n");
    const struct options *o = &c->options;
    const struct tls_conf *tls = c->certs[0].tls;

    (void)state;
    assert_string_equal(o->storage, "/var/x");
    assert_string_equal(o->admin, "");
    assert_int_equal(o->grace_period_ms, 3000);
    assert_int_equal(o->renew_interval_ms, 5000);
    assert_int_equal(o->ticket_rotation_ms, 3600000);
    assert_int_equal(o->header_timeout_ms, 5000);
    assert_int_equal(o->body_timeout_ms, 6000);
    assert_int_equal(o->idle_timeout_ms, 7000);
    assert_int_equal(o->max_header_size, 32768);
    assert_int_equal(o->max_connections, 500);
    assert_int_equal(o->workers, 3);
    assert_int_equal(o->log_level, LOG_DEBUG);
    assert_int_equal(o->shutdown_delay_ms, 2000);
    assert_true(o->strict_sni);
    assert_true(str_is(o->default_sni, "example.com"));
    assert_int_equal(tls->renewal_permille, 250);
    assert_string_equal(tls->email, "me@example.com");
    assert_string_equal(tls->ca, "https://ca.test/dir");
    assert_string_equal(tls->ca_root, "/ca.pem");
    assert_string_equal(tls->eab_key_id, "kid");
    assert_string_equal(tls->eab_mac_key, "a-b_C=");
    assert_int_equal(tls->key_type, KEY_RSA2048);
    conf_unref(c);
    c = load("{\nadmin unix//run/x.sock\nstorage file_system {\nroot /y\n}\n}\n:80");
    assert_string_equal(c->options.admin, "/run/x.sock");
    assert_string_equal(c->options.storage, "/y");
    conf_unref(c);
}

/* Directives of the one site, in the order in which they are asked. */
static void takes_orders(void **state)
{
    static const struct {
        const char *orders, *rows;
    } cases[] = {
        {"", "header(A) redir(/x) respond(r)"},
        {"order respond first\n", "respond(r) header(A) redir(/x)"},
        {"order header last\n", "redir(/x) respond(r) header(A)"},
        {"order respond before redir\n", "header(A) respond(r) redir(/x)"},
        {"order header after respond\n", "redir(/x) respond(r) header(A)"},
        {"order respond first\norder redir first\n", "redir(/x) respond(r) header(A)"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text = BUF_INIT(65536), got = BUF_INIT(65536);
        struct conf *c;

        PUT(&text, "{\nadmin off\n%s}\nhttp://a {\nrespond r\nredir /x\nheader A b\n}\n",
            cases[i].orders);
        c = load(text.p);
        print_rows(c->sites[0], &got);
        assert_string_equal(got.p, cases[i].rows);
        buf_fini(&text);
        buf_fini(&got);
        conf_unref(c);
    }
}

static void takes_issuers(void **state)
{
    struct conf *c =
        load("{\ncert_issuer acme https://ca.test/d {\nemail a@b.c\n}\n}\n"
             "a.com {\n}\nb.com {\ntls {\nissuer internal\n}\n}\n"
             "c.com {\ntls {\nalpn http/1.1 h2\nrenewal_window_ratio 0.5\nissuer acme {\n"
             "dir https://o.test/d\ntrusted_roots /r.pem\n}\n}\n}\n");

    (void)state;
    assert_string_equal(c->certs[0].tls->ca, "https://ca.test/d");
    assert_string_equal(c->certs[0].tls->email, "a@b.c");
    assert_int_equal(c->certs[1].tls->source, CERT_INTERNAL);
    assert_int_equal(c->certs[2].tls->source, CERT_ACME);
    assert_string_equal(c->certs[2].tls->ca, "https://o.test/d");
    assert_string_equal(c->certs[2].tls->ca_root, "/r.pem");
    assert_int_equal(c->certs[2].tls->renewal_permille, 500);
    conf_unref(c);
}

static void takes_tls(void **state)
{
    struct conf *c = load("{\nemail a@b.c\nkey_type p384\n}\n"
                          "a.com {\ntls x@y.z {\nca https://a.test/\nca_root /r\neab k m\n"
                          "key_type ed25519\nprotocols tls1.3\n}\n}\n"
                          "b.com {\ntls c.pem ./k.pem {\nprotocols tls1.2 tls1.2\n}\n}\n"
                          "c.com {\n}\n");
    const struct tls_conf *a = c->certs[0].tls, *b = c->certs[1].tls, *d = c->certs[2].tls;
    char cwd[4096], want[5000];

    (void)state;
    assert_string_equal(a->email, "x@y.z");
    assert_string_equal(a->ca, "https://a.test/");
    assert_string_equal(a->ca_root, "/r");
    assert_string_equal(a->eab_key_id, "k");
    assert_string_equal(a->eab_mac_key, "m");
    assert_int_equal(a->key_type, KEY_ED25519);
    assert_int_equal(a->min_version, TLS_1_3);
    assert_int_equal(a->max_version, TLS_1_3);
    assert_non_null(getcwd(cwd, sizeof cwd));
    snprintf(want, sizeof want, "%s/c.pem", cwd);
    assert_string_equal(b->cert_file, want);
    snprintf(want, sizeof want, "%s/k.pem", cwd);
    assert_string_equal(b->key_file, want);
    assert_int_equal(b->source, CERT_FILES);
    assert_int_equal(b->max_version, TLS_1_2);
    assert_int_equal(b->key_type, KEY_P384);
    assert_string_equal(d->email, "a@b.c");
    assert_int_equal(d->source, CERT_ACME);
    conf_unref(c);
}

static void takes_hsts(void **state)
{
    static const struct {
        const char *words;
        enum hsts_mode mode;
        const char *value;
    } cases[] = {
        {"off", HSTS_OFF, ""},
        {"0", HSTS_FIXED, "max-age=0"},
        {"31536000", HSTS_FIXED, "max-age=31536000"},
        {"365d", HSTS_FIXED, "max-age=31536000"},
        {"1h includeSubDomains", HSTS_FIXED, "max-age=3600; includeSubDomains"},
        {"1h preload includesubdomains", HSTS_FIXED, "max-age=3600; includeSubDomains; preload"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf text = BUF_INIT(1024);
        struct conf *c;

        PUT(&text, "a.com {\nhsts %s\n}\n", cases[i].words);
        c = load(text.p);
        assert_int_equal(c->sites[0]->hsts.mode, cases[i].mode);
        assert_true(str_is(c->sites[0]->hsts.value, cases[i].value));
        buf_fini(&text);
        conf_unref(c);
    }
}

static void makes_logs(void **state)
{
    static const struct {
        const char *path, *logger;
        enum log_format format;
        bool errors_only;
        unsigned mode;
    } want[] = {
        {"stderr", "http.log.access", LOG_FORMAT_JSON, false, 0640},
        {"/x", "http.log.access.log0", LOG_FORMAT_COMBINED, false, 0640},
        {"/x", "http.log.access.mine", LOG_FORMAT_CONSOLE, true, 0640},
        {NULL, "http.log.access.log1", LOG_FORMAT_JSON, false, 0640},
        {"/y", "http.log.access.log2", LOG_FORMAT_JSON, true, 0600},
        {"stderr", "http.log.access.alone", LOG_FORMAT_JSON, false, 0640},
    };
    struct conf *c = load("http://a {\nlog\n}\n"
                          "http://b {\nlog {\noutput file /x\nformat combined\n}\n}\n"
                          "http://c {\nlog mine {\nformat console\nlevel warn\noutput file /x\n}\n"
                          "log {\noutput discard\n}\n}\n"
                          "http://d {\nlog {\nlevel ERROR\noutput file /y {\nmode 0600\n"
                          "roll_disabled\n}\n}\nlog alone\n}\n"
                          "http://f {\n}\n");

    (void)state;
    assert_int_equal(c->n_logs, ARRAY_LEN(want));
    for (size_t i = 0; i < c->n_logs; i++) {
        assert_int_equal(c->logs[i].index, i);
        assert_true(str_is(c->logs[i].logger, want[i].logger));
        assert_int_equal(c->logs[i].format, want[i].format);
        assert_int_equal(c->logs[i].errors_only, want[i].errors_only);
        assert_int_equal(c->logs[i].mode, want[i].mode);
        assert_true(str_eq(str_of(c->logs[i].path), str_of(want[i].path)));
    }
    assert_int_equal(c->sites[2]->n_logs, 2);
    assert_ptr_equal(c->sites[2]->logs[1].log, &c->logs[3]);
    assert_int_equal(c->sites[2]->logs[0].n_hosts, 0);
    assert_int_equal(c->sites[4]->n_logs, 0);
    conf_unref(c);
}

static void gives_logs_their_hosts(void **state)
{
    struct conf *c = load("http://*.a, http://b {\nlog one {\nhostnames x.a y.a\n}\nlog two\n"
                          "log three {\nno_hostname\n}\nlog_name /z three one\n}\n");
    const struct site *site = c->sites[0];

    (void)state;
    assert_int_equal(c->n_logs, 3);
    assert_int_equal(site->n_logs, 2);
    assert_int_equal(site->logs[0].n_hosts, 2);
    assert_true(str_is(site->logs[0].hosts[1], "y.a"));
    assert_int_equal(site->logs[1].n_hosts, 2);
    assert_true(str_is(site->logs[1].hosts[0], "*.a"));
    assert_true(str_is(site->logs[1].hosts[1], "b"));
    conf_unref(c);
}

static void counts_references(void **state)
{
    struct conf *c = load(":80");

    (void)state;
    assert_ptr_equal(conf_ref(c), c);
    conf_unref(c);
    assert_int_equal(c->n_sites, 1);
    conf_unref(c);
    conf_unref(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decides_automatic_https),
        cmocka_unit_test(finds_hosts),
        cmocka_unit_test(finds_many_hosts),
        cmocka_unit_test(orders_rows),
        cmocka_unit_test(numbers_slots),
        cmocka_unit_test(shares_no_names),
        cmocka_unit_test(shares_what_is_equal),
        cmocka_unit_test(has_defaults),
        cmocka_unit_test(finds_storage),
        cmocka_unit_test(takes_options),
        cmocka_unit_test(takes_orders),
        cmocka_unit_test(takes_issuers),
        cmocka_unit_test(takes_tls),
        cmocka_unit_test(takes_hsts),
        cmocka_unit_test(makes_logs),
        cmocka_unit_test(gives_logs_their_hosts),
        cmocka_unit_test(counts_references),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
