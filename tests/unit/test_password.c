/* Password hashes: vectors of other programs, what a hash looks like, hash and verify. */
#include "base/password.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define LONG "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

/* From crypt_blowfish and from Caddy's manual. */
static const struct {
    const char *hash;
    struct str password;
    bool want;
} bcrypts[] = {
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("U*U"), true},
    {"$2b$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("U*U"), true},
    {"$2y$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("U*U"), true},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("U*U*"), false},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("u*u"), false},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeX", STR_LIT("U*U"), false},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", STR_LIT("U*U\0x"), false},
    {"$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui", STR_LIT(LONG), true},
    {"$2a$05$abcdefghijklmnopqrstuu5s2v8.iXieOjg/.AySBTTZIIVFJeBui", STR_LIT(LONG "etc"), true},
    {"$2a$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", STR_LIT("\xff\xff\xa3"), true},
    {"$2y$05$/OK.fbVrR/bpIqNJ5ianF.CE5elHaaO4EbggVDjb8P19RukzXSM3e", STR_LIT("\xff\xff\xa3"), true},
    {"$2b$04$CCCCCCCCCCCCCCCCCCCCC.Cg0ly9t/KVBCBYYDfOmZKwry9JuXClC", {NULL, 0}, true},
    {"$2b$04$CCCCCCCCCCCCCCCCCCCCC.Cg0ly9t/KVBCBYYDfOmZKwry9JuXClC", STR_LIT("x"), false},
    {"$2a$14$Zkx19XLiW6VYouLHR5NmfOFU0z2GTNmpkT/5qqR7hx4IjWJPDhjvG", STR_LIT("hiccup"), true},
};

static void verifies_bcrypt(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(bcrypts); i++) {
        struct err e;

        assert_int_equal(password_check(PASSWORD_BCRYPT, str_of(bcrypts[i].hash), &e), 0);
        if (password_verify(bcrypts[i].hash, bcrypts[i].password) !=
            (bcrypts[i].want ? PASSWORD_RIGHT : PASSWORD_WRONG))
            fail_msg("row %zu", i);
    }
}

static const struct {
    const char *text;
    enum err_code want;
} checks[] = {
    {"", ERR_SYNTAX},
    {"hiccup", ERR_SYNTAX},
    {"$2x$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_SYNTAX},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe", ERR_SYNTAX},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeWW", ERR_SYNTAX},
    {"$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOe=", ERR_SYNTAX},
    {"$2a$5.$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_SYNTAX},
    {"$1$abcdefgh$................................................", ERR_SYNTAX},
    {"$2a$03$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_LIMIT},
    {"$2a$04$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_NONE},
    {"$2a$16$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_NONE},
    {"$2a$17$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", ERR_LIMIT},
};

static void checks_bcrypt(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        struct err e = {.code = ERR_NONE};
        int rc = password_check(PASSWORD_BCRYPT, str_of(checks[i].text), &e);

        if (e.code != checks[i].want || (rc == 0) != (checks[i].want == ERR_NONE))
            fail_msg("row %zu: %d", i, (int)e.code);
    }
}

static void hashes_with_bcrypt(void **state)
{
    char one[PASSWORD_HASH_MAX], two[PASSWORD_HASH_MAX];
    struct str p = STR_LIT("correct horse:battery");
    struct err e;

    (void)state;
    assert_int_equal(password_hash(PASSWORD_BCRYPT, p, 4, one, &e), 0);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, p, 4, two, &e), 0);
    assert_string_not_equal(one, two);
    assert_true(str_starts(str_of(one), STR_LIT("$2a$04$")));
    assert_int_equal(password_check(PASSWORD_BCRYPT, str_of(one), &e), 0);
    assert_int_equal(password_verify(one, p), PASSWORD_RIGHT);
    assert_int_equal(password_verify(one, STR_LIT("correct horse:batterx")), PASSWORD_WRONG);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, p, 3, one, &e), -1);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, p, 17, one, &e), -1);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, STR_LIT(LONG), 4, one, &e), 0);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, STR_LIT(LONG "x"), 4, one, &e), -1);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, STR_LIT("a\0b"), 4, one, &e), -1);
    assert_int_equal(password_hash(PASSWORD_BCRYPT, STR_LIT(""), 4, one, &e), -1);
}

#define ARGON(parameters) "$argon2id$v=19$" parameters "$zJPvVe48N64JUa9MFlVhiw$"
#define DIGEST "b5Tznu0PxnA4TciY6qYe2BFPxncF1ePQaeNukHhH1cU"

static const struct {
    const char *text;
    enum err_code want;
} argon_checks[] = {
    {ARGON("m=47104,t=1,p=1") DIGEST, ERR_NONE},
    {ARGON("m=262144,t=4,p=16") DIGEST, ERR_NONE},
    {ARGON("m=262145,t=1,p=1") DIGEST, ERR_LIMIT},
    {ARGON("m=262144,t=5,p=1") DIGEST, ERR_LIMIT},
    {ARGON("m=4294967295,t=4294967295,p=1") DIGEST, ERR_LIMIT},
    {ARGON("m=47104,t=0,p=1") DIGEST, ERR_LIMIT},
    {ARGON("m=47104,t=1,p=0") DIGEST, ERR_LIMIT},
    {ARGON("m=47104,t=1,p=17") DIGEST, ERR_LIMIT},
    {ARGON("m=15,t=1,p=2") DIGEST, ERR_LIMIT},
    {ARGON("t=1,m=47104,p=1") DIGEST, ERR_SYNTAX},
    {ARGON("m=47104,t=1,p=1,x=1") DIGEST, ERR_SYNTAX},
    {ARGON("m=47104,t=1") DIGEST, ERR_SYNTAX},
    {ARGON("m=47104,t=1,p=1"), ERR_SYNTAX},
    {ARGON("m=47104,t=1,p=1") DIGEST "$", ERR_SYNTAX},
    {ARGON("m=47104,t=1,p=1") DIGEST "=", ERR_SYNTAX},
    {ARGON("m=47104,t=1,p=1") "b5Tznu0PxnA", ERR_SYNTAX},
    {"$argon2id$v=19$m=47104,t=1,p=1$zJPv$" DIGEST, ERR_SYNTAX},
    {"$argon2id$v=16$m=47104,t=1,p=1$zJPvVe48N64JUa9MFlVhiw$" DIGEST, ERR_SYNTAX},
    {"$argon2i$v=19$m=47104,t=1,p=1$zJPvVe48N64JUa9MFlVhiw$" DIGEST, ERR_SYNTAX},
    {"hiccup", ERR_SYNTAX},
};

static void does_argon2id_where_it_is_there(void **state)
{
    const char *hash = argon_checks[0].text;
    char own[PASSWORD_HASH_MAX];
    struct err e = {.code = ERR_NONE};

    (void)state;
    if (password_check(PASSWORD_ARGON2ID, str_of(hash), &e) != 0) {
        assert_int_equal(e.code, ERR_INVALID); /* built without it */
        assert_int_equal(password_hash(PASSWORD_ARGON2ID, STR_LIT("x"), 0, own, &e), -1);
        return;
    }
    for (size_t i = 0; i < ARRAY_LEN(argon_checks); i++) {
        e.code = ERR_NONE;
        (void)!password_check(PASSWORD_ARGON2ID, str_of(argon_checks[i].text), &e);
        if (e.code != argon_checks[i].want)
            fail_msg("row %zu: %d", i, (int)e.code);
    }
    assert_int_equal(password_verify(hash, STR_LIT("hiccup")), PASSWORD_RIGHT);
    assert_int_equal(password_verify(hash, STR_LIT("hiccupx")), PASSWORD_WRONG);
    assert_int_equal(password_verify(hash, (struct str){NULL, 0}), PASSWORD_WRONG);
    assert_int_equal(password_hash(PASSWORD_ARGON2ID, STR_LIT("a\0b"), 0, own, &e), 0);
    assert_int_equal(password_check(PASSWORD_ARGON2ID, str_of(own), &e), 0);
    assert_int_equal(password_verify(own, STR_LIT("a\0b")), PASSWORD_RIGHT);
    assert_int_equal(password_verify(own, STR_LIT("a")), PASSWORD_WRONG);
}

static void knows_the_names(void **state)
{
    enum password_algorithm a;

    (void)state;
    assert_true(password_algorithm_of(STR_LIT("bcrypt"), &a) && a == PASSWORD_BCRYPT);
    assert_true(password_algorithm_of(STR_LIT("argon2id"), &a) && a == PASSWORD_ARGON2ID);
    assert_false(password_algorithm_of(STR_LIT("scrypt"), &a));
    assert_false(password_algorithm_of(STR_LIT(""), &a));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifies_bcrypt),    cmocka_unit_test(checks_bcrypt),
        cmocka_unit_test(hashes_with_bcrypt), cmocka_unit_test(does_argon2id_where_it_is_there),
        cmocka_unit_test(knows_the_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
