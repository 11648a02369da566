/* The schedule of a failing name, and how it is kept. */
#include "cert/retry.h"

#include "cert/store_layout.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define CA "https://ca.test/dir"
#define NAME "a.example.com"

enum { NOW = 1795000000 };

static struct store *store;
static char folder[] = "/tmp/test-retry.XXXXXX";

static int set_up(void **state)
{
    struct err e;

    (void)state;
    store = mkdtemp(folder) == NULL ? NULL : store_fs_new(folder, &e);
    return store == NULL ? -1 : 0;
}

static int tear_down(void **state)
{
    char command[64];

    (void)state;
    store_free(store);
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

static struct err error(enum err_code code, unsigned retry_ms)
{
    struct err e;

    err_set(&e, code, "line \"one\"");
    e.retry_ms = retry_ms;
    return e;
}

static void counts_what_the_ca_judged_and_what_it_never_heard(void **state)
{
    const struct err refused = error(ERR_REFUSED, 0), network = error(ERR_NETWORK, 0);
    struct retry r = {.judged = 0};

    (void)state;
    retry_fail(&r, &network, NOW, 0, 0, 0);
    assert_int_equal(r.next_s, NOW + 10);
    retry_fail(&r, &refused, NOW, 0, 0, 0);
    assert_int_equal(r.next_s, NOW + 60);
    assert_int_equal(r.unheard, 0);
    retry_fail(&r, &network, NOW, 0, 0, 0);
    assert_int_equal(r.next_s, NOW + 10);
    retry_fail(&r, &refused, NOW, 0, 0, 0); /* the second: the network in between resets nothing */
    assert_int_equal(r.next_s, NOW + 120);
    assert_int_equal(r.judged, 2);
    assert_string_equal(r.error, "line \"one\"");
}

static void keeps_what_the_ca_asked_for(void **state)
{
    const struct err limited = error(ERR_REFUSED, 3600 * 1000);
    struct retry r = {.judged = 0};

    (void)state;
    retry_fail(&r, &limited, NOW, 0, 0, 0);
    assert_int_equal(r.next_s, NOW + 3600);
    retry_hurry(&r, NOW + 100);
    assert_int_equal(r.next_s, NOW + 3600);
}

static void an_operator_may_hurry(void **state)
{
    const struct err refused = error(ERR_REFUSED, 0);
    struct retry r = {.judged = 0};

    (void)state;
    retry_hurry(&r, NOW);
    assert_int_equal(r.next_s, 0);
    for (int i = 0; i < 5; i++)
        retry_fail(&r, &refused, NOW, 0, 0, 0);
    assert_int_equal(r.next_s, NOW + 600);
    retry_hurry(&r, NOW + 1); /* not at once: a reload in a loop must not hammer the CA */
    assert_int_equal(r.next_s, NOW + 60);
    retry_hurry(&r, NOW + 300);
    assert_int_equal(r.next_s, NOW + 60);
}

static void is_kept_over_a_restart(void **state)
{
    const struct err refused = error(ERR_REFUSED, 5000);
    struct retry r = {.conf = 7}, loaded;

    (void)state;
    retry_load(store, CA, NAME, 7, &loaded);
    assert_memory_equal(&loaded, &r, sizeof r);
    retry_fail(&r, &refused, NOW, 0, 0, 7);
    assert_int_equal(retry_save(store, CA, NAME, &r, NULL), 0);
    retry_load(store, CA, NAME, 7, &loaded);
    assert_int_equal(loaded.judged, r.judged);
    assert_int_equal(loaded.last_s, r.last_s);
    assert_int_equal(loaded.next_s, r.next_s);
    assert_int_equal(loaded.asked_s, r.asked_s);
    assert_string_equal(loaded.error, r.error);
    /* The e-mail address, say, was changed: that may be what was wrong. */
    retry_load(store, CA, NAME, 8, &loaded);
    assert_int_equal(loaded.next_s, 0);
    assert_int_equal(loaded.judged, 1);
    assert_int_equal(loaded.conf, 8);
    assert_int_equal(retry_clear(store, CA, NAME, NULL), 0);
    retry_load(store, CA, NAME, 7, &loaded);
    assert_int_equal(loaded.last_s, 0);
}

static void is_due_when_its_time_has_come(void **state)
{
    const struct err refused = error(ERR_REFUSED, 0);
    struct retry r = {.conf = 7};

    (void)state;
    assert_true(retry_due(&r, NOW));
    retry_fail(&r, &refused, NOW, 0, 0, 0);
    assert_false(retry_due(&r, NOW));
    assert_false(retry_due(&r, NOW + 59));
    assert_true(retry_due(&r, NOW + 60));
    assert_true(retry_due(&r, NOW - 365 * 86400)); /* the clock was set back */
}

static void passes_over_damage(void **state)
{
    static const char *const texts[] = {"", "x", "[]", "{\"judged\":-1,\"next\":\"y\"}",
                                        "{\"judged\":99999999999}"};
    struct store_key at = store_retry_key(CA, NAME);

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct retry r;

        assert_int_equal(store_put(store, at.text, str_of(texts[i]), NULL), 0);
        retry_load(store, CA, NAME, 7, &r);
        assert_int_equal(r.judged, 0);
        assert_int_equal(r.next_s, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_what_the_ca_judged_and_what_it_never_heard),
        cmocka_unit_test(keeps_what_the_ca_asked_for),
        cmocka_unit_test(an_operator_may_hurry),
        cmocka_unit_test(is_kept_over_a_restart),
        cmocka_unit_test(is_due_when_its_time_has_come),
        cmocka_unit_test(passes_over_damage),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
