/* Certificates with their keys in a store, in certmagic's three files a name, so that a crash
 * between two files never leaves a key beside another one's certificate: a pair is first written
 * whole as "pending", then as .key, .crt and .json, then "pending" is deleted. Whoever finds a
 * "pending" uses that, and stores it again when he holds the name's lock. Certificate thread. */
#ifndef LINTEL_CERT_VAULT_H
#define LINTEL_CERT_VAULT_H

#include "base/buf.h"
#include "cert/cert_set.h"
#include "cert/store.h"

struct vault_cert {
    struct buf chain_pem;
    struct buf key_pem;
    int64_t public_since_s; /* as in cert_entry; 0: not known */
    struct cred *cred;      /* of the two, one reference; vault_load only */
    bool pending;           /* a crash left it half stored: vault_save() it; vault_load only */
};

void vault_cert_init(struct vault_cert *c);
void vault_cert_fini(struct vault_cert *c); /* wipes the key */

/* Loads what is stored for name from ca (a directory URL or STORE_LOCAL_CA). ERR_NOT_FOUND if there
 * is nothing; ERR_INVALID if it is damaged or the key is another one's. */
MUST_CHECK int vault_load(struct store *st, const char *ca, const char *name, struct vault_cert *c,
                          struct err *e);

/* Stores a pair; url is where the CA keeps it, or "". */
MUST_CHECK int vault_save(struct store *st, const char *ca, const char *name,
                          const struct vault_cert *c, const char *url, struct err *e);

/* Notes since when name is served with certificates of ca; what else is in .json stays. */
MUST_CHECK int vault_set_public_since(struct store *st, const char *ca, const char *name,
                                      int64_t since_s, struct err *e);

/* The same fact is gone for every CA: the name is served with a local certificate now. */
void vault_drop_public_since(struct store *st, const char *name);

#endif
