/* The certificate thread: its mail, the taking up of configurations, and what all names share. */
#include "cert/manager_priv.h"

#include "base/alloc.h"
#include "base/log.h"

#include <signal.h>
#include <stdlib.h>
#include <time.h>

enum {
    IDLE_CONNECTIONS_MAX = 8,
    FIRST_SET_MOST_MS = 1000 /* local certificates made before the first set is published */
};

int64_t manager_now_s(const struct manager *m)
{
    return loop_wall_s(m->loop);
}

/* ---- the store ---- */

void manager_store_trouble(struct manager *m, const struct err *e)
{
    if (!m->store_bad)
        log_error("store", "nothing can be stored, certificates are kept in memory: %s", e->msg);
    m->store_bad = true;
}

void manager_store_ok(struct manager *m)
{
    if (m->store_bad)
        log_info("store", "%s can be used again", store_where(m->store));
    m->store_bad = false;
}

int manager_open_store(struct manager *m, struct err *e)
{
    if (m->store != NULL)
        return 0;
    m->store = store_fs_new(m->conf->options.storage, e);
    if (m->store == NULL) {
        if (!m->store_bad)
            log_error("store", "no certificate can be had until storage can be opened: %s", e->msg);
        m->store_bad = true;
        return -1;
    }
    m->store_path = xstrdup(m->conf->options.storage);
    return 0;
}

static void on_lease_timer(struct timer *t)
{
    struct manager *m = container_of(t, struct manager, lease_timer);
    bool held = false;

    if (m->store == NULL)
        return;
    store_refresh(m->store);
    for (size_t i = 0; i < m->n_names; i++) {
        struct managed *n = m->names[i];

        if (n->lock != NULL && n->lock->lost && n->order != NULL) {
            struct err e;

            managed_end_order(n);
            err_set(&e, ERR_IO, "the lock in storage was lost");
            managed_failed(n, &e);
        }
        held |= n->lock != NULL;
    }
    if (held)
        manager_hold_leases(m);
}

void manager_hold_leases(struct manager *m)
{
    if (m->lease_timer.slot == 0)
        timer_set(m->loop, &m->lease_timer, STORE_LOCK_REFRESH_MS);
}

/* ---- which challenges can be answered ---- */

static bool has_http_listener(const struct conf *c)
{
    for (size_t i = 0; i < c->n_listeners; i++)
        if (!c->listeners[i].tls && c->listeners[i].port == c->options.http_port)
            return true;
    return false;
}

unsigned manager_challenges(const struct manager *m)
{
    bool http = m->http_told ? m->http_bound : has_http_listener(m->conf);

    return 1U << ACME_TLS_ALPN_01 | (http ? 1U << ACME_HTTP_01 : 0);
}

/* ---- configurations ---- */

/* Whether what is under way and what has failed stay valid: key_type and the versions matter to the
 * next order only, which reads them anew. */
static bool same_source(const struct tls_conf *a, const struct tls_conf *b)
{
    return a->source == b->source && strcmp(a->ca, b->ca) == 0 &&
           strcmp(a->ca_root, b->ca_root) == 0 && strcmp(a->email, b->email) == 0 &&
           strcmp(a->eab_key_id, b->eab_key_id) == 0 &&
           strcmp(a->eab_mac_key, b->eab_mac_key) == 0 && strcmp(a->cert_file, b->cert_file) == 0 &&
           strcmp(a->key_file, b->key_file) == 0;
}

static void free_names(struct managed **names, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (names[i] != NULL)
            managed_free(names[i]);
    free(names);
}

/* Takes over from old what stays; both lists are sorted by name. */
static void merge_names(struct manager *m, struct managed **old, size_t n_old)
{
    size_t at = 0;

    for (size_t i = 0; i < m->conf->n_certs; i++) {
        const struct cert_need *need = &m->conf->certs[i];
        struct managed *n;

        while (at < n_old && strcmp(old[at]->name, need->name) < 0)
            at++;
        if (at < n_old && strcmp(old[at]->name, need->name) == 0 &&
            same_source(old[at]->tls, need->tls)) {
            n = old[at];
            old[at] = NULL;
            at++;
            n->tls = need->tls;
        } else {
            n = managed_new(m, need);
            managed_load(n);
            if (at < n_old && strcmp(old[at]->name, need->name) == 0)
                managed_lend(n, old[at]);
        }
        m->names[i] = n;
    }
}

/* Accounts that no name uses any more: their orders have ended with their names. */
static void drop_cas(struct manager *m)
{
    size_t kept = 0;

    for (size_t i = 0; i < m->n_cas; i++) {
        bool used = false;

        for (size_t k = 0; k < m->n_names && !used; k++)
            used = managed_uses(m->names[k], m->cas[i]);
        if (used)
            m->cas[kept++] = m->cas[i];
        else
            acme_ca_free(m->cas[i]);
    }
    m->n_cas = kept;
}

/* Another storage folder is another life: nothing of the old one is used any more. */
static void close_store(struct manager *m)
{
    free_names(m->names, m->n_names);
    m->names = NULL;
    m->n_names = 0;
    drop_cas(m);
    local_ca_close(m->local_ca);
    m->local_ca = NULL;
    store_free(m->store);
    m->store = NULL;
    free(m->store_path);
    m->store_path = NULL;
    m->store_bad = false;
}

static uint64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

/* Local certificates are made before the first set goes out, so that a new server is whole from
 * its first answer; but not thousands of them. */
static void look_at_all(struct manager *m)
{
    uint64_t begin = clock_ms();

    for (size_t i = 0; i < m->n_names; i++) {
        struct managed *n = m->names[i];

        if (n->tls->source == CERT_INTERNAL && clock_ms() - begin > FIRST_SET_MOST_MS)
            timer_set(m->loop, &n->timer, 0);
        else
            managed_look(n);
    }
}

static void take_conf(struct manager *m, struct conf *conf)
{
    struct conf *old_conf = m->conf;
    struct managed **old;
    size_t n_old;

    if (m->store_path != NULL && strcmp(m->store_path, conf->options.storage) != 0)
        close_store(m);
    old = m->names;
    n_old = m->n_names;
    m->conf = conf;
    m->names = xalloc((conf->n_certs + 1) * sizeof(struct managed *));
    merge_names(m, old, n_old);
    m->n_names = conf->n_certs;
    for (size_t i = 0; i < n_old; i++) {
        if (old[i] != NULL)
            managed_free(old[i]);
    }
    free(old);
    conf_unref(old_conf);
    drop_cas(m);
    look_at_all(m);
    manager_publish_now(m);
}

/* ---- mail ---- */

struct conf_mail {
    struct mail mail;
    struct conf *conf;
};

static void deliver_conf(struct mail *mail, void *owner)
{
    struct conf_mail *cm = container_of(mail, struct conf_mail, mail);

    take_conf(owner, cm->conf);
    free(cm);
}

void manager_set_conf(struct manager *m, struct conf *conf)
{
    struct conf_mail *cm = xalloc(sizeof *cm);

    cm->mail.deliver = deliver_conf;
    cm->conf = conf_ref(conf);
    mailbox_post(&m->box, &cm->mail);
}

struct word_mail {
    struct mail mail;
    uint64_t value;
};

static void post_word(struct manager *m, void (*deliver)(struct mail *, void *), uint64_t value)
{
    struct word_mail *wm = xalloc(sizeof *wm);

    wm->mail.deliver = deliver;
    wm->value = value;
    mailbox_post(&m->box, &wm->mail);
}

static uint64_t take_word(struct mail *mail)
{
    struct word_mail *wm = container_of(mail, struct word_mail, mail);
    uint64_t value = wm->value;

    free(wm);
    return value;
}

static void deliver_kick(struct mail *mail, void *owner)
{
    struct manager *m = owner;

    take_word(mail);
    for (size_t i = 0; i < m->n_names; i++)
        managed_kick(m->names[i]);
}

void manager_kick(struct manager *m)
{
    post_word(m, deliver_kick, 0);
}

static void deliver_ports(struct mail *mail, void *owner)
{
    struct manager *m = owner;

    m->http_bound = take_word(mail) != 0;
    m->http_told = true;
}

void manager_set_ports(struct manager *m, bool http_bound)
{
    post_word(m, deliver_ports, http_bound);
}

static void deliver_taken(struct mail *mail, void *owner)
{
    manager_answers_taken(owner, take_word(mail));
}

void manager_taken(struct manager *m, uint64_t number)
{
    post_word(m, deliver_taken, number);
}

static void deliver_stop(struct mail *mail, void *owner)
{
    struct manager *m = owner;

    take_word(mail);
    loop_stop(m->loop);
}

/* ---- the thread ---- */

static void on_publish_task(struct task *t)
{
    manager_publish_now(container_of(t, struct manager, publish_task));
}

static void *run(void *arg)
{
    struct manager *m = arg;
    struct err e;

    if (loop_run(m->loop, &e) != 0)
        log_error("cert", "the certificate thread ends: %s", e.msg);
    return NULL;
}

static void free_all(struct manager *m)
{
    if (m->conf != NULL)
        close_store(m);
    timer_cancel(m->loop, &m->lease_timer);
    loop_unpost(m->loop, &m->publish_task);
    free(m->cas);
    fetcher_free(m->fetcher);
    loop_free(m->loop);
    conf_unref(m->conf);
    free(m);
}

/* Signals are the main thread's. */
static int start_thread(struct manager *m, struct err *e)
{
    sigset_t all, before;
    int code;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&m->thread, NULL, run, m);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0)
        return err_set(e, ERR_IO, "start the certificate thread: error %d", code);
    pthread_setname_np(m->thread, "lintel-cert");
    return 0;
}

struct manager *manager_start(manager_publish publish, void *arg, struct err *e)
{
    struct manager *m = xalloc(sizeof *m);

    m->publish = publish;
    m->arg = arg;
    m->publish_task.run = on_publish_task;
    m->lease_timer.on_timer = on_lease_timer;
    m->loop = loop_new(e);
    if (m->loop == NULL) {
        free(m);
        return NULL;
    }
    m->fetcher = fetcher_new(m->loop, IDLE_CONNECTIONS_MAX, e);
    if (m->fetcher == NULL || mailbox_init(&m->box, m->loop, m, e) != 0) {
        free_all(m);
        return NULL;
    }
    if (start_thread(m, e) != 0) {
        mailbox_fini(&m->box);
        free_all(m);
        return NULL;
    }
    return m;
}

void manager_stop(struct manager *m)
{
    atomic_store(&m->stopping, true);
    post_word(m, deliver_stop, 0);
    pthread_join(m->thread, NULL);
    mailbox_fini(&m->box);
    free_all(m);
}
