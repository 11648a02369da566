/* The round of one name: look at what there is, do the next thing, sleep until something is due. */
#include "cert/manager_priv.h"

#include "base/alloc.h"
#include "base/date.h"
#include "base/log.h"
#include "cert/store_layout.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    STORE_AGAIN_S = 60, /* after trouble with the store */
    AGAIN_LEAST_S = 10
};

static void on_timer(struct timer *t)
{
    managed_look(container_of(t, struct managed, timer));
}

struct managed *managed_new(struct manager *m, const struct cert_need *need)
{
    struct managed *n = xalloc(sizeof *n);

    n->m = m;
    n->name = xstrdup(need->name);
    n->tls = need->tls;
    n->timer.on_timer = on_timer;
    vault_cert_init(&n->unsaved);
    snprintf(n->reason, sizeof n->reason, "none has been obtained yet");
    return n;
}

void managed_lend(struct managed *n, const struct managed *old)
{
    if (n->cred != NULL || old->cred == NULL || n->tls->source != CERT_ACME ||
        old->tls->source != CERT_ACME)
        return;
    n->cred = cred_ref(old->cred);
    n->lent = true;
    n->not_before_s = old->not_before_s;
    n->not_after_s = old->not_after_s;
    n->spread = old->spread;
    n->public_since_s = old->public_since_s;
}

void managed_unlock(struct managed *n)
{
    store_unlock(n->lock);
    n->lock = NULL;
}

void managed_free(struct managed *n)
{
    managed_end_order(n);
    managed_withdraw(n);
    timer_cancel(n->m->loop, &n->timer);
    cred_unref(n->cred);
    vault_cert_fini(&n->unsaved);
    free(n->url);
    free(n->name);
    free(n);
}

const char *managed_ca(const struct managed *n)
{
    return n->tls->source == CERT_ACME ? n->tls->ca : STORE_LOCAL_CA;
}

/* ---- time ---- */

int64_t managed_renew_at(const struct managed *n)
{
    return schedule_renew_at(n->not_before_s, n->not_after_s, n->tls->renewal_permille, n->spread);
}

/* Our own CA made it when the clock was ahead: to the clients it is not valid yet, and another
 * costs nothing. */
static bool is_early(const struct managed *n)
{
    return n->tls->source == CERT_INTERNAL && n->cred != NULL &&
           manager_now_s(n->m) < n->not_before_s;
}

bool managed_due(const struct managed *n)
{
    return n->cred == NULL || n->lent || is_early(n) || manager_now_s(n->m) >= managed_renew_at(n);
}

void managed_sleep(struct managed *n, int64_t until_s)
{
    timer_set(
        n->m->loop, &n->timer,
        schedule_sleep_ms(until_s, manager_now_s(n->m), n->m->conf->options.renew_interval_ms));
}

/* ---- what could not be stored yet ---- */

static void keep_unsaved(struct managed *n, struct vault_cert *c, const char *url)
{
    vault_cert_fini(&n->unsaved);
    n->unsaved = *c;
    vault_cert_init(c);
    n->has_unsaved = true;
    free(n->url);
    n->url = xstrdup(url);
}

static void forget_unsaved(struct managed *n)
{
    n->has_unsaved = false;
    vault_cert_fini(&n->unsaved);
}

/* Stores the pair that is served already, under the name's lock; if that fails it is tried again
 * each minute. */
static void save(struct managed *n)
{
    struct manager *m = n->m;
    struct err e;

    if (vault_save(m->store, managed_ca(n), n->name, &n->unsaved, n->url, &e) != 0) {
        manager_store_trouble(m, &e);
        return;
    }
    forget_unsaved(n);
    manager_store_ok(m);
}

/* ---- what is served ---- */

int managed_adopt(struct managed *n, struct str chain_pem, struct cred **cred, struct err *e)
{
    struct x509_chain *chain = x509_chain_parse(chain_pem, e);

    if (chain == NULL)
        return -1;
    cred_unref(n->cred);
    n->cred = *cred;
    *cred = NULL;
    n->lent = false;
    n->not_before_s = x509_not_before_s(chain);
    n->not_after_s = x509_not_after_s(chain);
    n->spread = str_hash_nocase(str_of(x509_serial(chain)));
    n->reason[0] = '\0';
    x509_chain_free(chain);
    manager_changed(n->m);
    return 0;
}

/* The HSTS ramp counts from the first certificate of a public CA. Every ACME CA counts as public:
 * whoever names one of his own has made its root known to his clients. */
static void note_public(struct managed *n, int64_t stored_since_s)
{
    struct err e;

    if (n->tls->source != CERT_ACME) {
        n->public_since_s = 0;
        return;
    }
    if (stored_since_s != 0 && stored_since_s <= manager_now_s(n->m))
        n->public_since_s = stored_since_s;
    if (n->public_since_s != 0)
        return;
    n->public_since_s = manager_now_s(n->m);
    if (vault_set_public_since(n->m->store, managed_ca(n), n->name, n->public_since_s, &e) != 0)
        log_debug("store", "%s: %s", n->name, e.msg);
}

/* What was copied by hand may be for other names; what the local CA issued is of no use once
 * somebody has taken a new root. */
static int check_stored(struct managed *n, struct str chain_pem, struct err *e)
{
    struct x509_chain *chain = x509_chain_parse(chain_pem, e);
    int rc = -1;

    if (chain == NULL)
        return -1;
    if (!x509_covers(chain, str_of(n->name)))
        err_set(e, ERR_INVALID, "it is for another name");
    else
        rc = n->tls->source == CERT_INTERNAL ? managed_check_local(n, chain_pem, e) : 0;
    x509_chain_free(chain);
    return rc;
}

/* Serves what was loaded; c is empty afterwards if it is still to be stored properly. */
static void take_stored(struct managed *n, struct vault_cert *c)
{
    struct err e;

    if (check_stored(n, buf_str(&c->chain_pem), &e) != 0 ||
        managed_adopt(n, buf_str(&c->chain_pem), &c->cred, &e) != 0) {
        log_warn("cert", "%s: what is stored is not served: %s", n->name, e.msg);
        return;
    }
    note_public(n, c->public_since_s);
    if (c->pending) {
        c->public_since_s = n->public_since_s;
        keep_unsaved(n, c, "");
    }
}

static void load_stored(struct managed *n)
{
    struct manager *m = n->m;
    struct vault_cert c;
    struct err e;

    if (manager_open_store(m, &e) != 0) {
        snprintf(n->reason, sizeof n->reason, "%s", e.msg);
        return;
    }
    n->loaded = true;
    vault_cert_init(&c);
    if (vault_load(m->store, managed_ca(n), n->name, &c, &e) == 0) {
        take_stored(n, &c);
    } else if (e.code != ERR_NOT_FOUND) {
        log_error("cert", "%s: what is stored cannot be used: %s", n->name, e.msg);
    }
    vault_cert_fini(&c);
    if (n->tls->source == CERT_ACME)
        retry_load(m->store, managed_ca(n), n->name, manager_conf_hash(n->tls), &n->retry);
    if (n->cred == NULL && n->retry.last_s != 0)
        snprintf(n->reason, sizeof n->reason, "%s", n->retry.error);
}

void managed_load(struct managed *n)
{
    if (n->loaded)
        return;
    switch (n->tls->source) {
    case CERT_FILES:
        managed_look_files(n);
        n->loaded = true;
        break;
    case CERT_INTERNAL:
    case CERT_ACME:
        load_stored(n);
        break;
    case CERT_NONE:
        break;
    }
}

/* Another process or node may have renewed it: then there is nothing left to do. */
static void look_again(struct managed *n)
{
    struct vault_cert c;
    struct x509_chain *chain = NULL;
    struct err e;

    vault_cert_init(&c);
    if (vault_load(n->m->store, managed_ca(n), n->name, &c, &e) == 0)
        chain = x509_chain_parse(buf_str(&c.chain_pem), &e);
    if (chain != NULL && (n->cred == NULL || n->lent || x509_not_after_s(chain) > n->not_after_s)) {
        log_info("cert", "%s: another process has stored a newer certificate", n->name);
        take_stored(n, &c);
    }
    x509_chain_free(chain);
    vault_cert_fini(&c);
}

/* ---- what came of an attempt ---- */

void managed_failed(struct managed *n, const struct err *e)
{
    struct manager *m = n->m;
    int64_t now = manager_now_s(m);
    char next[DATE_RFC3339_LEN + 1];
    struct err stored;

    managed_unlock(n);
    retry_fail(&n->retry, e, now, n->cred == NULL ? 0 : n->not_after_s,
               n->not_after_s - n->not_before_s, str_hash_nocase(str_of(n->name)));
    if (n->cred == NULL) {
        snprintf(n->reason, sizeof n->reason, "%s", e->msg);
        manager_changed(m);
    }
    date_format_rfc3339(n->retry.next_s, next);
    if (n->cred != NULL && n->not_after_s < now)
        log_error("cert", "%s: the certificate has expired; next attempt %s: %s", n->name, next,
                  e->msg);
    else
        log_warn("cert", "%s: %s; next attempt %s: %s", n->name,
                 n->cred == NULL ? "no certificate" : "not renewed", next, e->msg);
    if (n->tls->source == CERT_ACME && m->store != NULL &&
        retry_save(m->store, managed_ca(n), n->name, &n->retry, &stored) != 0)
        manager_store_trouble(m, &stored);
    managed_sleep(n, n->retry.next_s);
}

/* A clock that is wrong may show a new certificate as one to be renewed at once: without a pause
 * that would be an endless loop of orders. */
static int64_t not_again_for_s(const struct managed *n)
{
    int64_t third = (n->not_after_s - manager_now_s(n->m)) / 3;

    if (third > RETRY_AFTER_MOST_S)
        return RETRY_AFTER_MOST_S;
    return third > AGAIN_LEAST_S ? third : AGAIN_LEAST_S;
}

void managed_obtained(struct managed *n, struct vault_cert *c, const char *url)
{
    struct manager *m = n->m;
    char until[DATE_RFC3339_LEN + 1];
    struct err e = {.code = ERR_NONE};
    bool renewed = n->cred != NULL;

    c->cred = cred_new(buf_str(&c->chain_pem), buf_str(&c->key_pem), &e);
    if (c->cred == NULL || managed_adopt(n, buf_str(&c->chain_pem), &c->cred, &e) != 0) {
        vault_cert_fini(c);
        managed_failed(n, &e);
        return;
    }
    if (n->tls->source == CERT_ACME && n->public_since_s == 0)
        n->public_since_s = manager_now_s(m);
    c->public_since_s = n->public_since_s;
    keep_unsaved(n, c, url);
    date_format_rfc3339(n->not_after_s, until);
    log_info("cert", "%s: %s, valid until %s", n->name,
             renewed ? "certificate renewed" : "certificate obtained", until);
    save(n);
    if (n->retry.last_s != 0 && n->tls->source == CERT_ACME && m->store != NULL &&
        retry_clear(m->store, managed_ca(n), n->name, &e) != 0)
        manager_store_trouble(m, &e);
    n->retry = (struct retry){.conf = n->retry.conf};
    n->retry.next_s = manager_now_s(m) + not_again_for_s(n);
    managed_unlock(n);
    managed_look(n);
}

/* ---- the round ---- */

/* Half of the time for renewal has passed. */
static bool urgent(const struct managed *n)
{
    int64_t left = n->not_after_s - manager_now_s(n->m);

    return n->cred != NULL && !n->lent && left < (n->not_after_s - n->not_before_s) / 6;
}

/* The lock against other processes. False: held by another, or the store is in trouble; the timer
 * is set. */
static bool lock(struct managed *n)
{
    struct store_key name = store_lock_issue(n->name);
    struct err e;

    if (store_lock(n->m->store, name.text, &n->lock, &e) == 0) {
        manager_hold_leases(n->m);
        return true;
    }
    if (e.code == ERR_BUSY) {
        log_debug("cert", "%s: another process is at it", n->name);
        timer_set(n->m->loop, &n->timer, e.retry_ms > 0 ? e.retry_ms : STORE_LOCK_RETRY_MS);
        return false;
    }
    manager_store_trouble(n->m, &e);
    /* A local certificate is worth having for as long as we run. One of a CA that is lost with us
     * costs an order at each start: worth it only when the stored one is about to expire. */
    if (n->tls->source == CERT_INTERNAL || urgent(n))
        return true;
    managed_failed(n, &e);
    return false;
}

/* Obtains or renews: under the lock, and only if nobody else has done it meanwhile. */
static void obtain(struct managed *n)
{
    struct err e;

    if (manager_open_store(n->m, &e) != 0) {
        snprintf(n->reason, sizeof n->reason, "%s", e.msg);
        managed_sleep(n, manager_now_s(n->m) + STORE_AGAIN_S);
        return;
    }
    managed_load(n);
    if (!managed_due(n) || !lock(n)) {
        if (!managed_due(n))
            managed_sleep(n, managed_renew_at(n));
        return;
    }
    look_again(n);
    if (!managed_due(n)) {
        managed_unlock(n);
        managed_sleep(n, managed_renew_at(n));
        return;
    }
    if (n->cred == NULL) /* whoever asks for it may wait now */
        manager_changed(n->m);
    if (n->tls->source == CERT_INTERNAL)
        managed_issue_local(n);
    else
        managed_order(n);
}

/* Whoever has renewed it meanwhile wins. */
static void save_again(struct managed *n)
{
    struct store_key name = store_lock_issue(n->name);
    int64_t had = n->not_after_s;
    struct err e;

    if (store_lock(n->m->store, name.text, &n->lock, &e) != 0) {
        if (e.code != ERR_BUSY)
            manager_store_trouble(n->m, &e);
        return;
    }
    look_again(n);
    if (n->not_after_s != had)
        forget_unsaved(n);
    else
        save(n);
    managed_unlock(n);
}

static void look_managed(struct managed *n)
{
    int64_t now = manager_now_s(n->m);

    if (n->order != NULL)
        return; /* its end sets the timer */
    if (n->has_unsaved)
        save_again(n);
    if ((is_early(n) && n->retry.last_s == 0) || (managed_due(n) && retry_due(&n->retry, now))) {
        obtain(n);
        return;
    }
    now += STORE_AGAIN_S;
    if (managed_due(n))
        managed_sleep(n, n->retry.next_s);
    else if (n->has_unsaved && now < managed_renew_at(n))
        managed_sleep(n, now);
    else
        managed_sleep(n, managed_renew_at(n));
}

void managed_look(struct managed *n)
{
    timer_cancel(n->m->loop, &n->timer);
    if (atomic_load(&n->m->stopping))
        return;
    switch (n->tls->source) {
    case CERT_FILES:
        managed_look_files(n);
        break;
    case CERT_INTERNAL:
    case CERT_ACME:
        look_managed(n);
        break;
    case CERT_NONE:
        break;
    }
}

void managed_kick(struct managed *n)
{
    retry_hurry(&n->retry, manager_now_s(n->m));
    managed_look(n);
}
