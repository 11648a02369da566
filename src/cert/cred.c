/* One certificate with its key as GnuTLS credentials. See cert/cert_set.h. */
#include "base/alloc.h"
#include "cert/cert_set.h"
#include "cert/keys.h"
#include "cert/x509.h"

#include <stdatomic.h>
#include <stdlib.h>

/* One credentials object a certificate, and not one for all: the front door knows the name before
 * the session exists, so that GnuTLS has nothing to search and no callback to call. There are no
 * DH parameters, which only suites we do not offer would want. Once made, it is only read, which
 * GnuTLS allows from any number of threads. */
struct cred {
    atomic_uint refs;
    gnutls_certificate_credentials_t gnutls;
};

/* GnuTLS's own words for a wrong key or half a file help nobody: ours are said first. */
static int check(struct str chain_pem, struct str key_pem_text, struct err *e)
{
    struct x509_chain *chain = x509_chain_parse(chain_pem, e);
    struct key *k = chain == NULL ? NULL : key_load(key_pem_text, e);
    int rc = -1;

    if (k != NULL)
        rc = x509_chain_key_check(chain, k, e);
    key_free(k);
    x509_chain_free(chain);
    return rc;
}

struct cred *cred_new(struct str chain_pem, struct str key_pem_text, struct err *e)
{
    gnutls_datum_t chain = {(unsigned char *)chain_pem.p, (unsigned)chain_pem.len};
    gnutls_datum_t key = {(unsigned char *)key_pem_text.p, (unsigned)key_pem_text.len};
    gnutls_certificate_credentials_t made = NULL;
    struct cred *c;
    int rc;

    if (check(chain_pem, key_pem_text, e) != 0)
        return NULL;
    rc = gnutls_certificate_allocate_credentials(&made);
    if (rc == 0) {
        /* GnuTLS would sign and verify something, which is half of the time this function
         * takes; with ten thousand names that is seconds of the start. check() compared the keys.
         */
        gnutls_certificate_set_flags(made, GNUTLS_CERTIFICATE_SKIP_KEY_CERT_MATCH);
        rc = gnutls_certificate_set_x509_key_mem2(made, &chain, &key, GNUTLS_X509_FMT_PEM, NULL, 0);
    }
    if (rc < 0) {
        if (made != NULL)
            gnutls_certificate_free_credentials(made);
        err_gnutls(e, rc, "certificate and key");
        return NULL;
    }
    c = xalloc(sizeof *c);
    atomic_init(&c->refs, 1);
    c->gnutls = made;
    return c;
}

gnutls_certificate_credentials_t cred_gnutls(const struct cred *c)
{
    return c->gnutls;
}

struct cred *cred_ref(struct cred *c)
{
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void cred_unref(struct cred *c)
{
    if (c == NULL || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    gnutls_certificate_free_credentials(c->gnutls); /* wipes the key */
    free(c);
}
