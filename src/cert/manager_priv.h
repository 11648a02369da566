/* Shared by the parts of the manager: manager.c (thread, mail, configurations), manager_name.c (the
 * round of one name), manager_source.c (local CA and files), manager_acme.c (orders and their
 * events), manager_publish.c (sets and answers). All of it runs in the certificate thread. */
#ifndef LINTEL_CERT_MANAGER_PRIV_H
#define LINTEL_CERT_MANAGER_PRIV_H

#include "cert/acme.h"
#include "cert/local_ca.h"
#include "cert/manager.h"
#include "cert/retry.h"
#include "cert/vault.h"
#include "io/mailbox.h"

#include <stdatomic.h>
#include <time.h>

/* One name of the configuration. Its round (managed_look) is started by its timer and by events;
 * each time it looks at what there is and does the next thing. */
struct managed {
    struct manager *m;
    char *name;
    const struct tls_conf *tls; /* in m->conf */
    struct timer timer;

    /* What is served. */
    struct cred *cred; /* NULL: nothing yet */
    bool lent;         /* it is another CA's, served until this one has given its own */
    int64_t not_before_s;
    int64_t not_after_s;
    uint32_t spread; /* see schedule_renew_at() */
    int64_t public_since_s;
    char reason[256]; /* why there is nothing */

    /* What is stored, or to be. */
    struct retry retry;
    bool loaded;               /* the store (or the files) have been looked at */
    struct vault_cert unsaved; /* a pair that could not be stored yet */
    bool has_unsaved;
    char *url; /* of the unsaved pair */
    struct timespec cert_mtime;
    struct timespec key_mtime;

    /* What is under way. */
    struct store_lock *lock;
    struct acme *order;

    /* The answer to a challenge. */
    struct cred *alpn;
    char *token;
    char *key_authorization;
    bool unanswered;        /* the CA has not been told yet to look */
    uint64_t answer_number; /* of the first set that holds the answer; 0: not published yet */
    struct timer answer_timer;
};

struct manager {
    pthread_t thread;
    struct loop *loop;
    atomic_bool stopping; /* nothing new is begun: keys of many names can take minutes */
    struct mailbox box;
    manager_publish publish;
    void *arg;

    struct conf *conf;
    struct managed **names; /* in the order of conf->certs */
    size_t n_names;
    struct fetcher *fetcher;
    struct store *store; /* NULL: it cannot be opened */
    char *store_path;
    bool store_bad; /* and that has been said */
    struct local_ca *local_ca;
    struct acme_ca **cas;
    size_t n_cas;
    bool http_told;
    bool http_bound;
    struct timer lease_timer; /* while locks are held */
    struct task publish_task;
};

/* ---- manager.c ---- */

int64_t manager_now_s(const struct manager *m);
/* Opens the store if it is not. */
MUST_CHECK int manager_open_store(struct manager *m, struct err *e);
/* Trouble with the store is said once, not for each name and second; ok ends it. */
void manager_store_trouble(struct manager *m, const struct err *e);
void manager_store_ok(struct manager *m);
void manager_hold_leases(struct manager *m);
unsigned manager_challenges(const struct manager *m);

/* ---- manager_name.c ---- */

struct managed *managed_new(struct manager *m, const struct cert_need *need);
/* Goes on serving what old has, if the configuration only changed the CA and n has nothing yet. */
void managed_lend(struct managed *n, const struct managed *old);
void managed_free(struct managed *n); /* ends what is under way */
void managed_load(struct managed *n); /* what the store or the files hold, if not yet done */
void managed_look(struct managed *n);
void managed_kick(struct managed *n);
void managed_sleep(struct managed *n, int64_t until_s);
int64_t managed_renew_at(const struct managed *n);
bool managed_due(const struct managed *n);
/* Takes up a certificate to be served; cred's reference is given away. */
MUST_CHECK int managed_adopt(struct managed *n, struct str chain_pem, struct cred **cred,
                             struct err *e);
/* Counts and tells a failure, sets the next attempt. */
void managed_failed(struct managed *n, const struct err *e);
/* A new pair was made: serves it, stores it, tells, sleeps. Takes over what c holds. */
void managed_obtained(struct managed *n, struct vault_cert *c, const char *url);
void managed_unlock(struct managed *n);
const char *managed_ca(const struct managed *n); /* its folder in the store */

/* ---- manager_source.c ---- */

void managed_look_files(struct managed *n);
void managed_issue_local(struct managed *n);
/* Whether a chain is of the local CA as it is now; ERR_INVALID if not. */
MUST_CHECK int managed_check_local(struct managed *n, struct str chain_pem, struct err *e);

/* ---- manager_acme.c ---- */

void managed_order(struct managed *n);
void managed_end_order(struct managed *n);
/* Of what an attempt is made with, beside the CA and the name. */
uint32_t manager_conf_hash(const struct tls_conf *tls);
bool managed_uses(const struct managed *n, const struct acme_ca *ca);

/* ---- manager_publish.c ---- */

void manager_changed(struct manager *m); /* a new set is due at the end of this batch */
void manager_publish_now(struct manager *m);
void managed_answer(struct managed *n, enum acme_challenge_type type, struct str token,
                    struct str key_authorization);
void managed_withdraw(struct managed *n);
void manager_answers_taken(struct manager *m, uint64_t number);

#endif
