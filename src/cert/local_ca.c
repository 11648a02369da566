#include "cert/local_ca.h"

#include "base/alloc.h"
#include "base/date.h"
#include "base/log.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    /* 2024-01-01. A machine without a battery for its clock starts in 1970: a CA made then would
     * have expired in 1980. */
    CLOCK_FLOOR_S = 1704067200,
    CLOCK_RETRY_MS = 2 * 1000,
    SUBJECT_MAX = 64 /* ub-common-name of RFC 5280 */
};

/* A certificate and its key, as they stand in the store. */
struct pair {
    const char *crt_name, *key_name; /* keys of the store */
    struct x509_chain *chain;        /* NULL: not loaded */
    struct key *key;
    struct buf pem; /* of the certificate */
};

struct local_ca {
    struct store *store;
    struct pair root; /* its key is loaded only while it has to sign */
    struct pair intermediate;
    char *root_path;
};

/* ---- pairs ---- */

static void pair_clear(struct pair *p)
{
    x509_chain_free(p->chain);
    key_free(p->key);
    p->chain = NULL;
    p->key = NULL;
    buf_fini(&p->pem);
}

static int load_crt(struct store *s, struct pair *p, struct err *e)
{
    buf_clear(&p->pem);
    if (store_get(s, p->crt_name, &p->pem, e) != 0)
        return -1;
    p->chain = x509_chain_parse(buf_str(&p->pem), e);
    return p->chain == NULL ? err_wrap(e, "%s", p->crt_name) : 0;
}

static int load_key(struct store *s, struct pair *p, struct err *e)
{
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    int rc = store_get(s, p->key_name, &pem, e);

    if (rc == 0) {
        p->key = key_load(buf_str(&pem), e);
        rc = p->key == NULL ? err_wrap(e, "%s", p->key_name) : 0;
    }
    buf_fini(&pem);
    return rc;
}

static int put_key(struct store *s, const struct pair *p, struct err *e)
{
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    int rc = key_pem(p->key, &pem, e);

    if (rc == 0)
        rc = store_put(s, p->key_name, buf_str(&pem), e);
    buf_fini(&pem);
    return rc;
}

/* Signs a certificate for p->key with the issuer (itself if NULL) and stores it. */
static int make_crt(struct store *s, struct pair *p, const struct x509_template *t,
                    const struct pair *issuer, struct err *e)
{
    buf_clear(&p->pem);
    if (x509_make(t, p->key, issuer == NULL ? NULL : issuer->chain,
                  issuer == NULL ? NULL : issuer->key, &p->pem, e) != 0)
        return -1;
    p->chain = x509_chain_parse(buf_str(&p->pem), e);
    return p->chain == NULL ? -1 : store_put(s, p->crt_name, buf_str(&p->pem), e);
}

/* What a person can do about a broken root, after the message that says what is wrong. */
static int broken_root(const struct local_ca *ca, struct err *e)
{
    struct err why = *e;

    err_set(e, ERR_INVALID,
            "local CA: %.90s: restore it, or remove root.crt and root.key beside %.80s for a new "
            "CA",
            why.msg, ca->root_path);
    return -1;
}

/* ---- the root ---- */

/* 0: loaded; 1: there is none; -1: it is there, but no good. */
static int load_root(struct local_ca *ca, int64_t now_s, struct err *e)
{
    char date[DATE_RFC3339_LEN + 1];

    if (load_crt(ca->store, &ca->root, e) != 0) {
        if (e->code == ERR_NOT_FOUND)
            return 1;
        return e->code == ERR_IO ? -1 : broken_root(ca, e);
    }
    if (x509_not_after_s(ca->root.chain) >= now_s)
        return 0;
    date_format_rfc3339(x509_not_after_s(ca->root.chain), date);
    err_set(e, ERR_INVALID, "%s: expired on %s", ca->root.crt_name, date);
    return broken_root(ca, e);
}

/* The key is stored first: a root.key without a root.crt is what a process that was killed between
 * leaves, and is used. (A root.crt that somebody removed comes back with the same key and name.) */
static int root_key(struct local_ca *ca, struct err *e)
{
    if (load_key(ca->store, &ca->root, e) == 0)
        return 0;
    if (e->code == ERR_IO)
        return -1;
    if (e->code != ERR_NOT_FOUND)
        return broken_root(ca, e);
    ca->root.key = key_generate(KEY_P256, e);
    return ca->root.key == NULL ? -1 : put_key(ca->store, &ca->root, e);
}

static int make_root(struct local_ca *ca, int64_t now_s, struct err *e)
{
    char subject[SUBJECT_MAX], date[DATE_RFC3339_LEN + 1];
    struct x509_template t = {
        .subject = subject,
        .not_before_s = now_s - LOCAL_CA_BACKDATE_S,
        .not_after_s = now_s + LOCAL_CA_ROOT_S,
        .is_ca = true,
        .path_len = 1,
    };

    date_format_rfc3339(now_s, date);
    snprintf(subject, sizeof subject, "Lintel Local CA - %.4s ECC Root", date);
    if (root_key(ca, e) != 0 || make_crt(ca->store, &ca->root, &t, NULL, e) != 0)
        return -1;
    log_info("cert", "local CA: made a new root certificate: %s", ca->root_path);
    return 0;
}

/* ---- the intermediate ---- */

/* Whether the intermediate can go on signing: whole, its key's, the root's, not made by a clock
 * that was ahead, and not near its end, unless the root ends there too. */
static bool intermediate_good(const struct local_ca *ca, int64_t now_s)
{
    const struct pair *p = &ca->intermediate;
    int64_t end_s;

    if (p->chain == NULL || p->key == NULL || x509_not_before_s(p->chain) > now_s)
        return false;
    end_s = x509_not_after_s(p->chain);
    return end_s - now_s >= LOCAL_CA_INTERMEDIATE_LEFT_S ||
           (end_s >= now_s && end_s >= x509_not_after_s(ca->root.chain));
}

/* Checked once, when it is loaded: signed by our root and belonging to its key. */
static int check_intermediate(const struct local_ca *ca, struct err *e)
{
    struct buf both = BUF_INIT(X509_PEM_MAX);
    struct x509_chain *chain = NULL;
    int rc = -1;

    if (x509_n_certs(ca->intermediate.chain) != 1)
        err_set(e, ERR_INVALID, "more than one certificate");
    else if (buf_append_str(&both, buf_str(&ca->intermediate.pem)) != 0 ||
             buf_putc(&both, '\n') != 0 || buf_append_str(&both, buf_str(&ca->root.pem)) != 0)
        err_set(e, ERR_LIMIT, "too large");
    else if ((chain = x509_chain_parse(buf_str(&both), e)) != NULL)
        rc = x509_chain_check(chain, ca->intermediate.key, NULL, 0,
                              x509_not_before_s(ca->intermediate.chain), e);
    x509_chain_free(chain);
    buf_fini(&both);
    return rc;
}

/* Afterwards it is loaded, or clear. A damaged one is no harm: nobody trusts it but by the root. */
static int load_intermediate(struct local_ca *ca, struct err *e)
{
    struct pair *p = &ca->intermediate;

    pair_clear(p);
    if (load_crt(ca->store, p, e) == 0 && load_key(ca->store, p, e) == 0 &&
        check_intermediate(ca, e) == 0)
        return 0;
    pair_clear(p);
    return -1;
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* With the root's key, which is forgotten again at once. Both new ones are made before either is
 * stored; a pair torn by a kill between the two does not match, and is made anew. */
static int sign_intermediate(struct local_ca *ca, int64_t now_s, struct err *e)
{
    struct pair *p = &ca->intermediate;
    const struct x509_template t = {
        .subject = "Lintel Local CA - ECC Intermediate",
        .not_before_s = now_s - LOCAL_CA_BACKDATE_S,
        .not_after_s = earlier(now_s + LOCAL_CA_INTERMEDIATE_S, x509_not_after_s(ca->root.chain)),
        .is_ca = true,
        .path_len = 0,
    };

    pair_clear(p);
    p->key = key_generate(KEY_P256, e);
    if (p->key == NULL || put_key(ca->store, p, e) != 0 ||
        make_crt(ca->store, p, &t, &ca->root, e) != 0)
        return -1;
    return 0;
}

static int load_root_key(struct local_ca *ca, struct err *e)
{
    if (load_key(ca->store, &ca->root, e) != 0)
        return e->code == ERR_IO ? -1 : broken_root(ca, e);
    if (x509_chain_key_check(ca->root.chain, ca->root.key, e) == 0)
        return 0;
    err_wrap(e, "%s", ca->root.key_name);
    return broken_root(ca, e);
}

static int make_intermediate(struct local_ca *ca, int64_t now_s, struct err *e)
{
    int rc;

    if (ca->root.key == NULL && load_root_key(ca, e) != 0)
        return -1;
    rc = sign_intermediate(ca, now_s, e);
    if (rc != 0)
        pair_clear(&ca->intermediate);
    return rc;
}

/* Look, lock, look again, make. Only what others may be changing is looked at again. */
static int ensure(struct local_ca *ca, int64_t now_s, struct err *e)
{
    struct store_lock *lock;
    int rc = 0;

    if (ca->root.chain != NULL && x509_not_after_s(ca->root.chain) < now_s)
        pair_clear(&ca->root); /* load_root() says that it has expired, or finds a new one */
    if (ca->root.chain != NULL && intermediate_good(ca, now_s))
        return 0;
    if (store_lock(ca->store, store_lock_local_ca().text, &lock, e) != 0)
        return -1;
    if (ca->root.chain == NULL) {
        rc = load_root(ca, now_s, e);
        if (rc == 1)
            rc = make_root(ca, now_s, e);
    }
    if (rc == 0) {
        if (load_intermediate(ca, e) != 0 && e->code != ERR_NOT_FOUND)
            log_warn("cert", "local CA: the intermediate is made anew: %s", e->msg);
        if (!intermediate_good(ca, now_s))
            rc = make_intermediate(ca, now_s, e);
    }
    key_free(ca->root.key);
    ca->root.key = NULL;
    store_unlock(lock);
    return rc;
}

/* ---- the interface ---- */

static int check_clock(int64_t now_s, struct err *e)
{
    char date[DATE_RFC3339_LEN + 1];

    if (now_s >= CLOCK_FLOOR_S)
        return 0;
    date_format_rfc3339(now_s, date);
    err_set(e, ERR_BUSY, "local CA: the clock is not set: it says %.10s", date);
    e->retry_ms = CLOCK_RETRY_MS;
    return -1;
}

static void pair_init(struct pair *p, const char *crt_name, const char *key_name)
{
    p->crt_name = crt_name;
    p->key_name = key_name;
    buf_init(&p->pem, X509_PEM_MAX);
}

static struct local_ca *ca_new(struct store *s)
{
    struct local_ca *ca = xalloc(sizeof *ca);

    ca->store = s;
    pair_init(&ca->root, STORE_LOCAL_ROOT ".crt", STORE_LOCAL_ROOT ".key");
    pair_init(&ca->intermediate, STORE_LOCAL_INTERMEDIATE ".crt", STORE_LOCAL_INTERMEDIATE ".key");
    ca->root_path = xasprintf("%s/%s", store_where(s), ca->root.crt_name);
    return ca;
}

struct local_ca *local_ca_open(struct store *s, int64_t now_s, struct err *e)
{
    struct err own;
    struct local_ca *ca;
    int rc;

    if (e == NULL)
        e = &own;
    if (check_clock(now_s, e) != 0)
        return NULL;
    ca = ca_new(s);
    rc = load_root(ca, now_s, e);
    if (rc == 0)
        (void)load_intermediate(ca, e); /* what is wrong with it is told by ensure() */
    if (rc >= 0 && ensure(ca, now_s, e) == 0)
        return ca;
    local_ca_close(ca);
    return NULL;
}

void local_ca_close(struct local_ca *ca)
{
    if (ca == NULL)
        return;
    pair_clear(&ca->root);
    pair_clear(&ca->intermediate);
    free(ca->root_path);
    free(ca);
}

static int issue(const struct local_ca *ca, struct str name, const struct key *k, int64_t now_s,
                 struct buf *chain_pem, struct err *e)
{
    char subject[SUBJECT_MAX + 1];
    const struct x509_template t = {
        .subject = subject,
        .name = name,
        .not_before_s = now_s - LOCAL_CA_BACKDATE_S,
        .not_after_s = earlier(now_s + LOCAL_CA_LEAF_S, x509_not_after_s(ca->intermediate.chain)),
    };

    /* Browsers read the name from the extension; this one is for people. */
    snprintf(subject, sizeof subject, STR_FMT, STR_ARG(name));
    if (x509_make(&t, k, ca->intermediate.chain, ca->intermediate.key, chain_pem, e) != 0)
        return -1;
    if (buf_append_str(chain_pem, buf_str(&ca->intermediate.pem)) != 0)
        return err_set(e, ERR_LIMIT, "certificate: too large");
    return 0;
}

int local_ca_issue(struct local_ca *ca, struct str name, enum key_type type, int64_t now_s,
                   struct buf *chain_pem, struct buf *key_pem_out, struct err *e)
{
    struct key *k;
    struct err own;
    int rc = -1;

    if (e == NULL)
        e = &own;
    if (check_clock(now_s, e) != 0 || ensure(ca, now_s, e) != 0)
        return -1;
    k = key_generate(type, e);
    if (k == NULL)
        return -1;
    if (issue(ca, name, k, now_s, chain_pem, e) == 0 && key_pem(k, key_pem_out, e) == 0)
        rc = 0;
    key_free(k);
    return rc;
}

int local_ca_check(const struct local_ca *ca, struct str chain_pem, struct err *e)
{
    struct buf both = BUF_INIT(X509_PEM_MAX);
    struct x509_chain *chain = NULL;
    int rc = -1;

    if (buf_append_str(&both, chain_pem) != 0 || buf_putc(&both, '\n') != 0 ||
        buf_append_str(&both, buf_str(&ca->root.pem)) != 0)
        err_set(e, ERR_LIMIT, "too large");
    else if ((chain = x509_chain_parse(buf_str(&both), e)) != NULL)
        rc = x509_chain_links_check(chain, e);
    x509_chain_free(chain);
    buf_fini(&both);
    return rc;
}

struct str local_ca_root_pem(const struct local_ca *ca)
{
    return buf_str(&ca->root.pem);
}

const char *local_ca_root_path(const struct local_ca *ca)
{
    return ca->root_path;
}
