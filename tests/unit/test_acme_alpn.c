/* The responder of tls-alpn-01 against a client on loopback. */
#include "engines/acme_alpn.h"
#include "h1_rig.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

static struct rig rig;
static struct acme_alpn *responder;

static enum verdict handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    (void)ex;
    return NEXT;
}

static void give_to_responder(struct rig *r, int fd, const struct tls_choice *choice)
{
    (void)r;
    acme_alpn_add(responder, fd, choice);
}

static int set_up(void **state)
{
    static const struct rig_options o = {.tls = true};
    struct err e;

    (void)state;
    rig_open(&rig, &o, handle);
    responder = acme_alpn_new(rig.loop, 2, &e);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    acme_alpn_free(responder);
    rig_close(&rig);
    return 0;
}

static void shakes_hands_and_closes(void **state)
{
    static const char *const versions[] = {"NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.2"};

    (void)state;
    for (int i = 0; i < 6; i++) {
        struct rig_tls t = {.alpn = "acme-tls/1", .priorities = versions[i % 2]};
        const char *a = rig_tls_ask(&rig, &t, "a.test", "", give_to_responder);

        assert_int_equal(t.result, 0);
        assert_string_equal(t.negotiated_alpn, "acme-tls/1");
        assert_true(t.closed_well);
        assert_string_equal(a, "");
        gnutls_free(t.session.data);
    }
}

static void refuses_other_protocols(void **state)
{
    struct rig_tls t = {.alpn = "http/1.1"};

    (void)state;
    rig_tls_ask(&rig, &t, "a.test", "", give_to_responder);
    assert_int_equal(t.alert, GNUTLS_A_NO_APPLICATION_PROTOCOL);
}

static void survives_clients_that_give_up(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) { /* more than fit at once, were they to stay */
        struct rig_tls t = {.alpn = "acme-tls/1", .give_up = true};

        rig_tls_ask(&rig, &t, "a.test", "", give_to_responder);
        rig_run(&rig, 5);
    }
}

static void frees_what_is_under_way(void **state)
{
    struct rig_tls t = {.alpn = "acme-tls/1", .give_up = true};

    (void)state;
    rig_tls_ask(&rig, &t, "a.test", "", give_to_responder);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(shakes_hands_and_closes),
        TEST(refuses_other_protocols),
        TEST(survives_clients_that_give_up),
        TEST(frees_what_is_under_way),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
