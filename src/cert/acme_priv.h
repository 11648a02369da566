/* Shared by the parts of the ACME client: acme.c (the driver), acme_states.c (the table of
 * states), acme_ca.c (directory, account, nonces), acme_exchange.c (one request and its reply). */
#ifndef LINTEL_CERT_ACME_PRIV_H
#define LINTEL_CERT_ACME_PRIV_H

#include "base/list.h"
#include "cert/acme.h"
#include "cert/schedule.h"

enum {
    ACME_NONCES_MAX = 64,               /* kept; a CA forgets old ones anyway */
    ACME_NONCE_TRIES_MAX = 20,          /* Pebble's test mode rejects every second one */
    ACME_TRIES_MAX = 3,                 /* of one request when the network or the CA stumbles */
    ACME_IN_PLACE_MOST_S = 30,          /* a longer Retry-After ends the attempt instead */
    ACME_ORDER_MOST_MS = 5 * 60 * 1000, /* from newOrder until it is given up */
    ACME_REQUEST_TIMEOUT_MS = 30000,
    ACME_DIRECTORY_FRESH_MS = 12 * 3600 * 1000
};

enum acme_state {
    ACME_DIRECTORY,
    ACME_ACCOUNT,
    ACME_NEW_NONCE,
    ACME_NEW_ACCOUNT,
    ACME_NEW_ORDER,
    ACME_AUTHORIZATION,
    ACME_ANSWER,
    ACME_CHALLENGE,
    ACME_POLL_AUTHORIZATION,
    ACME_FINALIZE,
    ACME_POLL_ORDER,
    ACME_DOWNLOAD,
    ACME_STATES,
    /* What a state may answer beside a next state: */
    ACME_SEND,  /* a->request is ready */
    ACME_PAUSE, /* acme_wake() or acme_wait() sees to it that it goes on */
    ACME_DONE,
    ACME_FAILED /* *e is set */
};

struct acme_request {
    const char *method;
    const char *url;
    bool with_jwk;      /* newAccount: nobody knows a kid yet */
    struct buf payload; /* of a POST; empty: POST-as-GET */
};

struct acme_reply {
    enum transfer_result result;
    char why[128]; /* if result is not TRANSFER_OK */
    int status;
    char nonce[ACME_NONCE_MAX + 1];  /* "" if none came */
    char location[ACME_URL_MAX + 1]; /* as sent */
    bool has_retry_after;
    uint32_t retry_after_s;
    struct buf body;
    bool too_big;
};

struct acme_ca {
    struct loop *loop;
    struct fetcher *fetcher;
    struct store *store;
    struct acme_ca_conf conf; /* its texts are owned */
    struct arena *arena;      /* of the directory's URLs */
    struct acme_directory directory;
    uint64_t directory_until_ms; /* 0: none yet */
    struct key *key;
    char thumbprint[KEY_THUMBPRINT_LEN + 1];
    char *kid;               /* the account's URL; NULL: not known yet */
    char *gone_kid;          /* one that the CA said does not exist (any more) */
    struct store_lock *lock; /* the account's, while the leader makes it */
    struct acme *leader;     /* who is seeing to directory and account; all others wait */
    struct list waiting;     /* struct acme.waiting */
    char nonces[ACME_NONCES_MAX][ACME_NONCE_MAX + 1];
    unsigned n_nonces;
    struct schedule_window window;
    enum acme_challenge_type preferred; /* the type that worked last */
};

struct acme {
    struct acme_ca *ca;
    char *name;
    enum key_type key_type;
    unsigned challenges; /* that are left to try */
    const struct acme_events *events;
    void *arg;

    enum acme_state state;
    enum acme_state resume; /* where to go on after ACME_NEW_NONCE */
    unsigned polls;         /* in this state */
    unsigned tries;         /* of the request at hand that failed */
    unsigned nonce_tries;
    bool failing;         /* with a->problem, in the next turn */
    bool has_place;       /* in the window of orders, for the request at hand */
    bool account_renewed; /* the CA forgot our account: once is enough */
    struct list waiting;  /* in ca->waiting */
    struct task task;     /* goes on in the next turn: never from within somebody's callback */
    struct timer timer;

    struct transfer *transfer;
    bool has_reply;
    struct acme_request request;
    struct buf body; /* the signed request */
    size_t sent;     /* of body */
    struct acme_reply reply;

    struct arena *arena; /* of the order at hand */
    uint64_t order_since_ms;
    const char *order_url;
    struct acme_order order;
    size_t at; /* the authorization at hand */
    struct acme_authorization authorization;
    enum acme_challenge_type type; /* the challenge at hand */
    bool answering;
    char *used_kid;     /* in the last request; NULL: none */
    struct err problem; /* why a challenge failed before the next one is tried */
    struct key *key;    /* of the certificate */
};

/* ---- acme_states.c ---- */

struct acme_row {
    const char *name;
    /* Prepares a->request (ACME_SEND), or names a state to go to without one, or ACME_PAUSE. May be
     * called again for the same request. */
    enum acme_state (*send)(struct acme *a, struct err *e);
    /* Reads a 2xx reply. The same state means: ask again later. NULL: sends nothing. */
    enum acme_state (*recv)(struct acme *a, struct err *e);
    bool poll; /* is entered after a wait */
};
extern const struct acme_row acme_rows[ACME_STATES];

/* ---- acme.c ---- */

void acme_wake(struct acme *a);                    /* goes on at the end of this batch */
void acme_wait(struct acme *a, uint64_t delay_ms); /* goes on after that */
void acme_withdraw(struct acme *a);
void acme_fail_soon(struct acme *a, const struct err *e); /* at the end of this batch */

/* ---- acme_exchange.c ---- */

/* Signs a->request if it is a POST and sends it; the reply comes as a->reply through acme_wake().
 */
MUST_CHECK int acme_exchange(struct acme *a, struct err *e);

/* ---- acme_ca.c ---- */

struct acme_reader acme_ca_reader(const struct acme_ca *ca, struct arena *arena);
bool acme_ca_ready(const struct acme_ca *ca); /* directory and account are there */

/* True: a is the leader now (or was already). False: it waits for the leader. */
bool acme_ca_lead(struct acme_ca *ca, struct acme *a);

/* The leader is done, or gives up with *e (which then fails all who wait), or was cancelled (both
 * NULL and not ready: the next one leads). No harm if a does not lead. */
void acme_ca_follow(struct acme_ca *ca, struct acme *a, const struct err *e);

MUST_CHECK int acme_ca_set_directory(struct acme_ca *ca, struct str body, struct err *e);

/* Reads key and account URL from storage; the URL may still be missing afterwards. */
MUST_CHECK int acme_ca_load(struct acme_ca *ca, struct err *e);
/* The same under the account's lock, making the key if there is none. ERR_BUSY: try again. */
MUST_CHECK int acme_ca_load_locked(struct acme_ca *ca, struct err *e);
/* Appends the newAccount payload (RFC 8555 7.3). */
MUST_CHECK int acme_ca_account_payload(struct acme_ca *ca, struct buf *out, struct err *e);
/* Takes the account's URL, keeps it in storage and gives the lock back. */
MUST_CHECK int acme_ca_set_account(struct acme_ca *ca, struct str url, struct err *e);
/* The CA does not know kid. */
void acme_ca_forget(struct acme_ca *ca, const char *kid);

void acme_ca_add_nonce(struct acme_ca *ca, const char *nonce);
bool acme_ca_take_nonce(struct acme_ca *ca, char out[ACME_NONCE_MAX + 1]);

#endif
