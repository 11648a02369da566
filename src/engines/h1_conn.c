#include "engines/h1_internal.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>

/* ---- the peer ---- */

/* The host of an address, an IPv4 address mapped into IPv6 as IPv4. Returns its port. */
static uint16_t describe_address(const struct sockaddr *addr, char host[INET6_ADDRSTRLEN])
{
    const struct sockaddr_in6 *in6 = (const void *)addr;
    const struct sockaddr_in *in = (const void *)addr;

    host[0] = '\0';
    if (addr->sa_family == AF_INET) {
        inet_ntop(AF_INET, &in->sin_addr, host, INET6_ADDRSTRLEN);
        return ntohs(in->sin_port);
    }
    if (addr->sa_family != AF_INET6)
        return 0;
    if (IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, host, INET6_ADDRSTRLEN);
    else
        inet_ntop(AF_INET6, &in6->sin6_addr, host, INET6_ADDRSTRLEN);
    return ntohs(in6->sin6_port);
}

struct str h1_conn_local_host(const struct h1_conn *c, struct arena *a)
{
    struct sockaddr_storage addr = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof addr;
    char host[INET6_ADDRSTRLEN];

    if (getsockname(c->fd, (struct sockaddr *)&addr, &len) != 0)
        return STR_LIT("");
    describe_address((const struct sockaddr *)&addr, host);
    return arena_str(a, str_of(host));
}

/* ---- TLS ---- */

static void log_failed_handshake(const struct h1_conn *c, const char *why)
{
    struct h1_engine *en = c->en;
    unsigned left_out;

    if (!log_limit_allows(&en->log_limit, loop_now_ms(en->loop), &left_out))
        return;
    if (left_out > 0)
        log_info("tls", "%u more handshakes failed, not shown", left_out);
    log_info("tls", "%s: handshake for \"%s\" failed: %s", c->remote_host,
             c->sni == NULL ? "" : c->sni, why);
}

/* How much this thread's sessions may read: all there is, but for the first call of a handshake. */
static _Thread_local size_t may_read = SIZE_MAX;

static ssize_t on_pull(gnutls_transport_ptr_t conn, void *buf, size_t len)
{
    const struct h1_conn *c = conn;
    ssize_t n;

    if (may_read == 0) {
        errno = EAGAIN;
        return -1;
    }
    n = recv(c->fd, buf, len < may_read ? len : may_read, 0);
    if (n > 0 && may_read != SIZE_MAX)
        may_read -= (size_t)n;
    return n;
}

/* One step of the handshake, with what has come by now and not with what the client answers to it:
 * a session of TLS 1.2 that were complete after it would be asked to shake hands again by MHD,
 * which knows nothing of it, and the request would be taken for a failure of that. */
static int shake_once(struct h1_conn *c)
{
    int here = 0, rc;

    h1_push_start(c);
    gnutls_transport_set_pull_function(c->session, on_pull);
    may_read = ioctl(c->fd, FIONREAD, &here) == 0 && here > 0 ? (size_t)here : 0;
    rc = gnutls_handshake(c->session);
    may_read = SIZE_MAX;
    return rc;
}

/* The ClientHello is there already: shaking hands once makes the first flight's errors, with their
 * reason and the right alert, ours to report. MHD goes on with the next flight. */
static void start_tls(struct h1_conn *c, const struct tls_choice *choice)
{
    const int on = 1;
    struct err e;
    int rc;

    c->cred = cred_ref(choice->cred);
    c->tickets = tls_tickets_ref(c->en->tickets);
    c->sni = choice->sni.len > 0 ? xstrndup(choice->sni.p, choice->sni.len) : NULL;
    if (tls_session_setup(c->session, choice, c->tickets, TLS_ALPN_HTTP1, &e) != 0) {
        log_error("tls", "%s: %s", c->remote_host, e.msg);
        h1_conn_kill(c);
        return;
    }
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on); /* several small records follow */
    rc = shake_once(c);
    /* TLS 1.3 answers nothing to the client's Finished. A client whose Nagle algorithm is on holds
     * its request back until that is acknowledged: do it at once, not after 40 ms. */
    setsockopt(c->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
    if (rc >= 0 || gnutls_error_is_fatal(rc) == 0)
        return;
    gnutls_alert_send_appropriate(c->session, rc);
    log_failed_handshake(c, gnutls_strerror(rc));
    h1_conn_kill(c);
}

/* ---- life ---- */

static void conn_open(struct h1_engine *en, struct MHD_Connection *mhd, void **context)
{
    const struct h1_arrival *a = en->arrival;
    struct h1_conn *c = xalloc(sizeof *c);

    *context = c;
    c->en = en;
    c->mhd = mhd;
    c->fd = a->fd;
    c->listener = a->listener;
    en->arrival = NULL; /* it has come */
    c->service = service_ref(en->service);
    c->remote_port = describe_address(a->peer, c->remote_host);
    c->surplus = a->surplus;
    en->n_surplus += a->surplus;
    list_init(&c->item);
    h1_conn_enter(c, a->surplus ? PHASE_SURPLUS : PHASE_HEADER);
    if (en->n_connections++ == 0)
        timer_set(en->loop, &en->tick, 0);
    if (!en->tls)
        return;
    c->session = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)->tls_session;
    start_tls(c, a->choice);
}

static bool has_unread_bytes(int fd)
{
    int n = 0;

    return ioctl(fd, FIONREAD, &n) == 0 && n > 0;
}

static void leave_place(struct h1_conn *c)
{
    if (c->surplus)
        c->en->n_surplus--;
    else
        budget_give(c->en->places, 1);
}

static void conn_close(struct h1_conn *c)
{
    struct h1_engine *en = c->en;

    if (!c->dead)
        leave_place(c);
    if (!c->dead && !en->stopping && (c->unread || has_unread_bytes(c->fd)))
        h1_linger_add(&en->linger, c->fd);
    h1_conn_leave(c);
    en->n_connections--;
    service_unref(c->service);
    cred_unref(c->cred);
    tls_tickets_unref(c->tickets);
    h1_push_fini(&c->push);
    free(c->sni);
    free(c);
}

void h1_on_connection(void *cls, struct MHD_Connection *mhd, void **context,
                      enum MHD_ConnectionNotificationCode code)
{
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        conn_open(cls, mhd, context);
    else if (*context != NULL)
        conn_close(*context);
}

void h1_conn_kill(struct h1_conn *c)
{
    if (c->dead)
        return;
    c->dead = true;
    leave_place(c);
    shutdown(c->fd, SHUT_RDWR);
    h1_conn_enter(c, PHASE_DEAD);
    if (c->stream != NULL && c->stream->tunnel != NULL)
        h1_tunnel_cut(c->stream);
    else if (c->stream != NULL && c->stream->parked)
        h1_unpark(c->stream);
    h1_engine_wake(c->en);
}

/* ---- after a reload ---- */

static bool same_listener(const struct listener_conf *a, const struct listener_conf *b)
{
    return a->tls == b->tls && a->addr_len == b->addr_len &&
           memcmp(&a->addr, &b->addr, a->addr_len) == 0;
}

void h1_conn_refresh(struct h1_conn *c)
{
    struct service *newest = c->en->service;
    const struct conf *conf;

    if (c->service == newest)
        return;
    conf = service_conf(newest);
    for (size_t i = 0; i < conf->n_listeners; i++) {
        if (!same_listener(&conf->listeners[i], c->listener))
            continue;
        c->listener = &conf->listeners[i];
        service_unref(c->service);
        c->service = service_ref(newest);
        return;
    }
}
