/* Orders for one name, and what becomes of their events. */
#include "cert/manager_priv.h"

#include "base/alloc.h"
#include "base/log.h"

#include <stdlib.h>

static void on_answer(void *arg, enum acme_challenge_type type, struct str token,
                      struct str key_authorization)
{
    managed_answer(arg, type, token, key_authorization);
}

static void on_withdraw(void *arg)
{
    managed_withdraw(arg);
}

static void on_issued(void *arg, struct str chain_pem, struct str key_pem, const char *url)
{
    struct managed *n = arg;
    struct vault_cert c;
    struct err e;

    n->order = NULL;
    vault_cert_init(&c);
    if (buf_append_str(&c.chain_pem, chain_pem) == 0 && buf_append_str(&c.key_pem, key_pem) == 0) {
        managed_obtained(n, &c, url);
    } else {
        err_set(&e, ERR_LIMIT, "the certificate is too long");
        managed_failed(n, &e);
    }
    vault_cert_fini(&c);
}

static void on_failed(void *arg, const struct err *e)
{
    struct managed *n = arg;

    n->order = NULL;
    managed_failed(n, e);
}

static const struct acme_events events = {
    .answer = on_answer,
    .withdraw = on_withdraw,
    .issued = on_issued,
    .failed = on_failed,
};

static struct acme_ca_conf ca_conf(const struct tls_conf *tls)
{
    return (struct acme_ca_conf){tls->ca, tls->ca_root, tls->email, tls->eab_key_id,
                                 tls->eab_mac_key};
}

uint32_t manager_conf_hash(const struct tls_conf *tls)
{
    return str_hash_nocase(str_of(tls->email)) ^ 3 * str_hash_nocase(str_of(tls->ca_root)) ^
           5 * str_hash_nocase(str_of(tls->eab_key_id)); /* the MAC key is a secret: not stored */
}

bool managed_uses(const struct managed *n, const struct acme_ca *ca)
{
    const struct acme_ca_conf conf = ca_conf(n->tls);

    return n->tls->source == CERT_ACME && acme_ca_is(ca, &conf);
}

/* The account of all names with the same CA, e-mail address and binding. */
static struct acme_ca *find_ca(struct managed *n)
{
    const struct acme_ca_conf conf = ca_conf(n->tls);
    struct manager *m = n->m;

    for (size_t i = 0; i < m->n_cas; i++)
        if (acme_ca_is(m->cas[i], &conf))
            return m->cas[i];
    m->cas = xrealloc_array(m->cas, m->n_cas + 1, sizeof(struct acme_ca *));
    m->cas[m->n_cas] = acme_ca_new(m->loop, m->fetcher, m->store, &conf);
    return m->cas[m->n_cas++];
}

void managed_order(struct managed *n)
{
    const struct acme_spec spec = {
        .name = n->name,
        .key_type = n->tls->key_type,
        .challenges = manager_challenges(n->m),
        .events = &events,
        .arg = n,
    };

    if (str_starts(str_of(n->name), STR_LIT("*."))) {
        struct err e;

        err_set(&e, ERR_INVALID, "a CA gives a wildcard for dns-01 only, which is not supported");
        e.retry_ms = 86400 * 1000U;
        managed_failed(n, &e);
        return;
    }
    log_info("cert", "%s: asking %s for a certificate", n->name, n->tls->ca);
    n->order = acme_start(find_ca(n), &spec);
}

void managed_end_order(struct managed *n)
{
    acme_cancel(n->order);
    n->order = NULL;
    managed_unlock(n);
}
