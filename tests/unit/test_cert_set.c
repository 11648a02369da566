/* The snapshot of certificates: look-up, wildcards, suggestions, challenge answers, references. */
#include "base/alloc.h"
#include "cert/cert_set.h"
#include "cert/keys.h"
#include "cert/x509.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static struct cred *new_cred(const char *name)
{
    struct buf cert = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct err e;
    struct cred *c;

    assert_int_equal(x509_alpn(str_of(name), STR_LIT("x"), &cert, &key, NULL), 0);
    c = cred_new(buf_str(&cert), buf_str(&key), &e);
    if (c == NULL)
        fail_msg("%s", e.msg);
    buf_fini(&cert);
    buf_fini(&key);
    return c;
}

static void add(struct cert_set *s, const char *name, struct cred *cred)
{
    char copy[64];
    struct cert_entry entry = {.cred = cred, .reason = cred == NULL ? "not yet" : ""};

    snprintf(copy, sizeof copy, "%s", name);
    entry.name = str_of(copy);
    cert_set_add(s, &entry);
    memset(copy, 'x', sizeof copy); /* the set has its own copy */
}

static struct cert_set *sample(void)
{
    static const char *const names[] = {
        "www.example.com", "example.com", "*.example.com", "a.b.example.com",
        "192.0.2.1",       "::1",         "localhost",     "io",
    };
    struct cert_set *s = cert_set_new();

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        add(s, names[i], NULL);
    cert_set_seal(s);
    return s;
}

static void finds_exactly_then_by_wildcard(void **state)
{
    static const struct {
        const char *asked, *found; /* NULL: nothing */
    } rows[] = {
        {"example.com", "example.com"},
        {"www.example.com", "www.example.com"},
        {"other.example.com", "*.example.com"},
        {"*.example.com", "*.example.com"},
        {"b.example.com", "*.example.com"},
        {"a.b.example.com", "a.b.example.com"},
        {"x.b.example.com", NULL},
        {".example.com", NULL},
        {"com", NULL},
        {"example.comx", NULL},
        {"192.0.2.1", "192.0.2.1"},
        {"192.0.2.2", NULL},
        {"::1", "::1"},
        {"localhost", "localhost"},
        {"", NULL},
        {".", NULL},
    };
    struct cert_set *s = sample(), *empty = cert_set_new();
    char longest[300];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct cert_entry *e = cert_set_find(s, str_of(rows[i].asked));

        if ((e == NULL) != (rows[i].found == NULL) ||
            (e != NULL && !str_is(e->name, rows[i].found)))
            fail_msg("%s: found %.*s", rows[i].asked, e == NULL ? 0 : (int)e->name.len,
                     e == NULL ? "" : e->name.p);
        if (e != NULL)
            assert_string_equal(e->reason, "not yet");
    }
    memset(longest, 'a', sizeof longest);
    memcpy(longest + sizeof longest - 12, ".example.com", 12);
    assert_null(cert_set_find(s, (struct str){longest, sizeof longest}));
    assert_non_null(cert_set_find(s, (struct str){longest + 300 - 253, 253}));
    cert_set_seal(empty);
    assert_null(cert_set_find(empty, STR_LIT("example.com")));
    cert_set_unref(empty);
    cert_set_unref(s);
    cert_set_unref(NULL);
}

static void suggests_what_is_near(void **state)
{
    static const struct {
        const char *asked, *near;
    } rows[] = {
        {"exmaple.com", "example.com"},
        {"ww.example.com", "www.example.com"},
        {"localhos", "localhost"},
        {"at", ""}, /* two letters of "io" away: any name of two letters is */
        {"something.else.test", ""},
        {"", ""},
    };
    struct cert_set *s = sample();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (!str_is(cert_set_nearest(s, str_of(rows[i].asked)), rows[i].near))
            fail_msg("%s", rows[i].asked);
    cert_set_unref(s);
}

static void many_names_are_all_found(void **state)
{
    enum { N = 3000 };
    struct cert_set *s = cert_set_new();
    char name[64];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "n%u.test", i * 2654435761u);
        add(s, name, NULL);
    }
    cert_set_seal(s);
    for (unsigned i = 0; i < N; i++) {
        snprintf(name, sizeof name, "n%u.test", i * 2654435761u);
        assert_true(str_is(cert_set_find(s, str_of(name))->name, name));
    }
    cert_set_unref(s);
}

static void challenge_answers_are_found(void **state)
{
    struct cert_set *s = cert_set_new();
    struct cred *a = new_cred("a.test"), *b = new_cred("b.test");

    (void)state;
    cert_set_add_alpn(s, STR_LIT("b.test"), b);
    cert_set_add_alpn(s, STR_LIT("a.test"), a);
    cert_set_add_http01(s, STR_LIT("token2"), STR_LIT("token2.thumb"));
    cert_set_add_http01(s, STR_LIT("token1"), STR_LIT("token1.thumb"));
    cert_set_seal(s);
    assert_ptr_equal(cert_set_alpn(s, STR_LIT("a.test")), a);
    assert_ptr_equal(cert_set_alpn(s, STR_LIT("b.test")), b);
    assert_null(cert_set_alpn(s, STR_LIT("c.test")));
    assert_true(str_is(cert_set_http01(s, STR_LIT("token1")), "token1.thumb"));
    assert_true(str_is(cert_set_http01(s, STR_LIT("token2")), "token2.thumb"));
    assert_int_equal(cert_set_http01(s, STR_LIT("token")).len, 0);
    assert_null(cert_set_find(s, STR_LIT("a.test")));
    cred_unref(a);
    cred_unref(b);
    assert_non_null(cred_gnutls(cert_set_alpn(s, STR_LIT("a.test")))); /* the set's reference */
    cert_set_unref(s);
}

static void *come_and_go(void *arg)
{
    struct cert_set *s = arg;

    for (int i = 0; i < 20000; i++) {
        struct cert_set *mine = cert_set_ref(s);
        const struct cert_entry *e = cert_set_find(mine, STR_LIT("a.test"));
        struct cred *c = cred_ref(e->cred);

        cert_set_unref(mine);
        cred_unref(c);
    }
    cert_set_unref(s);
    return NULL;
}

static void threads_share(void **state)
{
    struct cert_set *s = cert_set_new();
    struct cred *c = new_cred("a.test");
    pthread_t threads[3];

    (void)state;
    add(s, "a.test", c);
    cred_unref(c);
    cert_set_seal(s);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        assert_int_equal(pthread_create(&threads[i], NULL, come_and_go, cert_set_ref(s)), 0);
    cert_set_unref(s);
    for (size_t i = 0; i < ARRAY_LEN(threads); i++)
        pthread_join(threads[i], NULL);
}

static void bad_pairs_are_refused(void **state)
{
    struct buf cert = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX),
               other = BUF_INIT(KEY_PEM_MAX);
    struct key *k = key_generate(KEY_P256, NULL);
    struct err e = {0};

    (void)state;
    assert_int_equal(x509_alpn(STR_LIT("a.test"), STR_LIT("x"), &cert, &key, NULL), 0);
    assert_int_equal(key_pem(k, &other, NULL), 0);
    assert_null(cred_new(buf_str(&cert), buf_str(&other), &e));
    assert_string_equal(e.msg, "the certificate was not made for this private key");
    assert_null(cred_new(STR_LIT(""), buf_str(&key), &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_null(cred_new(buf_str(&cert), STR_LIT(""), &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_null(cred_new(buf_str(&key), buf_str(&cert), &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    buf_fini(&cert);
    buf_fini(&key);
    buf_fini(&other);
    key_free(k);
}

/* ---- a handshake with each kind of key ---- */

static gnutls_session_t new_session(unsigned side, gnutls_certificate_credentials_t cred, int fd)
{
    gnutls_session_t session;

    assert_int_equal(gnutls_init(&session, side | GNUTLS_NONBLOCK), 0);
    assert_int_equal(gnutls_set_default_priority(session), 0);
    assert_int_equal(gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, cred), 0);
    gnutls_transport_set_int(session, fd);
    return session;
}

static void shake_hands(gnutls_session_t server, gnutls_session_t client)
{
    int s = GNUTLS_E_AGAIN, c = GNUTLS_E_AGAIN;

    for (int i = 0; i < 50 && (s != 0 || c != 0); i++) {
        if (c != 0)
            c = gnutls_handshake(client);
        if (s != 0)
            s = gnutls_handshake(server);
        if (gnutls_error_is_fatal(s) || gnutls_error_is_fatal(c))
            fail_msg("server: %s, client: %s", gnutls_strerror(s), gnutls_strerror(c));
    }
    assert_int_equal(s, 0);
    assert_int_equal(c, 0);
}

static void every_kind_of_key_serves(void **state)
{
    static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};
    gnutls_certificate_credentials_t none;

    (void)state;
    gnutls_certificate_allocate_credentials(&none);
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct buf cert = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
        struct x509_template t = {.subject = "a.test", .name = STR_LIT("a.test")};
        struct key *k = key_generate(types[i], NULL);
        gnutls_session_t server, client;
        int fds[2];

        t.not_after_s = 2000000000;
        assert_int_equal(x509_make(&t, k, NULL, NULL, &cert, NULL), 0);
        assert_int_equal(key_pem(k, &key, NULL), 0);
        struct cred *cred = cred_new(buf_str(&cert), buf_str(&key), NULL);
        assert_non_null(cred);
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds),
                         0);
        server = new_session(GNUTLS_SERVER, cred_gnutls(cred), fds[0]);
        client = new_session(GNUTLS_CLIENT, none, fds[1]);
        shake_hands(server, client);
        gnutls_deinit(server);
        gnutls_deinit(client);
        close(fds[0]);
        close(fds[1]);
        cred_unref(cred);
        key_free(k);
        buf_fini(&cert);
        buf_fini(&key);
    }
    gnutls_certificate_free_credentials(none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_exactly_then_by_wildcard),
        cmocka_unit_test(suggests_what_is_near),
        cmocka_unit_test(many_names_are_all_found),
        cmocka_unit_test(challenge_answers_are_found),
        cmocka_unit_test(threads_share),
        cmocka_unit_test(bad_pairs_are_refused),
        cmocka_unit_test(every_kind_of_key_serves),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
