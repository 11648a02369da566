#include "engines/tls_session.h"

#include "base/alloc.h"

#include <pthread.h>

/* AEAD with forward secrecy only. The order is the server's: AES-128-GCM first, since with
 * AES-256-GCM the SHA-384 it brings takes 15% of a handshake; X25519 is the fastest group. */
#define SUITES                                                                                     \
    ":-CIPHER-ALL:+AES-128-GCM:+CHACHA20-POLY1305:+AES-256-GCM"                                    \
    ":-KX-ALL:+ECDHE-ECDSA:+ECDHE-RSA:-MAC-ALL:+AEAD"                                              \
    ":-GROUP-ALL:+GROUP-X25519:+GROUP-SECP256R1:+GROUP-SECP384R1:%SERVER_PRECEDENCE"

/* The version ranges that can be configured. */
static struct range {
    enum tls_version min;
    enum tls_version max;
    const char *priorities;
    gnutls_priority_t cache;
} ranges[] = {
    {TLS_1_2, TLS_1_3, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2" SUITES, NULL},
    {TLS_1_2, TLS_1_2, "NORMAL:-VERS-ALL:+VERS-TLS1.2" SUITES, NULL},
    {TLS_1_3, TLS_1_3, "NORMAL:-VERS-ALL:+VERS-TLS1.3" SUITES, NULL},
};

static int parse_result;

/* Parsed once and shared by all threads: a session takes a reference. */
static void parse_priorities(void)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges) && parse_result == 0; i++)
        parse_result = gnutls_priority_init(&ranges[i].cache, ranges[i].priorities, NULL);
}

static gnutls_priority_t priorities_for(const struct tls_choice *choice)
{
    for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
        if (ranges[i].min == choice->min_version && ranges[i].max == choice->max_version)
            return ranges[i].cache;
    return ranges[0].cache;
}

static int set_alpn(gnutls_session_t session, enum tls_alpn alpn)
{
    static const gnutls_datum_t http[] = {{(unsigned char *)"http/1.1", 8},
                                          {(unsigned char *)"http/1.0", 8}};
    static const gnutls_datum_t acme = {(unsigned char *)"acme-tls/1", 10};

    /* Mandatory: a client that offers others only gets the alert of RFC 7301 3.2. */
    if (alpn == TLS_ALPN_ACME)
        return gnutls_alpn_set_protocols(session, &acme, 1, GNUTLS_ALPN_MANDATORY);
    return gnutls_alpn_set_protocols(session, http, ARRAY_LEN(http), GNUTLS_ALPN_MANDATORY);
}

int tls_session_setup(gnutls_session_t session, const struct tls_choice *choice,
                      const struct tls_tickets *tickets, enum tls_alpn alpn, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    int rc;

    pthread_once(&once, parse_priorities);
    rc = parse_result;
    if (rc == 0)
        rc = gnutls_priority_set(session, priorities_for(choice));
    if (rc == 0)
        rc = gnutls_credentials_set(session, GNUTLS_CRD_CERTIFICATE, cred_gnutls(choice->cred));
    if (rc == 0)
        rc = set_alpn(session, alpn);
    if (rc == 0 && tickets != NULL) {
        gnutls_db_set_cache_expiration(session, TLS_TICKET_LIFETIME_S);
        rc = gnutls_session_ticket_enable_server(
            session, tls_tickets_key(tickets, choice->has_ticket ? choice->ticket_name : NULL));
    }
    return rc == 0 ? 0 : err_set(e, ERR_TLS, "TLS session: %s", gnutls_strerror(rc));
}

const char *tls_session_version(void)
{
    return gnutls_check_version(NULL);
}
