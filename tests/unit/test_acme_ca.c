/* What all orders at one CA share. */
#include "cert/acme_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define DIRECTORY(host)                                                                            \
    "{\"newNonce\":\"https://" host "/n\",\"newAccount\":\"https://" host "/a\","                  \
    "\"newOrder\":\"https://" host "/o\"}"

/* An order that is half done still needs a nonce when another one fetches the directory anew. */
static void a_broken_directory_leaves_the_old_one(void **state)
{
    const struct acme_ca_conf conf = {"https://ca.test/dir", "", "", "", ""};
    struct err e;
    struct loop *l = loop_new(&e);
    struct acme_ca *ca = acme_ca_new(l, NULL, NULL, &conf);

    (void)state;
    assert_int_equal(acme_ca_set_directory(ca, STR_LIT(DIRECTORY("ca.test")), &e), 0);
    assert_string_equal(ca->directory.new_nonce, "https://ca.test/n");
    assert_int_equal(acme_ca_set_directory(ca, STR_LIT("{}"), &e), -1);
    assert_int_equal(e.code, ERR_PROTOCOL);
    assert_false(acme_ca_ready(ca));
    assert_non_null(ca->directory.new_nonce);
    assert_string_equal(ca->directory.new_nonce, "https://ca.test/n");
    assert_int_equal(acme_ca_set_directory(ca, STR_LIT(DIRECTORY("new.test")), &e), 0);
    assert_string_equal(ca->directory.new_nonce, "https://new.test/n");
    acme_ca_free(ca);
    loop_free(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_directory_leaves_the_old_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
