#include "cert/vault.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cert/jdoc.h"
#include "cert/keys.h"
#include "cert/store_layout.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>

static const char public_since[] = "public_since";

void vault_cert_init(struct vault_cert *c)
{
    *c = (struct vault_cert){BUF_INIT(X509_PEM_MAX), BUF_INIT(KEY_PEM_MAX), 0, NULL, false};
}

void vault_cert_fini(struct vault_cert *c)
{
    buf_fini(&c->chain_pem);
    buf_fini(&c->key_pem);
    cred_unref(c->cred);
    c->cred = NULL;
    c->public_since_s = 0;
    c->pending = false;
}

static struct store_key pending_key(const char *ca, const char *name)
{
    struct store_key folder = store_cert_folder(ca, name), key;

    snprintf(key.text, sizeof key.text, "%.*s/pending.pem", STORE_KEY_MAX - 16, folder.text);
    return key;
}

/* ---- the pending pair: the key, then the chain ---- */

static int put_pending(struct store *st, const char *ca, const char *name,
                       const struct vault_cert *c, struct err *e)
{
    struct store_key at = pending_key(ca, name);
    struct buf both = BUF_INIT(KEY_PEM_MAX + X509_PEM_MAX);
    int rc = -1;

    if (buf_append_str(&both, buf_str(&c->key_pem)) != 0 ||
        buf_append_str(&both, buf_str(&c->chain_pem)) != 0)
        err_set(e, ERR_LIMIT, "the certificate is too long");
    else
        rc = store_put(st, at.text, buf_str(&both), e);
    buf_fini(&both);
    return rc;
}

static int put_pair(struct store *st, const char *ca, const char *name, const struct vault_cert *c,
                    struct err *e)
{
    struct store_key key = store_cert_key(ca, name, STORE_CERT_KEY);
    struct store_key chain = store_cert_key(ca, name, STORE_CERT_CHAIN);

    if (store_put(st, key.text, buf_str(&c->key_pem), e) != 0)
        return -1;
    return store_put(st, chain.text, buf_str(&c->chain_pem), e);
}

static int split(const struct buf *both, struct vault_cert *c)
{
    static const char mark[] = "-----BEGIN CERTIFICATE-----";
    const char *at = both->len == 0 ? NULL : memmem(both->p, both->len, mark, sizeof mark - 1);
    size_t key_len;

    if (at == NULL)
        return -1;
    key_len = (size_t)(at - both->p);
    if (buf_append(&c->key_pem, both->p, key_len) != 0)
        return -1;
    return buf_append(&c->chain_pem, at, both->len - key_len);
}

/* Takes up what a crash left half done. 0: c holds it; -1: there is nothing of use. */
static int load_pending(struct store *st, const char *ca, const char *name, struct vault_cert *c)
{
    struct store_key at = pending_key(ca, name);
    struct buf both = BUF_INIT(KEY_PEM_MAX + X509_PEM_MAX);
    struct err e;
    int rc = store_get(st, at.text, &both, &e);

    if (rc == 0)
        rc = split(&both, c);
    buf_fini(&both);
    if (rc == 0) {
        c->cred = cred_new(buf_str(&c->chain_pem), buf_str(&c->key_pem), &e);
        rc = c->cred == NULL ? -1 : 0;
    }
    if (rc != 0) {
        vault_cert_fini(c);
        return -1;
    }
    c->pending = true;
    return 0;
}

/* ---- facts beside the pair ---- */

/* The .json object; a new one if there is none that can be read. */
static struct json_object *load_meta(struct store *st, const char *at)
{
    struct buf text = BUF_INIT(STORE_VALUE_MAX);
    struct json_object *o = NULL;
    struct err e;

    if (store_get(st, at, &text, &e) == 0)
        o = jdoc_parse(buf_str(&text), &e);
    buf_fini(&text);
    return o == NULL ? json_object_new_object() : o;
}

/* Gives o away. */
static int put_meta(struct store *st, const char *at, struct json_object *o, struct err *e)
{
    struct buf text = BUF_INIT(STORE_VALUE_MAX);
    int rc = jdoc_write(o, &text, e);

    if (rc == 0)
        rc = store_put(st, at, buf_str(&text), e);
    buf_fini(&text);
    return rc;
}

static int put_new_meta(struct store *st, const char *ca, const char *name,
                        const struct vault_cert *c, const char *url, struct err *e)
{
    struct store_key at = store_cert_key(ca, name, STORE_CERT_META);
    struct json_object *o = json_object_new_object(), *sans = json_object_new_array(),
                       *issuer = json_object_new_object();

    json_object_array_add(sans, json_object_new_string(name));
    json_object_object_add(o, "sans", sans);
    jdoc_add_str(issuer, "url", str_of(url));
    jdoc_add_str(issuer, "ca", str_of(ca));
    json_object_object_add(o, "issuer_data", issuer);
    if (c->public_since_s != 0)
        json_object_object_add(o, public_since, json_object_new_int64(c->public_since_s));
    return put_meta(st, at.text, o, e);
}

int vault_set_public_since(struct store *st, const char *ca, const char *name, int64_t since_s,
                           struct err *e)
{
    struct store_key at = store_cert_key(ca, name, STORE_CERT_META);
    struct json_object *o = load_meta(st, at.text);

    json_object_object_add(o, public_since, json_object_new_int64(since_s));
    return put_meta(st, at.text, o, e);
}

struct drop {
    struct store *st;
    const char *name;
};

static bool on_ca_folder(void *arg, const char *ca)
{
    const struct drop *d = arg;
    const size_t prefix = sizeof "certificates/" STORE_LOCAL_CA - 1;
    struct store_key local = store_cert_key(STORE_LOCAL_CA, d->name, STORE_CERT_META);
    char at[STORE_KEY_MAX * 2];
    struct json_object *o;
    struct err e;

    if (strcmp(ca, STORE_LOCAL_CA) == 0)
        return true;
    snprintf(at, sizeof at, "certificates/%s%s", ca, local.text + prefix);
    if (strlen(at) >= STORE_KEY_MAX)
        return true;
    o = load_meta(d->st, at);
    if (jdoc_int(o, public_since, 0) == 0) {
        json_object_put(o);
        return true;
    }
    json_object_object_del(o, public_since);
    if (put_meta(d->st, at, o, &e) != 0)
        log_warn("store", "%s: %s", d->name, e.msg);
    return true;
}

void vault_drop_public_since(struct store *st, const char *name)
{
    struct drop d = {st, name};
    struct err e;

    if (store_list(st, "certificates", on_ca_folder, &d, &e) != 0)
        log_warn("store", "%s: %s", name, e.msg);
}

/* ---- the whole ---- */

int vault_load(struct store *st, const char *ca, const char *name, struct vault_cert *c,
               struct err *e)
{
    struct store_key key = store_cert_key(ca, name, STORE_CERT_KEY);
    struct store_key chain = store_cert_key(ca, name, STORE_CERT_CHAIN);
    struct store_key meta = store_cert_key(ca, name, STORE_CERT_META);
    struct json_object *o;

    if (load_pending(st, ca, name, c) != 0) {
        if (store_get(st, chain.text, &c->chain_pem, e) != 0 ||
            store_get(st, key.text, &c->key_pem, e) != 0)
            return -1;
        c->cred = cred_new(buf_str(&c->chain_pem), buf_str(&c->key_pem), e);
        if (c->cred == NULL) {
            e->code = ERR_INVALID;
            return err_wrap(e, "%s", chain.text);
        }
    }
    o = load_meta(st, meta.text);
    c->public_since_s = jdoc_int(o, public_since, 0);
    json_object_put(o);
    return 0;
}

int vault_save(struct store *st, const char *ca, const char *name, const struct vault_cert *c,
               const char *url, struct err *e)
{
    struct store_key at = pending_key(ca, name);

    if (put_pending(st, ca, name, c, e) != 0 || put_pair(st, ca, name, c, e) != 0 ||
        put_new_meta(st, ca, name, c, url, e) != 0)
        return -1;
    return store_delete(st, at.text, e);
}
