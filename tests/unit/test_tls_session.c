/* TLS sessions of the HTTP/1.1 engine: what is negotiated, resumption across rotations of the
 * ticket keys and across workers, and failures. */
#include "h1_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define REQUEST "GET / HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n"
#define TLS12 "NORMAL:-VERS-ALL:+VERS-TLS1.2"
#define TLS13 "NORMAL:-VERS-ALL:+VERS-TLS1.3"

static struct rig rig;
static const char *seen_version, *seen_cipher;
static char seen_sni[64];

static enum verdict handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    seen_version = ex->tls_version;
    seen_cipher = ex->tls_cipher;
    snprintf(seen_sni, sizeof seen_sni, STR_FMT, STR_ARG(ex->sni));
    if (str_is(ex->path, "/big")) {
        char *big = arena_bytes(ex->arena, 300000);

        memset(big, 'b', 300000);
        exchange_respond_bytes(ex, 200, (struct str){big, 300000});
    } else {
        exchange_respond_bytes(ex, 200, STR_LIT("secret"));
    }
    return TAKEN;
}

static int set_up(void **state)
{
    static const struct rig_options o = {.tls = true};

    (void)state;
    rig_open(&rig, &o, handle);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    return 0;
}

static void negotiates(void **state)
{
    struct rig_tls t = {.alpn = "http/1.1"};

    (void)state;
    assert_non_null(strstr(rig_tls_ask(&rig, &t, "a.test", REQUEST, NULL), "secret"));
    assert_int_equal(t.version, GNUTLS_TLS1_3);
    assert_string_equal(t.cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(t.negotiated_alpn, "http/1.1");
    assert_true(t.closed_well);
    assert_string_equal(seen_version, "TLS1.3");
    assert_string_equal(seen_cipher, "TLS_AES_128_GCM_SHA256");
    assert_string_equal(seen_sni, "a.test");
    t.priorities = TLS12;
    assert_non_null(strstr(rig_tls_ask(&rig, &t, NULL, REQUEST, NULL), "secret"));
    assert_int_equal(t.version, GNUTLS_TLS1_2);
    assert_string_equal(seen_version, "TLS1.2");
    assert_string_equal(seen_sni, "");
    gnutls_free(t.session.data);
}

static void sends_large_bodies(void **state)
{
    struct rig_tls t = {0};
    const char *a = rig_tls_ask(
        &rig, &t, "a.test", "GET /big HTTP/1.1\r\nHost: a.test\r\nConnection: close\r\n\r\n", NULL);

    (void)state;
    assert_non_null(strstr(a, "Content-Length: 300000\r\n"));
    assert_int_equal(strlen(strstr(a, "\r\n\r\n") + 4), 300000);
    gnutls_free(t.session.data);
}

static void refuses_old_and_foreign_clients(void **state)
{
    static const struct {
        const char *priorities;
        const char *alpn;
        int alert;
    } rows[] = {
        {"NORMAL:-VERS-ALL:+VERS-TLS1.1:%UNSAFE_RENEGOTIATION", NULL, GNUTLS_A_PROTOCOL_VERSION},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", NULL, GNUTLS_A_HANDSHAKE_FAILURE},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC", NULL,
         GNUTLS_A_HANDSHAKE_FAILURE},
        {"NORMAL", "h2", GNUTLS_A_NO_APPLICATION_PROTOCOL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct rig_tls t = {.priorities = rows[i].priorities, .alpn = rows[i].alpn};

        rig_tls_ask(&rig, &t, "a.test", REQUEST, NULL);
        if (t.result != GNUTLS_E_FATAL_ALERT_RECEIVED || t.alert != rows[i].alert)
            fail_msg("row %zu: %s, alert %d", i, gnutls_strerror(t.result), t.alert);
    }
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
}

static void survives_clients_that_give_up(void **state)
{
    struct rig_tls t = {.give_up = true};

    (void)state;
    rig_tls_ask(&rig, &t, "a.test", REQUEST, NULL);
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
    gnutls_free(t.session.data);
}

/* ---- tickets ---- */

static void ask(struct rig *r, struct rig_tls *t)
{
    if (strstr(rig_tls_ask(r, t, "a.test", REQUEST, NULL), "secret") == NULL)
        fail_msg("no answer: %s", gnutls_strerror(t->result));
}

static void rotate(void)
{
    struct err e;
    struct tls_tickets *next = tls_tickets_rotated(rig.tickets, &e);

    assert_non_null(next);
    tls_tickets_unref(rig.tickets);
    rig.tickets = next;
    h1_engine_set_tickets(rig.engine, next);
}

static void resumes(const char *priorities)
{
    struct rig_tls t = {.priorities = priorities};

    ask(&rig, &t);
    assert_false(t.resumed);
    ask(&rig, &t);
    assert_true(t.had_ticket);
    assert_true(t.resumed);
    gnutls_free(t.session.data);
}

/* A ticket opens with the key it was sealed with until that is the fifth. */
static void resumes_after_rotations(const char *priorities)
{
    for (int rotations = 1; rotations <= 4; rotations++) {
        struct rig_tls t = {.priorities = priorities};

        ask(&rig, &t);
        for (int i = 0; i < rotations; i++)
            rotate();
        ask(&rig, &t);
        assert_true(t.had_ticket);
        assert_int_equal(t.resumed, rotations < 4);
        gnutls_free(t.session.data);
    }
}

static void resumes_on_another_worker(const char *priorities)
{
    static const struct rig_options o = {.tls = true};
    struct rig_tls t = {.priorities = priorities};
    struct rig other;

    rig_open(&other, &o, handle);
    h1_engine_set_tickets(other.engine, rig.tickets);
    ask(&rig, &t);
    ask(&other, &t);
    assert_true(t.resumed);
    gnutls_free(t.session.data);
    rig_close(&other);
}

static void tls12_resumes(void **state)
{
    (void)state;
    resumes(TLS12);
    resumes_after_rotations(TLS12);
    resumes_on_another_worker(TLS12);
}

static void tls13_resumes(void **state)
{
    (void)state;
    resumes(TLS13);
    resumes_after_rotations(TLS13);
    resumes_on_another_worker(TLS13);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(negotiates),
        TEST(sends_large_bodies),
        TEST(refuses_old_and_foreign_clients),
        TEST(survives_clients_that_give_up),
        TEST(tls12_resumes),
        TEST(tls13_resumes),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
