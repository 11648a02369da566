/* The embedded CA: made once, kept, renewed below the root, never replaced. */
#include "cert/local_ca.h"

#include "base/alloc.h"
#include "base/file.h"
#include "cert/cert_set.h"
#include "cert/x509.h"

#include <fcntl.h>
#include <ftw.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

enum { NOW_S = 1795000000, DAY_S = 86400 };

struct fixture {
    char root[64];
    struct store *store;
};

static int setup(void **state)
{
    struct fixture *f = xalloc(sizeof *f);

    snprintf(f->root, sizeof f->root, "/tmp/lintel-ca-XXXXXX");
    if (mkdtemp(f->root) == NULL)
        return -1;
    f->store = store_fs_new(f->root, NULL);
    *state = f;
    return f->store == NULL ? -1 : 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st, (void)kind, (void)ftw;
    return remove(path);
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    store_free(f->store);
    nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static struct local_ca *open_ca(struct fixture *f, int64_t now_s)
{
    struct err e;
    struct local_ca *ca = local_ca_open(f->store, now_s, &e);

    if (ca == NULL)
        fail_msg("%s", e.msg);
    return ca;
}

/* One value of the store as text; the caller frees. */
static char *value(struct fixture *f, const char *key)
{
    struct buf b = BUF_INIT(STORE_VALUE_MAX);

    assert_int_equal(store_get(f->store, key, &b, NULL), 0);
    return buf_take(&b);
}

/* Issues, checks all there is to check, and gives the end of the leaf's life. */
static int64_t issue(struct local_ca *ca, const char *name, enum key_type type, int64_t now_s)
{
    struct buf chain = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct str wanted = str_of(name);
    struct x509_chain *c;
    struct err e;
    int64_t end_s;

    if (local_ca_issue(ca, wanted, type, now_s, &chain, &key, &e) != 0)
        fail_msg("%s: %s", name, e.msg);
    cred_unref(cred_new(buf_str(&chain), buf_str(&key), NULL));
    assert_int_equal(buf_append_str(&chain, local_ca_root_pem(ca)), 0);
    struct key *k = key_load(buf_str(&key), NULL);
    assert_int_equal(key_type(k), type);
    c = x509_chain_parse(buf_str(&chain), NULL);
    assert_int_equal(x509_n_certs(c), 3);
    assert_int_equal(x509_n_names(c), 1);
    if (x509_chain_check(c, k, &wanted, 1, now_s, &e) != 0)
        fail_msg("%s: %s", name, e.msg);
    assert_int_equal(x509_not_before_s(c), now_s - LOCAL_CA_BACKDATE_S);
    end_s = x509_not_after_s(c);
    x509_chain_free(c);
    key_free(k);
    buf_fini(&chain);
    buf_fini(&key);
    return end_s;
}

static void issues_for_all_kinds(void **state)
{
    static const struct {
        const char *name;
        enum key_type type;
    } rows[] = {
        {"localhost", KEY_P256},
        {"*.localhost", KEY_P384},
        {"nas.local", KEY_ED25519},
        {"192.168.1.1", KEY_P256},
        {"fd00::1", KEY_P256},
        {"old.internal", KEY_RSA2048},
        {"a-name-that-is-longer-than-the-64-bytes-that-a-common-name-may-have.home.arpa", KEY_P256},
    };
    struct fixture *f = *state;
    struct local_ca *ca = open_ca(f, NOW_S);

    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        assert_int_equal(issue(ca, rows[i].name, rows[i].type, NOW_S), NOW_S + 7 * DAY_S);
    local_ca_close(ca);
}

/* What a browser wants of a root, and the limits below it. */
static void root_and_intermediate_are_as_promised(void **state)
{
    struct fixture *f = *state;
    struct local_ca *ca = open_ca(f, NOW_S);
    static const struct {
        const char *key, *subject;
        int64_t life_s;
        int path_len;
    } rows[] = {
        {STORE_LOCAL_ROOT ".crt", "CN=Lintel Local CA - 2026 ECC Root", LOCAL_CA_ROOT_S, 1},
        {STORE_LOCAL_INTERMEDIATE ".crt", "CN=Lintel Local CA - ECC Intermediate",
         LOCAL_CA_INTERMEDIATE_S, 0},
    };
    char path[128];

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char *pem = value(f, rows[i].key);
        gnutls_datum_t datum = {(unsigned char *)pem, (unsigned)strlen(pem)};
        gnutls_x509_crt_t crt;
        unsigned critical, is_ca, usage;
        int path_len;
        char dn[128];
        size_t len = sizeof dn;

        gnutls_x509_crt_init(&crt);
        assert_int_equal(gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_PEM), 0);
        assert_int_equal(gnutls_x509_crt_get_dn(crt, dn, &len), 0);
        assert_string_equal(dn, rows[i].subject);
        assert_int_equal(gnutls_x509_crt_get_expiration_time(crt), NOW_S + rows[i].life_s);
        gnutls_x509_crt_get_basic_constraints(crt, &critical, &is_ca, &path_len);
        assert_true(critical && is_ca);
        assert_int_equal(path_len, rows[i].path_len);
        gnutls_x509_crt_get_key_usage(crt, &usage, &critical);
        assert_int_equal(usage, GNUTLS_KEY_KEY_CERT_SIGN | GNUTLS_KEY_CRL_SIGN);
        gnutls_x509_crt_deinit(crt);
        free(pem);
    }
    snprintf(path, sizeof path, "%s/pki/authorities/local/root.crt", f->root);
    assert_string_equal(local_ca_root_path(ca), path);
    local_ca_close(ca);
}

static void everything_is_kept(void **state)
{
    static const char *const keys[] = {STORE_LOCAL_ROOT ".crt", STORE_LOCAL_ROOT ".key",
                                       STORE_LOCAL_INTERMEDIATE ".crt",
                                       STORE_LOCAL_INTERMEDIATE ".key"};
    struct fixture *f = *state;
    char *before[ARRAY_LEN(keys)];

    local_ca_close(open_ca(f, NOW_S));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        before[i] = value(f, keys[i]);
    local_ca_close(open_ca(f, NOW_S + 300 * DAY_S));
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        char *after = value(f, keys[i]);

        assert_string_equal(before[i], after);
        free(before[i]);
        free(after);
    }
}

static void nothing_is_signed_below_an_expired_root(void **state)
{
    struct fixture *f = *state;
    struct local_ca *ca = open_ca(f, NOW_S);

    for (int i = 0; i < 2; i++) {
        struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);
        struct err e = {0};

        assert_int_equal(local_ca_issue(ca, STR_LIT("localhost"), KEY_P256, NOW_S + 3601 * DAY_S,
                                        &chain, &key, &e),
                         -1);
        assert_non_null(strstr(e.msg, "expired"));
        buf_fini(&chain);
        buf_fini(&key);
    }
    local_ca_close(ca);
}

/* An intermediate made by a clock that was ahead is of no use once the clock is right. */
static void intermediate_is_made_anew_after_the_clock_was_set_back(void **state)
{
    struct fixture *f = *state;
    struct local_ca *ca = open_ca(f, NOW_S + 100 * DAY_S);
    char *before = value(f, STORE_LOCAL_INTERMEDIATE ".crt"), *after;
    struct buf chain = BUF_INIT(65536), key = BUF_INIT(65536);

    assert_int_equal(local_ca_issue(ca, STR_LIT("localhost"), KEY_P256, NOW_S, &chain, &key, NULL),
                     0);
    buf_fini(&chain);
    buf_fini(&key);
    after = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_string_not_equal(before, after);
    free(before);
    free(after);
    local_ca_close(ca);
}

static void intermediate_is_renewed_below_the_same_root(void **state)
{
    struct fixture *f = *state;
    struct local_ca *ca = open_ca(f, NOW_S);
    char *root = value(f, STORE_LOCAL_ROOT ".crt"), *middle, *after;

    middle = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    issue(ca, "localhost", KEY_P256, NOW_S + 335 * DAY_S);
    after = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_string_equal(middle, after);
    free(after);
    assert_int_equal(issue(ca, "localhost", KEY_P256, NOW_S + 336 * DAY_S), NOW_S + 343 * DAY_S);
    after = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_string_not_equal(middle, after);
    free(after);
    after = value(f, STORE_LOCAL_ROOT ".crt");
    assert_string_equal(root, after);
    free(after);
    /* Near the end of the root nothing outlives it, and nothing is made again and again. */
    assert_int_equal(issue(ca, "localhost", KEY_P256, NOW_S + 3596 * DAY_S), NOW_S + 3600 * DAY_S);
    free(middle);
    middle = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    issue(ca, "localhost", KEY_P256, NOW_S + 3597 * DAY_S);
    after = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_string_equal(middle, after);
    free(after);
    free(middle);
    free(root);
    local_ca_close(ca);
}

/* With an intermediate in place, the root's key may be kept elsewhere. */
static void root_key_is_needed_for_signing_only(void **state)
{
    struct fixture *f = *state;
    struct buf chain = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct local_ca *ca;
    struct err e = {0};

    local_ca_close(open_ca(f, NOW_S));
    assert_int_equal(store_delete(f->store, STORE_LOCAL_ROOT ".key", NULL), 0);
    ca = open_ca(f, NOW_S);
    issue(ca, "localhost", KEY_P256, NOW_S);
    assert_int_equal(
        local_ca_issue(ca, STR_LIT("localhost"), KEY_P256, NOW_S + 340 * DAY_S, &chain, &key, &e),
        -1);
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.msg, "root.key"));
    issue(ca, "localhost", KEY_P256, NOW_S); /* still there for what it is good for */
    local_ca_close(ca);
    buf_fini(&chain);
    buf_fini(&key);
}

/* What stands in the files, and what becomes of it. */
static void damage_is_told_and_the_root_stays(void **state)
{
    static const struct {
        const char *key, *text;
        bool opens;
    } rows[] = {
        {STORE_LOCAL_ROOT ".crt", "garbage", false},
        {STORE_LOCAL_ROOT ".crt", "", false},
        {STORE_LOCAL_ROOT ".key", "garbage", true},
        {STORE_LOCAL_INTERMEDIATE ".crt", "garbage", true},
        {STORE_LOCAL_INTERMEDIATE ".key", "garbage", true},
        {STORE_LOCAL_INTERMEDIATE ".key", NULL, true},
        {STORE_LOCAL_INTERMEDIATE ".crt", NULL, true},
    };
    struct fixture *f = *state;
    char *root;

    local_ca_close(open_ca(f, NOW_S));
    root = value(f, STORE_LOCAL_ROOT ".crt");
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct buf good = BUF_INIT(STORE_VALUE_MAX);
        struct err e = {0};
        struct local_ca *ca;

        assert_int_equal(store_get(f->store, rows[i].key, &good, NULL), 0);
        if (rows[i].text == NULL)
            assert_int_equal(store_delete(f->store, rows[i].key, NULL), 0);
        else
            assert_int_equal(store_put(f->store, rows[i].key, str_of(rows[i].text), NULL), 0);
        ca = local_ca_open(f->store, NOW_S, &e);
        assert_int_equal(ca != NULL, rows[i].opens);
        if (ca == NULL) {
            char *after = value(f, rows[i].key);

            assert_int_equal(e.code, ERR_INVALID);
            assert_non_null(strstr(e.msg, "root.crt"));
            assert_string_equal(after, rows[i].text);
            free(after);
        } else
            issue(ca, "localhost", KEY_P256, NOW_S);
        local_ca_close(ca);
        if (strncmp(rows[i].key, STORE_LOCAL_ROOT, strlen(STORE_LOCAL_ROOT)) == 0)
            assert_int_equal(store_put(f->store, rows[i].key, buf_str(&good), NULL), 0);
        buf_fini(&good);
        char *after = value(f, STORE_LOCAL_ROOT ".crt");
        assert_string_equal(after, root);
        free(after);
    }
    free(root);
}

/* A whole and valid intermediate that another root has signed. */
static void strange_intermediate_is_replaced(void **state)
{
    struct fixture *f = *state;
    char *middle, *after;

    local_ca_close(open_ca(f, NOW_S));
    middle = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_int_equal(store_delete(f->store, STORE_LOCAL_ROOT ".crt", NULL), 0);
    assert_int_equal(store_delete(f->store, STORE_LOCAL_ROOT ".key", NULL), 0);
    struct local_ca *ca = open_ca(f, NOW_S);
    issue(ca, "localhost", KEY_P256, NOW_S);
    local_ca_close(ca);
    after = value(f, STORE_LOCAL_INTERMEDIATE ".crt");
    assert_string_not_equal(middle, after);
    free(middle);
    free(after);
}

/* A root.key that is not of root.crt, when it is wanted. */
static void strange_root_key_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    struct key *k = key_generate(KEY_P256, NULL);
    struct err e = {0};

    local_ca_close(open_ca(f, NOW_S));
    assert_int_equal(key_pem(k, &pem, NULL), 0);
    assert_int_equal(store_put(f->store, STORE_LOCAL_ROOT ".key", buf_str(&pem), NULL), 0);
    assert_int_equal(store_delete(f->store, STORE_LOCAL_INTERMEDIATE ".crt", NULL), 0);
    assert_null(local_ca_open(f->store, NOW_S, &e));
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.msg, "root.key"));
    buf_fini(&pem);
    key_free(k);
}

static void expired_root_and_unset_clock_are_told(void **state)
{
    struct fixture *f = *state;
    struct buf chain = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct local_ca *ca;
    struct err e = {0};

    assert_null(local_ca_open(f->store, 1000, &e));
    assert_true(e.code == ERR_BUSY && e.retry_ms > 0);
    assert_non_null(strstr(e.msg, "1970"));
    ca = open_ca(f, NOW_S);
    assert_int_equal(local_ca_issue(ca, STR_LIT("localhost"), KEY_P256, 1000, &chain, &key, &e),
                     -1);
    local_ca_close(ca);
    assert_null(local_ca_open(f->store, NOW_S + 3601 * DAY_S, &e));
    assert_int_equal(e.code, ERR_INVALID);
    assert_non_null(strstr(e.msg, "expired on 2036"));
}

static void somebody_else_making_it_is_busy(void **state)
{
    struct fixture *f = *state;
    struct store_lock *lock;
    struct err e = {0};

    assert_int_equal(store_lock(f->store, store_lock_local_ca().text, &lock, NULL), 0);
    assert_null(local_ca_open(f->store, NOW_S, &e));
    assert_int_equal(e.code, ERR_BUSY);
    assert_true(e.retry_ms > 0);
    store_unlock(lock);
    local_ca_close(open_ca(f, NOW_S));
}

/* As open_ca(), but for a lock that a killed process had created and not yet taken: it counts as
 * held for two seconds. */
static struct local_ca *open_after_kill(struct fixture *f)
{
    struct local_ca *ca;
    struct err e;

    while ((ca = local_ca_open(f->store, NOW_S, &e)) == NULL && e.code == ERR_BUSY)
        usleep(100000);
    if (ca == NULL)
        fail_msg("%s", e.msg);
    return ca;
}

/* Killed at any instant while it is made: the next start makes it whole, and what was there of a
 * root stays. */
static void kill_while_making_loses_nothing(void **state)
{
    struct fixture *f = *state;

    for (unsigned round = 0; round < 25; round++) {
        struct buf before = BUF_INIT(STORE_VALUE_MAX), after = BUF_INIT(STORE_VALUE_MAX);
        pid_t child = fork();

        if (child == 0) {
            struct store *s = store_fs_new(f->root, NULL);

            local_ca_close(local_ca_open(s, NOW_S, NULL));
            _exit(0);
        }
        usleep(round * 400);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        int had = store_get(f->store, STORE_LOCAL_ROOT ".crt", &before, NULL);
        struct local_ca *ca = open_after_kill(f);
        issue(ca, "localhost", KEY_P256, NOW_S);
        local_ca_close(ca);
        assert_int_equal(store_get(f->store, STORE_LOCAL_ROOT ".crt", &after, NULL), 0);
        if (had == 0)
            assert_string_equal(before.p, after.p);
        buf_fini(&before);
        buf_fini(&after);
        nftw(f->root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
        store_free(f->store);
        f->store = store_fs_new(f->root, NULL);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(issues_for_all_kinds),
        TEST(root_and_intermediate_are_as_promised),
        TEST(everything_is_kept),
        TEST(nothing_is_signed_below_an_expired_root),
        TEST(intermediate_is_made_anew_after_the_clock_was_set_back),
        TEST(intermediate_is_renewed_below_the_same_root),
        TEST(root_key_is_needed_for_signing_only),
        TEST(damage_is_told_and_the_root_stays),
        TEST(strange_intermediate_is_replaced),
        TEST(strange_root_key_is_refused),
        TEST(expired_root_and_unset_clock_are_told),
        TEST(somebody_else_making_it_is_busy),
        TEST(kill_while_making_loses_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
