/* What a chain is inside: for x509.c and x509_make.c. Everybody else uses cert/x509.h. */
#ifndef LINTEL_CERT_X509_CHAIN_H
#define LINTEL_CERT_X509_CHAIN_H

#include "base/arena.h"
#include "cert/x509.h"

#include <gnutls/x509.h>

struct x509_chain {
    gnutls_x509_crt_t *certs; /* n of them, at least one; the array is GnuTLS's */
    unsigned n;
    struct arena *arena; /* of the texts */
    struct str *names;
    size_t n_names;
    const char *issuer;
    char serial[X509_SERIAL_MAX];
};

#endif
