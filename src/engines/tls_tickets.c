#include "base/alloc.h"
#include "engines/tls_session.h"

#include <gnutls/crypto.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

/* GnuTLS takes one master key a session. From it and the time it derives the key that tickets are
 * sealed with: SHA3-512(period || master), where the period is counted in 3 lifetimes of a ticket;
 * the first 16 bytes are the key's name and stand at the head of each ticket. It tries the present
 * period and the one before. So the names that belong to a master can be computed, and the name in
 * a ClientHello says which of several masters to set. If another GnuTLS derives otherwise, no name
 * matches and the newest master is taken: then tickets end with the next rotation. */
enum { KEYS_MAX = 4, MASTER_LEN = 64, NAME_LEN = 16, PERIODS = 3 };

struct ticket_key {
    uint8_t master[MASTER_LEN];
    uint8_t names[PERIODS][NAME_LEN]; /* of the period before, the present and the next one */
    gnutls_datum_t datum;             /* is master */
};

struct tls_tickets {
    atomic_uint refs;
    unsigned n;
    struct ticket_key keys[KEYS_MAX]; /* the newest first */
};

/* ---- names ---- */

static void compute_name(const uint8_t *master, uint64_t period, uint8_t *name)
{
    uint8_t text[8 + MASTER_LEN], hash[64];

    for (int i = 0; i < 8; i++)
        text[i] = (uint8_t)(period >> (56 - 8 * i));
    memcpy(text + 8, master, MASTER_LEN);
    if (gnutls_hash_fast(GNUTLS_DIG_SHA3_512, text, sizeof text, hash) == 0)
        memcpy(name, hash, NAME_LEN);
    explicit_bzero(text, sizeof text);
    explicit_bzero(hash, sizeof hash);
}

static void compute_names(struct ticket_key *k)
{
    uint64_t period = (uint64_t)time(NULL) / (3 * TLS_TICKET_LIFETIME_S);

    for (unsigned i = 0; i < PERIODS; i++)
        compute_name(k->master, period + i - 1, k->names[i]);
    k->datum = (gnutls_datum_t){k->master, MASTER_LEN};
}

const gnutls_datum_t *tls_tickets_key(const struct tls_tickets *t, const uint8_t *name)
{
    for (unsigned k = 0; name != NULL && k < t->n; k++)
        for (unsigned i = 0; i < PERIODS; i++)
            if (memcmp(t->keys[k].names[i], name, NAME_LEN) == 0)
                return &t->keys[k].datum;
    return &t->keys[0].datum;
}

/* ---- life ---- */

static void tickets_free(struct tls_tickets *t)
{
    explicit_bzero(t, sizeof *t);
    free(t);
}

/* A set whose first key is fresh; the others are yet to come. */
static struct tls_tickets *with_fresh_key(struct err *e)
{
    struct tls_tickets *t = xalloc(sizeof *t);
    gnutls_datum_t fresh;
    int rc = gnutls_session_ticket_key_generate(&fresh);

    if (rc == 0 && fresh.size != MASTER_LEN) {
        gnutls_memset(fresh.data, 0, fresh.size);
        gnutls_free(fresh.data);
        rc = GNUTLS_E_INTERNAL_ERROR;
    }
    if (rc != 0) {
        err_set(e, ERR_TLS, "session ticket key: %s", gnutls_strerror(rc));
        free(t);
        return NULL;
    }
    memcpy(t->keys[0].master, fresh.data, MASTER_LEN);
    gnutls_memset(fresh.data, 0, fresh.size);
    gnutls_free(fresh.data);
    t->refs = 1;
    t->n = 1;
    return t;
}

struct tls_tickets *tls_tickets_new(struct err *e)
{
    struct tls_tickets *t = with_fresh_key(e);

    if (t != NULL)
        compute_names(&t->keys[0]);
    return t;
}

struct tls_tickets *tls_tickets_rotated(const struct tls_tickets *old, struct err *e)
{
    struct tls_tickets *t = with_fresh_key(e);

    if (t == NULL)
        return NULL;
    for (unsigned i = 0; i < old->n && t->n < KEYS_MAX; i++)
        memcpy(t->keys[t->n++].master, old->keys[i].master, MASTER_LEN);
    for (unsigned i = 0; i < t->n; i++)
        compute_names(&t->keys[i]);
    return t;
}

struct tls_tickets *tls_tickets_ref(struct tls_tickets *t)
{
    t->refs++;
    return t;
}

void tls_tickets_unref(struct tls_tickets *t)
{
    if (t != NULL && --t->refs == 0)
        tickets_free(t);
}
