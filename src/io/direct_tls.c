/* TLS of the direct transport, by GnuTLS: tunnels to https:// upstreams. Certificates are verified
 * as libcurl verifies those of all other requests: by the same roots, for the name in the URL. */
#include "io/direct_priv.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

enum {
    CREDS_MAX = 16,                /* kept */
    CREDS_AGE_MS = 60 * 60 * 1000, /* of the system's roots, which may change */
    EMPTY_MAX = 64                 /* records without a byte of data, one after the other */
};

/* Roots and a certificate of our own, read from files once. */
struct direct_tls_creds {
    struct list item; /* in direct.tls_creds; the last used first */
    unsigned refs;
    uint64_t since_ms;
    char *ca_file, *cert_file, *key_file; /* each may be NULL */
    gnutls_certificate_credentials_t gnutls;
};

struct direct_tls_peer {
    struct direct_tls_creds *creds;
    bool insecure;
    bool is_address;
    char name[];
};

struct direct_tls {
    gnutls_session_t session;
    struct direct_tls_creds *creds;
    int fd;
    int broken;   /* a GnuTLS error that ended it; 0: none has */
    bool is_dry;  /* the socket had nothing to read */
    bool is_open; /* the handshake is over, and nothing is broken */
    bool insecure;
    char name[]; /* that the peer was verified for */
};

/* ---- credentials ---- */

static void creds_unref(struct direct_tls_creds *c)
{
    if (--c->refs > 0)
        return;
    gnutls_certificate_free_credentials(c->gnutls); /* wipes the key */
    free(c->ca_file);
    free(c->cert_file);
    free(c->key_file);
    free(c);
}

static bool same(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static char *copy_or_null(const char *s)
{
    return s == NULL ? NULL : xstrdup(s);
}

/* Returns a GnuTLS error, or what is no error. */
static int load(gnutls_certificate_credentials_t g, const struct transfer_spec *spec)
{
    int rc = 0;

    if (spec->ca_file != NULL)
        rc = gnutls_certificate_set_x509_trust_file(g, spec->ca_file, GNUTLS_X509_FMT_PEM);
    else if (!spec->insecure)
        rc = gnutls_certificate_set_x509_system_trust(g);
    if (rc >= 0 && spec->cert_file != NULL)
        rc = gnutls_certificate_set_x509_key_file(g, spec->cert_file, spec->key_file,
                                                  GNUTLS_X509_FMT_PEM);
    return rc;
}

static struct direct_tls_creds *creds_new(struct direct *d, const struct transfer_spec *spec,
                                          struct err *e)
{
    struct direct_tls_creds *c = xalloc(sizeof *c);
    int rc = gnutls_certificate_allocate_credentials(&c->gnutls);

    if (rc >= 0)
        rc = load(c->gnutls, spec);
    if (rc < 0) {
        err_set(e, ERR_IO, "certificates for TLS with upstreams: %s", gnutls_strerror(rc));
        if (c->gnutls != NULL)
            gnutls_certificate_free_credentials(c->gnutls);
        free(c);
        return NULL;
    }
    c->refs = 1;
    c->since_ms = loop_now_ms(d->loop);
    c->ca_file = copy_or_null(spec->ca_file);
    c->cert_file = copy_or_null(spec->cert_file);
    c->key_file = copy_or_null(spec->key_file);
    return c;
}

static void forget(struct direct_tls_creds *c)
{
    list_del(&c->item);
    creds_unref(c);
}

static bool is_for(const struct direct_tls_creds *c, const struct transfer_spec *spec)
{
    return same(c->ca_file, spec->ca_file) && same(c->cert_file, spec->cert_file) &&
           same(c->key_file, spec->key_file);
}

/* A reference. */
static struct direct_tls_creds *creds_get(struct direct *d, const struct transfer_spec *spec,
                                          struct err *e)
{
    struct direct_tls_creds *c;
    unsigned n = 0;

    for (struct list *at = d->tls_creds.next, *next; at != &d->tls_creds; at = next) {
        c = container_of(at, struct direct_tls_creds, item);
        next = at->next;
        if (loop_now_ms(d->loop) - c->since_ms >= CREDS_AGE_MS || ++n == CREDS_MAX) {
            forget(c);
            continue;
        }
        if (!is_for(c, spec))
            continue;
        list_del(&c->item);
        list_add_tail(d->tls_creds.next, &c->item); /* before the first */
        c->refs++;
        return c;
    }
    c = creds_new(d, spec, e);
    if (c == NULL)
        return NULL;
    list_add_tail(d->tls_creds.next, &c->item);
    c->refs++;
    return c;
}

void direct_tls_fini(struct direct *d)
{
    while (!list_empty(&d->tls_creds))
        forget(container_of(d->tls_creds.next, struct direct_tls_creds, item));
}

/* ---- the peer ---- */

static bool is_address(const char *name)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, name, bytes) == 1 || inet_pton(AF_INET6, name, bytes) == 1;
}

/* Of "https://name:port/", without the brackets of an IPv6 address. */
static struct str name_in(const char *url)
{
    struct str s = str_from(str_of(url), sizeof "https://" - 1);

    s.len = str_chr(s, '/');
    if (s.len > 0 && s.p[0] == '[') {
        s = str_from(s, 1);
        s.len = str_chr(s, ']');
    } else {
        s.len = str_chr(s, ':');
    }
    return s;
}

struct direct_tls_peer *direct_tls_peer_new(struct direct *d, const struct transfer_spec *spec,
                                            struct err *e)
{
    struct direct_tls_creds *creds = creds_get(d, spec, e);
    const struct str name = name_in(spec->url);
    struct direct_tls_peer *p;

    if (creds == NULL)
        return NULL;
    p = xalloc(sizeof *p + name.len + 1);
    p->creds = creds;
    p->insecure = spec->insecure;
    memcpy(p->name, name.p, name.len);
    p->is_address = is_address(p->name);
    return p;
}

void direct_tls_peer_free(struct direct_tls_peer *p)
{
    if (p == NULL)
        return;
    creds_unref(p->creds);
    free(p);
}

/* ---- the session ---- */

/* gnutls_pull_func */
static ssize_t on_pull(gnutls_transport_ptr_t ptr, void *p, size_t cap)
{
    struct direct_tls *s = ptr;
    ssize_t n = recv(s->fd, p, cap, 0);

    s->is_dry = n == -1 && errno == EAGAIN;
    return n;
}

/* RFC 6066 3: no name is sent for an address. Returns a GnuTLS error, or what is no error. */
static int set_up(const struct direct_tls *tls, const struct direct_tls_peer *p)
{
    gnutls_session_t s = tls->session;
    const gnutls_datum_t http = {(unsigned char *)"http/1.1", sizeof "http/1.1" - 1};
    int rc = gnutls_priority_set_direct(s, "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2", NULL);

    if (rc >= 0)
        rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, p->creds->gnutls);
    if (rc >= 0)
        rc = gnutls_alpn_set_protocols(s, &http, 1, 0);
    if (rc >= 0 && !p->is_address)
        rc = gnutls_server_name_set(s, GNUTLS_NAME_DNS, p->name, strlen(p->name));
    if (rc < 0)
        return rc;
    if (!p->insecure)
        gnutls_session_set_verify_cert(s, tls->name, 0); /* keeps the pointer */
    return 0;
}

struct direct_tls *direct_tls_new(const struct direct_tls_peer *p, int fd)
{
    const size_t len = strlen(p->name);
    struct direct_tls *s = xalloc(sizeof *s + len + 1);

    memcpy(s->name, p->name, len);
    s->insecure = p->insecure;
    if (gnutls_init(&s->session,
                    GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS) < 0) {
        free(s);
        return NULL;
    }
    s->creds = p->creds;
    s->creds->refs++;
    s->fd = fd;
    gnutls_transport_set_ptr2(s->session, s, (gnutls_transport_ptr_t)(intptr_t)fd);
    gnutls_transport_set_pull_function(s->session, on_pull);
    if (set_up(s, p) >= 0)
        return s;
    direct_tls_free(s);
    return NULL;
}

void direct_tls_free(struct direct_tls *s)
{
    if (s == NULL)
        return;
    if (s->is_open)
        (void)gnutls_bye(s->session, GNUTLS_SHUT_WR);
    gnutls_deinit(s->session);
    creds_unref(s->creds);
    free(s);
}

/* ---- the handshake ---- */

static const struct {
    unsigned status;
    const char *why;
} flaws[] = {
    {GNUTLS_CERT_EXPIRED, "its certificate has expired"},
    {GNUTLS_CERT_NOT_ACTIVATED, "its certificate is not valid yet"},
    {GNUTLS_CERT_REVOKED, "its certificate is revoked"},
    {GNUTLS_CERT_UNEXPECTED_OWNER, "its certificate is for another name"},
    {GNUTLS_CERT_SIGNER_NOT_FOUND, "its certificate is signed by nobody who is trusted here"},
};

static const char *flaw_of(gnutls_session_t s)
{
    const unsigned status = gnutls_session_get_verify_cert_status(s);

    for (size_t i = 0; i < ARRAY_LEN(flaws); i++)
        if ((status & flaws[i].status) != 0)
            return flaws[i].why;
    return "its certificate is not valid";
}

static const char *why_of(gnutls_session_t s, int rc)
{
    const char *alert;

    if (rc == GNUTLS_E_CERTIFICATE_VERIFICATION_ERROR)
        return flaw_of(s);
    if (rc == GNUTLS_E_PREMATURE_TERMINATION || rc == GNUTLS_E_PULL_ERROR ||
        rc == GNUTLS_E_PUSH_ERROR)
        return "the connection was closed during the handshake";
    if (rc != GNUTLS_E_FATAL_ALERT_RECEIVED)
        return gnutls_strerror(rc);
    alert = gnutls_alert_get_name(gnutls_alert_get(s));
    return alert == NULL ? "the peer refuses" : alert;
}

enum tls_step direct_tls_handshake(struct direct_tls *s, char *why, size_t cap)
{
    int rc;

    do
        rc = gnutls_handshake(s->session);
    while (rc < 0 && rc != GNUTLS_E_AGAIN && gnutls_error_is_fatal(rc) == 0);
    if (rc == GNUTLS_E_AGAIN)
        return TLS_WAIT;
    if (rc == GNUTLS_E_SUCCESS) {
        s->is_open = true;
        return TLS_DONE;
    }
    snprintf(why, cap, "TLS: %s", why_of(s->session, rc));
    (void)gnutls_alert_send_appropriate(s->session, rc);
    return TLS_FAILED;
}

/* ---- used again ---- */

/* Credentials are the same for as long as they are kept: what is in their files is not asked. */
bool direct_tls_is_for(const struct direct_tls *s, const struct direct_tls_peer *p)
{
    return s->creds == p->creds && s->insecure == p->insecure && strcmp(s->name, p->name) == 0;
}

bool direct_tls_is_quiet(const struct direct_tls *s)
{
    return s->is_open && gnutls_record_check_pending(s->session) == 0;
}

/* ---- bytes ---- */

static ssize_t answer_of(struct direct_tls *s, ssize_t n, int broken)
{
    if (n >= 0)
        return n;
    if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED) {
        errno = n == GNUTLS_E_AGAIN ? EAGAIN : EINTR;
        return -1;
    }
    s->is_open = false;
    s->broken = (int)n;
    errno = broken;
    return -1;
}

const char *direct_tls_why(const struct direct_tls *s)
{
    if (s == NULL || s->broken != GNUTLS_E_FATAL_ALERT_RECEIVED)
        return NULL;
    return why_of(s->session, s->broken);
}

/* GnuTLS says GNUTLS_E_AGAIN after a record without data as well, such as a ticket: with a socket
 * that tells of bytes once, that is not enough to wait for more. */
ssize_t direct_tls_recv(struct direct_tls *s, char *p, size_t cap)
{
    ssize_t n = GNUTLS_E_AGAIN;

    for (unsigned i = 0; i < EMPTY_MAX; i++) {
        s->is_dry = false;
        n = gnutls_record_recv(s->session, p, cap);
        if (n >= 0 || s->is_dry || gnutls_error_is_fatal((int)n) != 0)
            break;
    }
    if (n == GNUTLS_E_AGAIN && !s->is_dry)
        n = GNUTLS_E_TOO_MANY_EMPTY_PACKETS;
    return answer_of(s, n, n == GNUTLS_E_PREMATURE_TERMINATION ? ECONNABORTED : ECONNRESET);
}

ssize_t direct_tls_send(struct direct_tls *s, const char *p, size_t len)
{
    return answer_of(s, gnutls_record_send(s->session, p, len), EPIPE);
}

/* What cannot be said at once is said by the end of the connection. */
void direct_tls_shutdown(struct direct_tls *s)
{
    if (gnutls_bye(s->session, GNUTLS_SHUT_WR) != GNUTLS_E_SUCCESS)
        shutdown(s->fd, SHUT_WR);
    s->is_open = false; /* no more to send */
}
