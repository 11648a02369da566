/* What all orders at one CA share: its directory, our account there, the nonces. */
#include "cert/acme_priv.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cert/jdoc.h"
#include "cert/jws.h"
#include "cert/store_layout.h"

#include <assert.h>
#include <stdlib.h>

struct acme_ca *acme_ca_new(struct loop *l, struct fetcher *fr, struct store *st,
                            const struct acme_ca_conf *conf)
{
    struct acme_ca *ca = xalloc(sizeof *ca);

    ca->loop = l;
    ca->fetcher = fr;
    ca->store = st;
    ca->conf = (struct acme_ca_conf){
        .directory = xstrdup(conf->directory),
        .ca_root = xstrdup(conf->ca_root),
        .email = xstrdup(conf->email),
        .eab_key_id = xstrdup(conf->eab_key_id),
        .eab_mac_key = xstrdup(conf->eab_mac_key),
    };
    ca->arena = arena_new();
    list_init(&ca->waiting);
    return ca;
}

static void free_text(const char *s)
{
    free((char *)s);
}

void acme_ca_free(struct acme_ca *ca)
{
    if (ca == NULL)
        return;
    assert(ca->leader == NULL && list_empty(&ca->waiting));
    store_unlock(ca->lock);
    key_free(ca->key);
    arena_free(ca->arena);
    free(ca->kid);
    free(ca->gone_kid);
    free_text(ca->conf.directory);
    free_text(ca->conf.ca_root);
    free_text(ca->conf.email);
    free_text(ca->conf.eab_key_id);
    explicit_bzero((char *)ca->conf.eab_mac_key, strlen(ca->conf.eab_mac_key));
    free_text(ca->conf.eab_mac_key);
    free(ca);
}

bool acme_ca_is(const struct acme_ca *ca, const struct acme_ca_conf *conf)
{
    return strcmp(ca->conf.directory, conf->directory) == 0 &&
           strcmp(ca->conf.ca_root, conf->ca_root) == 0 &&
           strcmp(ca->conf.email, conf->email) == 0 &&
           strcmp(ca->conf.eab_key_id, conf->eab_key_id) == 0 &&
           strcmp(ca->conf.eab_mac_key, conf->eab_mac_key) == 0;
}

/* ---- who makes the account: one order leads, the others wait ---- */

static bool directory_fresh(const struct acme_ca *ca)
{
    return loop_now_ms(ca->loop) < ca->directory_until_ms;
}

bool acme_ca_ready(const struct acme_ca *ca)
{
    return directory_fresh(ca) && ca->key != NULL && ca->kid != NULL;
}

bool acme_ca_lead(struct acme_ca *ca, struct acme *a)
{
    if (ca->leader == NULL)
        ca->leader = a;
    if (ca->leader == a)
        return true;
    list_del(&a->waiting);
    list_add_tail(&ca->waiting, &a->waiting);
    return false;
}

void acme_ca_follow(struct acme_ca *ca, struct acme *a, const struct err *e)
{
    if (ca->leader != a)
        return;
    ca->leader = NULL;
    store_unlock(ca->lock);
    ca->lock = NULL;
    while (!list_empty(&ca->waiting)) {
        struct acme *next = container_of(ca->waiting.next, struct acme, waiting);

        list_del(&next->waiting);
        if (e != NULL)
            acme_fail_soon(next, e);
        else
            acme_wake(next);
    }
}

/* ---- the directory ---- */

struct acme_reader acme_ca_reader(const struct acme_ca *ca, struct arena *arena)
{
    return (struct acme_reader){arena, str_starts(str_of(ca->conf.directory), STR_LIT("http://"))};
}

int acme_ca_set_directory(struct acme_ca *ca, struct str body, struct err *e)
{
    struct arena *arena = arena_new();
    struct acme_reader reader = acme_ca_reader(ca, arena);
    struct acme_directory directory;

    /* One that cannot be read leaves the old one to the orders that are on their way with it. */
    ca->directory_until_ms = 0;
    if (acme_parse_directory(&reader, body, &directory, e) != 0) {
        arena_free(arena);
        return err_wrap(e, "the directory of the CA");
    }
    arena_free(ca->arena);
    ca->arena = arena;
    ca->directory = directory;
    if (ca->directory.needs_binding && ca->conf.eab_key_id[0] == '\0')
        return err_set(e, ERR_INVALID,
                       "this CA wants an external account binding: set acme_eab KEY_ID MAC_KEY");
    ca->directory_until_ms = loop_now_ms(ca->loop) + ACME_DIRECTORY_FRESH_MS;
    return 0;
}

/* ---- the account ---- */

/* The stored key; none is no error and leaves ca->key NULL. */
static int load_key(struct acme_ca *ca, struct err *e)
{
    struct store_key at = store_account_key(ca->conf.directory, ca->conf.email, STORE_ACCOUNT_KEY);
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    int rc = store_get(ca->store, at.text, &pem, e);

    if (rc != 0 && e->code == ERR_NOT_FOUND)
        rc = 0;
    else if (rc == 0) {
        ca->key = key_load(buf_str(&pem), e);
        rc = ca->key == NULL ? -1 : key_thumbprint(ca->key, ca->thumbprint, e);
    }
    buf_fini(&pem);
    if (rc != 0) {
        key_free(ca->key);
        ca->key = NULL;
        return err_wrap(e, "the account key %s", at.text);
    }
    return 0;
}

/* The stored URL; one that is missing, broken or known to be gone leaves ca->kid NULL. */
static int load_kid(struct acme_ca *ca, struct err *e)
{
    struct store_key at = store_account_key(ca->conf.directory, ca->conf.email, STORE_ACCOUNT_JSON);
    struct buf text = BUF_INIT(ACME_BODY_MAX);
    struct arena *arena = arena_new();
    struct acme_reader reader = acme_ca_reader(ca, arena);
    struct json_object *o = NULL;
    const char *url;
    int rc = store_get(ca->store, at.text, &text, e);

    if (rc == 0)
        o = jdoc_parse(buf_str(&text), e);
    url = o == NULL ? NULL : acme_check_url(&reader, jdoc_str(o, "location"));
    if (url != NULL && (ca->gone_kid == NULL || strcmp(url, ca->gone_kid) != 0))
        ca->kid = xstrdup(url);
    if (rc != 0 && e->code == ERR_NOT_FOUND)
        rc = 0;
    json_object_put(o);
    arena_free(arena);
    buf_fini(&text);
    return rc;
}

int acme_ca_load(struct acme_ca *ca, struct err *e)
{
    if (ca->key == NULL && load_key(ca, e) != 0)
        return -1;
    if (ca->key != NULL && ca->kid == NULL)
        return load_kid(ca, e);
    return 0;
}

/* A key that has not been stored must never be sent to the CA: after a crash it would be an
 * account that nobody can use or find again. */
static int make_key(struct acme_ca *ca, struct err *e)
{
    struct store_key at = store_account_key(ca->conf.directory, ca->conf.email, STORE_ACCOUNT_KEY);
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    struct key *key = key_generate(KEY_P256, e);
    int rc = -1;

    if (key != NULL && key_thumbprint(key, ca->thumbprint, e) == 0 && key_pem(key, &pem, e) == 0)
        rc = store_put(ca->store, at.text, buf_str(&pem), e);
    buf_fini(&pem);
    if (rc != 0) {
        key_free(key);
        return err_wrap(e, "make an account key");
    }
    ca->key = key;
    return 0;
}

int acme_ca_load_locked(struct acme_ca *ca, struct err *e)
{
    struct store_key name = store_lock_account(ca->conf.directory, ca->conf.email);

    if (ca->lock == NULL && store_lock(ca->store, name.text, &ca->lock, e) != 0)
        return -1;
    if (acme_ca_load(ca, e) != 0)
        return -1;
    return ca->key == NULL ? make_key(ca, e) : 0;
}

static void add_contact(const struct acme_ca *ca, struct json_object *o)
{
    struct json_object *list;
    char *contact;

    if (ca->conf.email[0] == '\0')
        return;
    contact = xasprintf("mailto:%s", ca->conf.email);
    list = json_object_new_array();
    json_object_array_add(list, json_object_new_string(contact));
    json_object_object_add(o, "contact", list);
    free(contact);
}

int acme_ca_account_payload(struct acme_ca *ca, struct buf *out, struct err *e)
{
    struct buf binding = BUF_INIT(JWS_MAX);
    struct json_object *o;

    if (ca->conf.eab_key_id[0] != '\0' &&
        jws_bind(ca->key, ca->conf.eab_key_id, ca->conf.eab_mac_key, ca->directory.new_account,
                 &binding, e) != 0) {
        buf_fini(&binding);
        return -1;
    }
    o = json_object_new_object();
    json_object_object_add(o, "termsOfServiceAgreed", json_object_new_boolean(1));
    add_contact(ca, o);
    if (binding.len > 0)
        json_object_object_add(o, "externalAccountBinding", jdoc_parse(buf_str(&binding), e));
    buf_fini(&binding);
    return jdoc_write(o, out, e);
}

/* In certmagic's form: the account object with the account's URL as "location". */
static int store_account(struct acme_ca *ca, struct err *e)
{
    struct store_key at = store_account_key(ca->conf.directory, ca->conf.email, STORE_ACCOUNT_JSON);
    struct buf text = BUF_INIT(ACME_BODY_MAX);
    struct json_object *o = json_object_new_object();
    int rc;

    jdoc_add_str(o, "status", STR_LIT("valid"));
    add_contact(ca, o);
    json_object_object_add(o, "termsOfServiceAgreed", json_object_new_boolean(1));
    jdoc_add_str(o, "location", str_of(ca->kid));
    rc = jdoc_write(o, &text, e);
    if (rc == 0)
        rc = store_put(ca->store, at.text, buf_str(&text), e);
    buf_fini(&text);
    return rc;
}

int acme_ca_set_account(struct acme_ca *ca, struct str url, struct err *e)
{
    struct arena *arena = arena_new();
    struct acme_reader reader = acme_ca_reader(ca, arena);
    const char *checked = acme_check_url(&reader, url);
    struct err stored;

    if (checked != NULL) {
        free(ca->kid);
        ca->kid = xstrdup(checked);
    }
    arena_free(arena);
    if (checked == NULL)
        return err_set(e, ERR_PROTOCOL, "the CA gave no URL for our account");
    free(ca->gone_kid);
    ca->gone_kid = NULL;
    /* Not fatal: with the key in storage, newAccount gives the same account the next time. */
    if (store_account(ca, &stored) != 0)
        log_warn("acme", "the account's URL could not be stored: %s", stored.msg);
    return 0;
}

void acme_ca_forget(struct acme_ca *ca, const char *kid)
{
    if (kid == NULL || ca->kid == NULL || strcmp(ca->kid, kid) != 0)
        return; /* somebody else has seen to it already */
    free(ca->gone_kid);
    ca->gone_kid = ca->kid;
    ca->kid = NULL;
}

/* ---- nonces ---- */

void acme_ca_add_nonce(struct acme_ca *ca, const char *nonce)
{
    if (ca->n_nonces == ACME_NONCES_MAX) /* the oldest is the likeliest to be stale */
        memmove(ca->nonces[0], ca->nonces[1], sizeof ca->nonces[0] * --ca->n_nonces);
    memcpy(ca->nonces[ca->n_nonces++], nonce, strlen(nonce) + 1);
}

bool acme_ca_take_nonce(struct acme_ca *ca, char out[ACME_NONCE_MAX + 1])
{
    if (ca->n_nonces == 0)
        return false;
    memcpy(out, ca->nonces[--ca->n_nonces], sizeof ca->nonces[0]);
    return true;
}
