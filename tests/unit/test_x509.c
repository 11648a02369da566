/* Requests, chains and challenge certificates: each is parsed back with GnuTLS. */
#include "cert/x509.h"

#include "base/alloc.h"

#include <gnutls/abstract.h>
#include <gnutls/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

enum { NOW_S = 1795000000, DAY_S = 86400 };

static struct key *new_key(enum key_type type)
{
    struct err e;
    struct key *k = key_generate(type, &e);

    if (k == NULL)
        fail_msg("%s", e.msg);
    return k;
}

static struct x509_chain *parse(const struct buf *pem)
{
    struct err e;
    struct x509_chain *c = x509_chain_parse(buf_str(pem), &e);

    if (c == NULL)
        fail_msg("%s", e.msg);
    return c;
}

/* ---- requests ---- */

static void check_request(const struct buf *der, const struct str *names, size_t n)
{
    gnutls_datum_t datum = {(unsigned char *)der->p, (unsigned)der->len};
    gnutls_x509_crq_t crq;
    char text[300];
    size_t len = sizeof text;

    gnutls_x509_crq_init(&crq);
    assert_int_equal(gnutls_x509_crq_import(crq, &datum, GNUTLS_X509_FMT_DER), 0);
    assert_int_equal(gnutls_x509_crq_verify(crq, 0), 0);
    assert_int_equal(gnutls_x509_crq_get_version(crq), 1);
    assert_int_equal(gnutls_x509_crq_get_dn(crq, text, &len),
                     GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
    for (unsigned i = 0; i < n; i++) {
        uint8_t ip[16];
        size_t ip_len = x509_ip(names[i], ip);
        unsigned type;

        len = sizeof text;
        assert_true(gnutls_x509_crq_get_subject_alt_name(crq, i, text, &len, &type, NULL) >= 0);
        assert_int_equal(type, ip_len > 0 ? GNUTLS_SAN_IPADDRESS : GNUTLS_SAN_DNSNAME);
        assert_int_equal(len, ip_len > 0 ? ip_len : names[i].len);
        assert_memory_equal(text, ip_len > 0 ? (char *)ip : names[i].p, len);
    }
    len = sizeof text;
    assert_int_equal(gnutls_x509_crq_get_subject_alt_name(crq, (unsigned)n, text, &len, NULL, NULL),
                     GNUTLS_E_REQUESTED_DATA_NOT_AVAILABLE);
    gnutls_x509_crq_deinit(crq);
}

static void requests_carry_all_names(void **state)
{
    const struct str names[] = {STR_LIT("a.test"), STR_LIT("*.b.test"), STR_LIT("192.0.2.7"),
                                STR_LIT("2001:db8::1"), STR_LIT("xn--bcher-kva.test")};
    static const enum key_type types[] = {KEY_P256, KEY_P384, KEY_RSA2048, KEY_ED25519};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(types); i++) {
        struct key *k = new_key(types[i]);
        struct buf der = BUF_INIT(8192), tiny = BUF_INIT(10);
        struct err e = {0};

        for (size_t n = 1; n <= ARRAY_LEN(names); n += 2) {
            buf_clear(&der);
            if (x509_csr(k, names, n, &der, &e) != 0)
                fail_msg("%s: %s", key_type_name(types[i]), e.msg);
            check_request(&der, names, n);
        }
        assert_int_equal(x509_csr(k, names, 1, &tiny, &e), -1);
        assert_int_equal(e.code, ERR_LIMIT);
        buf_fini(&der);
        buf_fini(&tiny);
        key_free(k);
    }
}

/* ---- chains ---- */

/* root > intermediate > leaf, valid around NOW_S, as PEM each. */
struct fixture {
    struct key *root_key, *middle_key, *leaf_key;
    struct buf root, middle, leaf;
};

static void make(const struct x509_template *t, struct key *k, const struct buf *issuer_pem,
                 struct key *issuer_key, struct buf *pem)
{
    struct x509_chain *issuer = issuer_pem == NULL ? NULL : parse(issuer_pem);
    struct err e;

    if (x509_make(t, k, issuer, issuer_key, pem, &e) != 0)
        fail_msg("%s", e.msg);
    x509_chain_free(issuer);
}

static int setup(void **state)
{
    struct fixture *f = xalloc(sizeof *f);
    struct x509_template t = {
        .subject = "Test Root",
        .not_before_s = NOW_S - 100 * DAY_S,
        .not_after_s = NOW_S + 100 * DAY_S,
        .is_ca = true,
        .path_len = 1,
    };

    buf_init(&f->root, X509_PEM_MAX);
    buf_init(&f->middle, X509_PEM_MAX);
    buf_init(&f->leaf, X509_PEM_MAX);
    f->root_key = new_key(KEY_P256);
    f->middle_key = new_key(KEY_RSA2048);
    f->leaf_key = new_key(KEY_P256);
    make(&t, f->root_key, NULL, NULL, &f->root);
    t.subject = "Test Intermediate";
    t.path_len = 0;
    t.not_after_s = NOW_S + 50 * DAY_S;
    make(&t, f->middle_key, &f->root, f->root_key, &f->middle);
    t.subject = "leaf";
    t.is_ca = false;
    t.name = STR_LIT("Leaf.Test");
    t.not_before_s = NOW_S - DAY_S;
    t.not_after_s = NOW_S + 10 * DAY_S;
    make(&t, f->leaf_key, &f->middle, f->middle_key, &f->leaf);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    key_free(f->root_key);
    key_free(f->middle_key);
    key_free(f->leaf_key);
    buf_fini(&f->root);
    buf_fini(&f->middle);
    buf_fini(&f->leaf);
    free(f);
    return 0;
}

/* Several PEM texts one behind the other, parsed. */
static struct x509_chain *chain_of(const struct buf *a, const struct buf *b, const struct buf *c)
{
    struct buf all = BUF_INIT(X509_PEM_MAX);
    struct x509_chain *chain;

    assert_int_equal(buf_append_str(&all, buf_str(a)), 0);
    if (b != NULL)
        assert_int_equal(buf_append_str(&all, buf_str(b)), 0);
    if (c != NULL)
        assert_int_equal(buf_append_str(&all, buf_str(c)), 0);
    chain = parse(&all);
    buf_fini(&all);
    return chain;
}

static void facts_are_read(void **state)
{
    struct fixture *f = *state;
    struct x509_chain *c = chain_of(&f->leaf, &f->middle, NULL);
    char id[X509_CERT_ID_MAX];

    assert_int_equal(x509_not_before_s(c), NOW_S - DAY_S);
    assert_int_equal(x509_not_after_s(c), NOW_S + 10 * DAY_S);
    assert_int_equal(x509_n_certs(c), 2);
    assert_int_equal(x509_n_names(c), 1);
    assert_true(str_is(x509_name(c, 0), "leaf.test"));
    assert_string_equal(x509_issuer(c), "Test Intermediate");
    assert_int_equal(strlen(x509_serial(c)), 32);
    assert_int_equal(strspn(x509_serial(c), "0123456789abcdef"), 32);
    assert_int_equal(x509_cert_id(c, id, NULL), 0);
    assert_int_equal(strlen(id), BASE64URL_LEN(20) + 1 + BASE64URL_LEN(16));
    assert_int_equal(id[BASE64URL_LEN(20)], '.');
    x509_chain_free(c);
    c = chain_of(&f->root, NULL, NULL);
    assert_int_equal(x509_n_names(c), 0);
    assert_int_equal(x509_cert_id(c, id, NULL), -1);
    x509_chain_free(c);
}

/* The example of RFC 9773 appendix A. */
static void certificate_id_is_the_rfcs(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
                              "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
                              "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
                              "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
                              "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
                              "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
                              "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
                              "-----END CERTIFICATE-----\n";
    struct err e;
    struct x509_chain *c = x509_chain_parse(str_of(pem), &e);
    char id[X509_CERT_ID_MAX];

    (void)state;
    if (c == NULL)
        fail_msg("%s", e.msg);
    assert_int_equal(x509_cert_id(c, id, NULL), 0);
    assert_string_equal(id, "aYhba4dGQEHhs3uEe6CuLN4ByNQ.AIdlQyE");
    assert_string_equal(x509_serial(c), "87654321");
    x509_chain_free(c);
}

static void names_cover_names(void **state)
{
    static const struct {
        const char *in_cert, *asked;
        bool good;
    } rows[] = {
        {"a.test", "a.test", true},
        {"a.test", "A.TEST", true},
        {"a.test", "b.test", false},
        {"a.test", "x.a.test", false},
        {"*.a.test", "x.a.test", true},
        {"*.a.test", "a.test", false},
        {"*.a.test", "x.y.a.test", false},
        {"*.a.test", ".a.test", false},
        {"*.a.test", "*.a.test", true},
        {"x.a.test", "*.a.test", false},
        {"192.0.2.1", "192.0.2.1", true},
        {"192.0.2.1", "192.0.2.10", false},
        {"2001:db8::1", "2001:db8:0::1", true},
        {"*.0.2.1", "192.0.2.1", false},
        {"a.test", "", false},
    };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct x509_template t = {.subject = "x", .name = str_of(rows[i].in_cert)};
        struct buf pem = BUF_INIT(X509_PEM_MAX);

        t.not_after_s = NOW_S;
        make(&t, f->leaf_key, NULL, NULL, &pem);
        struct x509_chain *c = parse(&pem);
        if (x509_covers(c, str_of(rows[i].asked)) != rows[i].good)
            fail_msg("%s for %s", rows[i].in_cert, rows[i].asked);
        x509_chain_free(c);
        buf_fini(&pem);
    }
}

/* Made with other means: GnuTLS writes no such name. Its names are "leaf.test\\0.evil.test" and
 * "fine.test". */
static void name_with_a_nul_is_passed_over(void **state)
{
    static const char pem[] = "-----BEGIN CERTIFICATE-----\n"
                              "MIIBNDCB26ADAgECAgEFMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwHhcNMjYw\n"
                              "MTAxMDAwMDAwWhcNMzYwMTAxMDAwMDAwWjAMMQowCAYDVQQDDAF4MFkwEwYHKoZI\n"
                              "zj0CAQYIKoZIzj0DAQcDQgAEjkQnw4KHS27+CgV2qs+mnQFaq3rVacSRq2ZBpbqB\n"
                              "IbXILbNxSgTlEqgQDZZOJGJGs8zucksNhQWBvIF76WQuh6MuMCwwKgYDVR0RBCMw\n"
                              "IYIUbGVhZi50ZXN0AC5ldmlsLnRlc3SCCWZpbmUudGVzdDAKBggqhkjOPQQDAgNI\n"
                              "ADBFAiEAsg+NbeaR3Xhpth0p6zKYA1GLdoxXeeZzGWTQjV4TF1cCIA8wamzpofnm\n"
                              "dfRQr9s9a2bqSAU3VpMLkE4yo4P5xhK3\n"
                              "-----END CERTIFICATE-----\n";
    struct x509_chain *c = x509_chain_parse(str_of(pem), NULL);

    (void)state;
    assert_non_null(c);
    assert_int_equal(x509_n_names(c), 1);
    assert_true(str_is(x509_name(c, 0), "fine.test"));
    assert_false(x509_covers(c, STR_LIT("leaf.test")));
    x509_chain_free(c);
}

static void judge(struct x509_chain *c, const struct key *k, const char *name, int64_t now_s,
                  const char *complaint)
{
    struct str wanted = str_of(name);
    struct err e = {0};
    int rc = x509_chain_check(c, k, &wanted, 1, now_s, &e);

    if (complaint == NULL && rc != 0)
        fail_msg("%s", e.msg);
    if (complaint != NULL) {
        assert_int_equal(rc, -1);
        assert_int_equal(e.code, ERR_INVALID);
        if (strstr(e.msg, complaint) == NULL)
            fail_msg("\"%s\" says nothing of \"%s\"", e.msg, complaint);
    }
    x509_chain_free(c);
}

static void chains_are_checked(void **state)
{
    struct fixture *f = *state;
    const struct buf *l = &f->leaf, *m = &f->middle, *r = &f->root;
    const struct key *k = f->leaf_key;

    judge(chain_of(l, m, NULL), k, "leaf.test", NOW_S, NULL);
    judge(chain_of(l, m, r), k, "leaf.test", NOW_S, NULL);
    judge(chain_of(l, NULL, NULL), k, "leaf.test", NOW_S, NULL);
    judge(chain_of(l, m, NULL), k, "leaf.test", NOW_S + 10 * DAY_S, NULL);
    judge(chain_of(l, m, NULL), k, "other.test", NOW_S, "does not cover other.test");
    judge(chain_of(l, m, NULL), f->root_key, "leaf.test", NOW_S, "not made for this");
    judge(chain_of(l, m, NULL), k, "leaf.test", NOW_S + 10 * DAY_S + 1, "expired on");
    judge(chain_of(l, m, NULL), k, "leaf.test", NOW_S - DAY_S - 1, "not valid before");
    judge(chain_of(l, r, NULL), k, "leaf.test", NOW_S, "not followed by its issuer");
    judge(chain_of(l, m, m), k, "leaf.test", NOW_S, "an intermediate");
}

/* A leaf of this issuer's name, but signed by another key; and one signed by a leaf. */
static void forged_links_are_seen(void **state)
{
    struct fixture *f = *state;
    struct buf forged = BUF_INIT(X509_PEM_MAX), below = BUF_INIT(X509_PEM_MAX);
    struct x509_template t = {.subject = "x",
                              .name = STR_LIT("leaf.test"),
                              .not_before_s = NOW_S - 1,
                              .not_after_s = NOW_S + 1};

    struct key *stranger = new_key(KEY_RSA2048);

    make(&t, f->leaf_key, &f->middle, stranger, &forged);
    judge(chain_of(&forged, &f->middle, NULL), f->leaf_key, "leaf.test", NOW_S, "does not verify");
    make(&t, f->leaf_key, &f->leaf, f->leaf_key, &below);
    judge(chain_of(&below, &f->leaf, NULL), f->leaf_key, "leaf.test", NOW_S, "does not verify");
    key_free(stranger);
    buf_fini(&forged);
    buf_fini(&below);
}

static void damaged_text_is_refused(void **state)
{
    struct fixture *f = *state;
    struct buf text = BUF_INIT(X509_PEM_MAX * 2);
    struct err e = {0};

    assert_null(x509_chain_parse(STR_LIT(""), &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_null(x509_chain_parse(STR_LIT("hello"), &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_null(x509_chain_parse((struct str){f->leaf.p, f->leaf.len / 2}, &e));
    assert_int_equal(e.code, ERR_SYNTAX);
    assert_int_equal(buf_append_str(&text, buf_str(&f->leaf)), 0);
    assert_int_equal(buf_append(&text, f->root.p, f->root.len / 2), 0);
    assert_null(x509_chain_parse(buf_str(&text), &e)); /* a whole one before the half one */
    assert_int_equal(e.code, ERR_SYNTAX);
    buf_clear(&text);
    for (int i = 0; i < X509_CHAIN_MAX; i++)
        assert_int_equal(buf_append_str(&text, buf_str(&f->root)), 0);
    x509_chain_free(x509_chain_parse(buf_str(&text), &e));
    assert_int_equal(e.code, ERR_SYNTAX); /* the last one: nothing new */
    assert_int_equal(buf_append_str(&text, buf_str(&f->root)), 0);
    assert_null(x509_chain_parse(buf_str(&text), &e));
    assert_int_equal(e.code, ERR_LIMIT);
    while (text.len <= X509_PEM_MAX)
        assert_int_equal(buf_append_str(&text, buf_str(&f->root)), 0);
    assert_null(x509_chain_parse(buf_str(&text), &e));
    assert_int_equal(e.code, ERR_LIMIT);
    buf_fini(&text);
}

/* Each byte of a leaf changed in turn: parsed or refused, and never taken for good. */
static void changed_bytes_are_never_good(void **state)
{
    struct fixture *f = *state;
    struct str name = STR_LIT("leaf.test");
    size_t body = strlen("-----BEGIN CERTIFICATE-----\n");
    size_t end = f->leaf.len - strlen("\n-----END CERTIFICATE-----\n") - 2;

    for (size_t i = body; i < end; i += 3) {
        if (f->leaf.p[i] == '\n')
            continue;
        struct buf text = BUF_INIT(X509_PEM_MAX);
        struct x509_chain *c;

        assert_int_equal(buf_append_str(&text, buf_str(&f->leaf)), 0);
        assert_int_equal(buf_append_str(&text, buf_str(&f->middle)), 0);
        text.p[i] = text.p[i] == 'A' ? 'B' : 'A';
        c = x509_chain_parse(buf_str(&text), NULL);
        if (c != NULL && x509_chain_check(c, f->leaf_key, &name, 1, NOW_S, NULL) == 0)
            fail_msg("byte %zu", i);
        x509_chain_free(c);
        buf_fini(&text);
    }
}

/* ---- tls-alpn-01 ---- */

static void check_challenge(struct str name, const struct buf *cert_pem, const struct buf *key)
{
    gnutls_datum_t datum = {(unsigned char *)cert_pem->p, (unsigned)cert_pem->len};
    uint8_t extension[64], want[2 + SHA256_LEN] = {0x04, SHA256_LEN};
    struct x509_chain *c = parse(cert_pem);
    struct key *k = key_load(buf_str(key), NULL);
    size_t len = sizeof extension;
    unsigned critical, status;
    gnutls_x509_crt_t crt;
    char oid[64];
    bool found = false;

    sha256(STR_LIT("token.thumbprint"), want + 2);
    assert_int_equal(x509_chain_check(c, k, &name, 1, time(NULL), NULL), 0);
    assert_int_equal(x509_n_names(c), 1);
    assert_int_equal(x509_n_certs(c), 1);
    gnutls_x509_crt_init(&crt);
    assert_int_equal(gnutls_x509_crt_import(crt, &datum, GNUTLS_X509_FMT_PEM), 0);
    assert_int_equal(gnutls_x509_crt_verify(crt, &crt, 1, 0, &status), 0);
    assert_true(gnutls_x509_crt_check_issuer(crt, crt)); /* self-signed */
    for (unsigned i = 0; !found; i++) {
        size_t oid_len = sizeof oid;

        assert_int_equal(gnutls_x509_crt_get_extension_info(crt, i, oid, &oid_len, &critical), 0);
        found = strcmp(oid, "1.3.6.1.5.5.7.1.31") == 0;
    }
    assert_int_equal(critical, 1);
    assert_int_equal(gnutls_x509_crt_get_extension_by_oid(crt, oid, 0, extension, &len, &critical),
                     0);
    assert_int_equal(len, sizeof want);
    assert_memory_equal(extension, want, len);
    gnutls_x509_crt_deinit(crt);
    key_free(k);
    x509_chain_free(c);
}

static void challenge_certificate_is_the_rfcs(void **state)
{
    const struct str names[] = {STR_LIT("a.test"), STR_LIT("192.0.2.7"), STR_LIT("2001:db8::1")};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        struct buf cert = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);

        assert_int_equal(x509_alpn(names[i], STR_LIT("token.thumbprint"), &cert, &key, NULL), 0);
        check_challenge(names[i], &cert, &key);
        buf_fini(&cert);
        buf_fini(&key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_carry_all_names),
        cmocka_unit_test(facts_are_read),
        cmocka_unit_test(certificate_id_is_the_rfcs),
        cmocka_unit_test(names_cover_names),
        cmocka_unit_test(name_with_a_nul_is_passed_over),
        cmocka_unit_test(chains_are_checked),
        cmocka_unit_test(forged_links_are_seen),
        cmocka_unit_test(damaged_text_is_refused),
        cmocka_unit_test(changed_bytes_are_never_good),
        cmocka_unit_test(challenge_certificate_is_the_rfcs),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
