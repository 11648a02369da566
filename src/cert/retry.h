/* When a name that failed is to be tried again, kept in the store so that neither a restart nor a
 * crash loop asks a CA sooner than the schedule says. Certificate thread. */
#ifndef LINTEL_CERT_RETRY_H
#define LINTEL_CERT_RETRY_H

#include "cert/schedule.h"
#include "cert/store.h"

#include <stdbool.h>

/* Zeroed = nothing has failed. */
struct retry {
    unsigned judged;  /* failures in a row that the CA has judged */
    unsigned unheard; /* failures in a row, since then, to be heard by it at all */
    uint32_t conf;    /* a hash of what the attempts were made with */
    int64_t last_s;   /* when the last one failed; 0: none did */
    int64_t next_s;   /* when the next attempt may be made */
    int64_t asked_s;  /* before which the CA asked us not to come; 0: it did not */
    char error[256];  /* of the last one, one line */
};

/* Nothing stored, or nothing that can be read, leaves *r zeroed but for r->conf, which becomes
 * conf. If the failures came with another conf, the next attempt may be made at once. */
void retry_load(struct store *st, const char *ca, const char *name, uint32_t conf, struct retry *r);
MUST_CHECK int retry_save(struct store *st, const char *ca, const char *name, const struct retry *r,
                          struct err *e);
MUST_CHECK int retry_clear(struct store *st, const char *ca, const char *name, struct err *e);

/* Counts a failure at now_s. not_after_s and lifetime_s are of the certificate in use; 0: none. */
void retry_fail(struct retry *r, const struct err *why, int64_t now_s, int64_t not_after_s,
                int64_t lifetime_s, uint32_t spread);

/* Whether the next attempt may be made. A time that no schedule sets, as when the clock was set
 * back, does not hold. */
bool retry_due(const struct retry *r, int64_t now_s);

/* An operator asks for it now: sooner than scheduled, but not sooner than a minute after the last
 * time nor than the CA asked for. */
void retry_hurry(struct retry *r, int64_t now_s);

#endif
