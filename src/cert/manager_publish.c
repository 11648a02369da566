/* Builds the sets that workers serve from, with the live answers to challenges in them. */
#include "cert/manager_priv.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cert/x509.h"

#include <stdio.h>
#include <stdlib.h>

enum { ARPA_MAX = 80 };

/* ---- sets ---- */

/* Whatever is without a certificate and need not wait is being seen to: by an order of our own, or
 * by another process that holds the lock. */
static bool is_coming(const struct managed *n)
{
    return n->cred == NULL && n->m->store != NULL && retry_due(&n->retry, manager_now_s(n->m)) &&
           (n->tls->source == CERT_ACME || n->tls->source == CERT_INTERNAL);
}

static void add_entry(struct cert_set *set, const struct managed *n)
{
    const struct cert_entry entry = {
        .name = str_of(n->name),
        .cred = n->cred,
        .reason = n->reason,
        .coming = is_coming(n),
        .not_after_s = n->cred == NULL ? 0 : n->not_after_s,
        .public_since_s = n->cred == NULL ? 0 : n->public_since_s,
    };

    cert_set_add(set, &entry);
}

/* The name a CA sends as SNI to validate an IP address (RFC 8738 6): the reverse mapping. */
static void sni_of(const char *name, char *out, size_t cap)
{
    uint8_t ip[16];
    size_t len = x509_ip(str_of(name), ip), at = 0;

    if (len == 0) {
        snprintf(out, cap, "%s", name);
        return;
    }
    for (size_t i = len; i-- > 0;)
        at += (size_t)(len == 4 ? snprintf(out + at, cap - at, "%u.", ip[i])
                                : snprintf(out + at, cap - at, "%x.%x.", ip[i] & 15U, ip[i] >> 4));
    snprintf(out + at, cap - at, "%s", len == 4 ? "in-addr.arpa" : "ip6.arpa");
}

static void add_answer(struct cert_set *set, struct managed *n)
{
    char sni[ARPA_MAX + 256];

    if (n->alpn != NULL) {
        sni_of(n->name, sni, sizeof sni);
        cert_set_add_alpn(set, str_of(sni), n->alpn);
    }
    if (n->token != NULL)
        cert_set_add_http01(set, str_of(n->token), str_of(n->key_authorization));
    if (n->unanswered && n->answer_number == 0) {
        n->answer_number = cert_set_number(set);
        timer_set(n->m->loop, &n->answer_timer, MANAGER_ANSWER_WAIT_MS);
    }
}

void manager_publish_now(struct manager *m)
{
    struct cert_set *set = cert_set_new();

    loop_unpost(m->loop, &m->publish_task);
    for (size_t i = 0; i < m->n_names; i++) {
        add_entry(set, m->names[i]);
        add_answer(set, m->names[i]);
    }
    cert_set_seal(set);
    m->publish(m->arg, set);
}

void manager_changed(struct manager *m)
{
    loop_post(m->loop, &m->publish_task);
}

/* ---- answers ---- */

static void answered(struct managed *n)
{
    timer_cancel(n->m->loop, &n->answer_timer);
    n->unanswered = false;
    acme_answered(n->order);
}

static void on_answer_timer(struct timer *t)
{
    answered(container_of(t, struct managed, answer_timer));
}

void manager_answers_taken(struct manager *m, uint64_t number)
{
    for (size_t i = 0; i < m->n_names; i++) {
        struct managed *n = m->names[i];

        if (n->unanswered && n->answer_number != 0 && n->answer_number <= number)
            answered(n);
    }
}

static struct cred *make_alpn(const char *name, struct str key_authorization, struct err *e)
{
    struct buf cert = BUF_INIT(X509_PEM_MAX), key = BUF_INIT(KEY_PEM_MAX);
    struct cred *cred = NULL;

    if (x509_alpn(str_of(name), key_authorization, &cert, &key, e) == 0)
        cred = cred_new(buf_str(&cert), buf_str(&key), e);
    buf_fini(&cert);
    buf_fini(&key);
    return cred;
}

void managed_answer(struct managed *n, enum acme_challenge_type type, struct str token,
                    struct str key_authorization)
{
    struct err e;

    managed_withdraw(n);
    switch (type) {
    case ACME_TLS_ALPN_01:
        n->alpn = make_alpn(n->name, key_authorization, &e);
        if (n->alpn == NULL) /* the CA will say that it failed, and the other one is tried */
            log_error("cert", "%s: no answer to tls-alpn-01: %s", n->name, e.msg);
        break;
    case ACME_HTTP_01:
        n->token = xstrndup(token.p, token.len);
        n->key_authorization = xstrndup(key_authorization.p, key_authorization.len);
        break;
    case ACME_CHALLENGE_TYPES:
        break;
    }
    n->unanswered = true;
    n->answer_number = 0;
    n->answer_timer.on_timer = on_answer_timer;
    manager_changed(n->m);
}

void managed_withdraw(struct managed *n)
{
    if (n->alpn == NULL && n->token == NULL && !n->unanswered)
        return;
    timer_cancel(n->m->loop, &n->answer_timer);
    n->unanswered = false;
    cred_unref(n->alpn);
    n->alpn = NULL;
    free(n->token);
    n->token = NULL;
    free(n->key_authorization);
    n->key_authorization = NULL;
    manager_changed(n->m);
}
