/* From an upstream's name to a connection: its addresses are tried in turn, the one that worked
 * last first, each with its share of the time. */
#include "io/direct_priv.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    WATCHED = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
    BACKLOG_WAIT_MS = 10 /* a unix socket's queue is full: it does not tell when it has room */
};

union any_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
    struct sockaddr_un un;
};

static void connect_next(struct direct_transfer *t);

/* ---- the end of it ---- */

static void give_up(struct direct_transfer *t, enum transfer_result result, const char *why)
{
    t->due.dial = t->due.attempt = 0;
    direct_fail(t, result, why);
}

static void established(struct direct_transfer *t)
{
    struct direct_conn *c = t->conn;

    c->connecting = false;
    c->writable = true;
    t->due.dial = 0;
    t->received_ms = t->sent_ms = loop_now_ms(t->d->loop);
    direct_arm(t);
    direct_send(t);
}

static void shake_hands(struct direct_transfer *t)
{
    char why[256];

    switch (direct_tls_handshake(t->conn->tls, why, sizeof why)) {
    case TLS_WAIT:
        return;
    case TLS_DONE:
        t->conn->readable = true; /* something may have come with the end of it */
        established(t);
        return;
    case TLS_FAILED:
        give_up(t, TRANSFER_CONNECT, why);
        return;
    }
}

/* Before TLS; else it goes with the head. A new socket has room for it. */
static bool send_preamble(struct direct_transfer *t)
{
    const size_t len = t->preamble_len;

    errno = EPIPE;
    if (len > 0 && send(t->conn->src.fd, t->head, len, MSG_NOSIGNAL) != (ssize_t)len)
        return false;
    t->head_sent = len;
    return true;
}

static void connected(struct direct_transfer *t)
{
    t->due.attempt = 0;
    if (!t->origin->is_unix)
        t->origin->preferred = t->addresses.list[(t->first + t->tried - 1) % t->addresses.n];
    if (t->peer == NULL) {
        established(t);
        return;
    }
    t->conn->tls = direct_tls_new(t->peer, t->conn->src.fd);
    if (t->conn->tls == NULL)
        give_up(t, TRANSFER_CONNECT, strerror(ENOMEM));
    else if (!send_preamble(t))
        give_up(t, TRANSFER_CONNECT, strerror(errno));
    else
        shake_hands(t);
}

static void look_up(struct direct_transfer *t, bool fresh);

/* All addresses have been tried. */
static void out_of_addresses(struct direct_transfer *t)
{
    if (t->addresses.stale && !t->looked_again) {
        t->looked_again = true; /* the upstream may have moved */
        look_up(t, true);
        return;
    }
    if (t->last_errno == ETIMEDOUT)
        give_up(t, TRANSFER_CONNECT_TIMEOUT, "no connection in time");
    else
        give_up(t, transfer_lacks(t->last_errno) ? TRANSFER_EXHAUSTED : TRANSFER_CONNECT,
                strerror(t->last_errno));
}

/* ---- one address ---- */

static socklen_t set_address(const struct address *from, uint16_t port, union any_address *a)
{
    *a = (union any_address){.sa = {0}};
    if (from->family == AF_INET) {
        a->in.sin_family = AF_INET;
        a->in.sin_port = htons(port);
        memcpy(&a->in.sin_addr, from->bytes, sizeof a->in.sin_addr);
        return sizeof a->in;
    }
    a->in6.sin6_family = AF_INET6;
    a->in6.sin6_port = htons(port);
    memcpy(&a->in6.sin6_addr, from->bytes, sizeof a->in6.sin6_addr);
    return sizeof a->in6;
}

static socklen_t address_of(const struct direct_transfer *t, union any_address *a)
{
    const struct origin *o = t->origin;

    if (!o->is_unix)
        return set_address(&t->addresses.list[(t->first + t->tried) % t->addresses.n], o->port, a);
    *a = (union any_address){.un = {.sun_family = AF_UNIX}};
    memcpy(a->un.sun_path, o->key, o->key_len + 1);
    return sizeof a->un;
}

static void set_probes(int fd, unsigned probe_ms)
{
    const int one = 1, seconds = (int)(probe_ms < 1000 ? 1 : probe_ms / 1000);

    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &seconds, sizeof seconds);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &seconds, sizeof seconds);
}

/* The port is chosen when the socket is connected: it need not be free for all peers. */
static int bind_to(int fd, const struct address *local, sa_family_t family)
{
    const int one = 1;
    union any_address a;
    socklen_t len = set_address(local, 0, &a);

    errno = EAFNOSUPPORT;
    if (local->family != family)
        return -1;
    (void)setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    return bind(fd, &a.sa, len);
}

/* Returns 0, or -1 with errno set. */
static int prepare_tcp(const struct direct_transfer *t, int fd, sa_family_t family)
{
    const struct address *local = &t->origin->local;
    const int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (t->probe_ms != 0)
        set_probes(fd, t->probe_ms);
    return local->family == 0 ? 0 : bind_to(fd, local, family);
}

/* -1 with errno set. */
static int open_socket(const struct direct_transfer *t, const union any_address *a)
{
    const int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC;
    int fd = socket(a->sa.sa_family, type, 0), why;

    /* Idle connections are the first to give their descriptors back. */
    if (fd == -1 && (errno == EMFILE || errno == ENFILE) && direct_pool_shrink(t->d))
        fd = socket(a->sa.sa_family, type, 0);
    if (fd == -1 || t->origin->is_unix || prepare_tcp(t, fd, a->sa.sa_family) == 0)
        return fd;
    why = errno;
    close(fd);
    errno = why;
    return -1;
}

/* The time that is left is shared by the addresses that are left. */
static void limit_attempt(struct direct_transfer *t)
{
    const uint64_t now = loop_now_ms(t->d->loop);
    const uint64_t left = t->due.dial > now ? t->due.dial - now : 0;
    const unsigned n = t->origin->is_unix ? 1 : t->addresses.n;

    t->due.attempt = t->tried + 1 < n ? now + left / (n - t->tried) : 0;
}

static bool watch(struct direct_transfer *t, int fd)
{
    struct direct_conn *c = direct_conn_new(t, fd);
    struct err e;

    c->t = t;
    c->connecting = true;
    t->conn = c;
    if (loop_add(t->d->loop, &c->src, WATCHED, &e) == 0)
        return true;
    direct_conn_close(c);
    t->conn = NULL;
    return false;
}

/* Begins to connect to the address at hand. Returns 0, or an errno. */
static int attempt(struct direct_transfer *t)
{
    union any_address a;
    socklen_t len = address_of(t, &a);
    int fd = open_socket(t, &a), rc;

    if (fd == -1)
        return errno;
    limit_attempt(t);
    do
        rc = connect(fd, &a.sa, len);
    while (rc == -1 && errno == EINTR);
    if (rc == -1 && errno != EINPROGRESS) {
        rc = errno;
        close(fd);
        return rc;
    }
    if (!watch(t, fd))
        return ENOMEM;
    t->tried++;
    if (rc == 0)
        connected(t);
    return 0;
}

static void connect_next(struct direct_transfer *t)
{
    const unsigned n = t->origin->is_unix ? 1 : t->addresses.n;

    while (t->tried < n) {
        int error = attempt(t);

        if (error == 0)
            return;
        if (error == EAGAIN && t->origin->is_unix) {
            t->due.attempt = loop_now_ms(t->d->loop) + BACKLOG_WAIT_MS;
            return;
        }
        t->last_errno = error;
        t->tried++;
    }
    out_of_addresses(t);
}

static void drop_attempt(struct direct_transfer *t, int error)
{
    t->last_errno = error;
    direct_conn_close(t->conn);
    t->conn = NULL;
    connect_next(t);
    if (!t->ended)
        direct_arm(t);
}

void direct_connect_event(struct direct_transfer *t)
{
    struct direct_conn *c = t->conn;
    int error = 0;
    socklen_t len = sizeof error;

    if (c->tls != NULL) {
        shake_hands(t);
        return;
    }
    if (!c->writable && !c->hung_up)
        return;
    if (getsockopt(c->src.fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        error = errno;
    if (error == 0)
        connected(t);
    else
        drop_attempt(t, error);
}

void direct_connect_due(struct direct_transfer *t)
{
    t->due.attempt = 0;
    if (t->conn != NULL)
        drop_attempt(t, ETIMEDOUT);
    else
        connect_next(t);
}

/* ---- the name ---- */

/* The address that could be connected to last is tried first. */
static void begin_with_preferred(struct direct_transfer *t)
{
    const struct address *p = &t->origin->preferred;

    t->first = t->tried = 0;
    for (unsigned i = 0; i < t->addresses.n; i++)
        if (memcmp(&t->addresses.list[i], p, sizeof *p) == 0)
            t->first = i;
}

static void fail_name(struct direct_transfer *t, const char *why)
{
    char text[320];

    snprintf(text, sizeof text, STR_FMT ": %s", STR_ARG(t->origin->host), why);
    give_up(t, TRANSFER_CONNECT, text);
}

void direct_on_resolved(struct lookup *lk, const struct addresses *a, const char *why)
{
    struct direct_transfer *t = container_of(lk, struct direct_transfer, lookup);

    direct_enter(t);
    if (a == NULL) {
        fail_name(t, why);
    } else {
        t->addresses = *a;
        begin_with_preferred(t);
        connect_next(t);
        if (!t->ended)
            direct_arm(t);
    }
    direct_leave(t);
}

static void look_up(struct direct_transfer *t, bool fresh)
{
    const char *why = "";

    if (!resolver_get(t->d->resolver, t->origin->servers, t->origin->host, fresh, &t->addresses,
                      &why, &t->lookup))
        return;
    if (t->addresses.n == 0) {
        fail_name(t, why);
        return;
    }
    begin_with_preferred(t);
    connect_next(t);
}

void direct_connect(struct direct_transfer *t, bool fresh)
{
    if (!fresh && direct_pool_take(t)) {
        direct_send(t);
        return;
    }
    t->due.dial = loop_now_ms(t->d->loop) + t->dial_timeout_ms;
    t->tried = 0;
    if (t->origin->is_unix)
        connect_next(t);
    else
        look_up(t, false);
    if (!t->ended)
        direct_arm(t);
}
