/* Certificates in a store: whatever write is the last before a crash, a pair that fits is found. */
#include "cert/vault.h"

#include "base/file.h"
#include "cert/keys.h"
#include "cert/store_layout.h"
#include "cert/x509.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define CA "https://ca.test/dir"
#define NAME "a.example.com"

/* A store in memory that can be told to fail from a given write on, as a crash would. */
enum { ITEMS = 16 };

struct memory_store {
    struct store base;
    struct {
        char *key;
        struct buf value;
    } items[ITEMS];
    size_t n;
    int writes_left; /* -1: no end */
};

static struct memory_store *mem(struct store *s)
{
    return (struct memory_store *)s;
}

static size_t find(struct memory_store *m, const char *key)
{
    size_t i = 0;

    while (i < m->n && strcmp(m->items[i].key, key) != 0)
        i++;
    return i;
}

static int on_get(struct store *s, const char *key, struct buf *out, struct err *e)
{
    size_t i = find(mem(s), key);

    if (i == mem(s)->n)
        return err_set(e, ERR_NOT_FOUND, "%s is not there", key);
    return buf_append_str(out, buf_str(&mem(s)->items[i].value));
}

static int crashed(struct store *s, struct err *e)
{
    if (mem(s)->writes_left == 0)
        return err_set(e, ERR_IO, "crashed");
    if (mem(s)->writes_left > 0)
        mem(s)->writes_left--;
    return 0;
}

static int on_put(struct store *s, const char *key, struct str value, struct err *e)
{
    size_t i = find(mem(s), key);

    if (crashed(s, e) != 0)
        return -1;
    if (i == mem(s)->n) {
        assert_true(mem(s)->n < ITEMS);
        mem(s)->items[mem(s)->n++].key = strdup(key);
        buf_init(&mem(s)->items[i].value, STORE_VALUE_MAX);
    }
    buf_clear(&mem(s)->items[i].value);
    return buf_append_str(&mem(s)->items[i].value, value);
}

static void drop(struct memory_store *m, size_t i)
{
    free(m->items[i].key);
    buf_fini(&m->items[i].value);
    m->items[i] = m->items[--m->n];
}

static int on_del(struct store *s, const char *key, struct err *e)
{
    size_t i = find(mem(s), key);

    if (crashed(s, e) != 0)
        return -1;
    if (i < mem(s)->n)
        drop(mem(s), i);
    return 0;
}

static int on_list(struct store *s, const char *folder, store_visit visit, void *arg, struct err *e)
{
    (void)s;
    (void)e;
    assert_string_equal(folder, "certificates");
    visit(arg, "ca.test-dir");
    visit(arg, "local");
    return 0;
}

static const struct store_ops ops = {.get = on_get, .put = on_put, .del = on_del, .list = on_list};

static void empty(struct memory_store *m)
{
    while (m->n > 0)
        drop(m, 0);
    *m = (struct memory_store){.base = {&ops}, .writes_left = -1};
}

/* Two pairs to tell apart. */
static struct vault_cert pairs[2];

static int set_up(void **state)
{
    struct err e;

    (void)state;
    for (int i = 0; i < 2; i++) {
        vault_cert_init(&pairs[i]);
        if (x509_alpn(STR_LIT(NAME), STR_LIT("x.y"), &pairs[i].chain_pem, &pairs[i].key_pem, &e) !=
            0)
            return -1;
        pairs[i].public_since_s = 1000;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    vault_cert_fini(&pairs[0]);
    vault_cert_fini(&pairs[1]);
    return 0;
}

/* Which of the two is stored: 0 or 1; -1: nothing; fails if it is a mixture. */
static int stored(struct memory_store *m, int64_t *public_since_s, bool *pending)
{
    struct vault_cert c;
    struct err e;
    int which = -1;

    vault_cert_init(&c);
    if (vault_load(&m->base, CA, NAME, &c, &e) == 0) {
        which = str_eq(buf_str(&c.chain_pem), buf_str(&pairs[1].chain_pem));
        assert_non_null(c.cred);
        assert_true(str_eq(buf_str(&c.chain_pem), buf_str(&pairs[which].chain_pem)));
        assert_true(str_eq(buf_str(&c.key_pem), buf_str(&pairs[which].key_pem)));
        *public_since_s = c.public_since_s;
        *pending = c.pending;
    } else {
        assert_int_equal(e.code, ERR_NOT_FOUND);
    }
    vault_cert_fini(&c);
    return which;
}

static void loads_what_was_saved(void **state)
{
    struct memory_store m = {.n = 0};
    int64_t since;
    bool pending;

    (void)state;
    empty(&m);
    assert_int_equal(stored(&m, &since, &pending), -1);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(vault_save(&m.base, CA, NAME, &pairs[i], "https://ca.test/c", NULL), 0);
        assert_int_equal(stored(&m, &since, &pending), i);
        assert_int_equal(since, 1000);
        assert_false(pending);
        assert_int_equal(m.n, 3); /* .crt, .key, .json: as certmagic leaves them */
    }
    empty(&m);
}

static void survives_a_crash_after_any_write(void **state)
{
    struct memory_store m = {.n = 0};
    int64_t since;
    bool pending, whole = false;
    int before = -1;

    (void)state;
    for (int writes = 0; !whole; writes++) {
        int now;

        empty(&m);
        assert_int_equal(vault_save(&m.base, CA, NAME, &pairs[0], "", NULL), 0);
        m.writes_left = writes;
        whole = vault_save(&m.base, CA, NAME, &pairs[1], "", NULL) == 0;
        m.writes_left = -1;
        now = stored(&m, &since, &pending);
        assert_true(now >= 0 && now >= before); /* never nothing, and the new one stays */
        assert_int_equal(pending, now == 1 && !whole);
        before = now;
        assert_int_equal(vault_save(&m.base, CA, NAME, &pairs[now], "", NULL), 0);
        assert_int_equal(m.n, 3);
    }
    assert_int_equal(before, 1);
    empty(&m);
}

static void survives_a_crash_of_the_first_save(void **state)
{
    struct memory_store m = {.n = 0};
    int64_t since;
    bool pending, whole = false;

    (void)state;
    for (int writes = 0; !whole; writes++) {
        empty(&m);
        m.writes_left = writes;
        whole = vault_save(&m.base, CA, NAME, &pairs[1], "", NULL) == 0;
        m.writes_left = -1;
        assert_int_equal(stored(&m, &since, &pending), writes == 0 ? -1 : 1);
    }
    empty(&m);
}

static void tells_damage(void **state)
{
    struct memory_store m = {.n = 0};
    struct store_key key = store_cert_key(CA, NAME, STORE_CERT_KEY);
    struct vault_cert c;
    struct err e;

    (void)state;
    empty(&m);
    assert_int_equal(vault_save(&m.base, CA, NAME, &pairs[0], "", NULL), 0);
    assert_int_equal(store_put(&m.base, key.text, buf_str(&pairs[1].key_pem), NULL), 0);
    vault_cert_init(&c);
    assert_int_equal(vault_load(&m.base, CA, NAME, &c, &e), -1);
    assert_int_equal(e.code, ERR_INVALID);
    vault_cert_fini(&c);
    empty(&m);
}

static void keeps_and_drops_public_since(void **state)
{
    struct memory_store m = {.n = 0};
    struct store_key meta = store_cert_key(CA, NAME, STORE_CERT_META);
    struct buf text = BUF_INIT(STORE_VALUE_MAX);
    int64_t since;
    bool pending;

    (void)state;
    empty(&m);
    assert_int_equal(vault_save(&m.base, CA, NAME, &pairs[0], "", NULL), 0);
    assert_int_equal(
        store_put(&m.base, meta.text, STR_LIT("{\"sans\":[\"x\"],\"other\":{\"a\":1}}"), NULL), 0);
    assert_int_equal(stored(&m, &since, &pending), 0);
    assert_int_equal(since, 0);
    assert_int_equal(vault_set_public_since(&m.base, CA, NAME, 77, NULL), 0);
    assert_int_equal(stored(&m, &since, &pending), 0);
    assert_int_equal(since, 77);
    vault_drop_public_since(&m.base, NAME);
    assert_int_equal(stored(&m, &since, &pending), 0);
    assert_int_equal(since, 0);
    assert_int_equal(store_get(&m.base, meta.text, &text, NULL), 0);
    assert_string_equal(text.p, "{\"sans\":[\"x\"],\"other\":{\"a\":1}}");
    buf_fini(&text);
    empty(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_was_saved),
        cmocka_unit_test(survives_a_crash_after_any_write),
        cmocka_unit_test(survives_a_crash_of_the_first_save),
        cmocka_unit_test(tells_damage),
        cmocka_unit_test(keeps_and_drops_public_since),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
