/* From an upstream's name to a connection: its addresses are tried in turn, the one that worked
 * last first and then one of the other family, each with its share of the time. One that says
 * nothing for a while gets a rival, the next: who is connected first wins (RFC 8305 5). There are
 * two at a time at most. */
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

void direct_connect_abandon(struct direct_transfer *t)
{
    if (t->conn != NULL)
        direct_conn_close(t->conn);
    if (t->rival != NULL)
        direct_conn_close(t->rival);
    t->conn = t->rival = NULL;
}

/* The other attempt, if there is one, was for nothing. */
static void choose(struct direct_transfer *t, struct direct_conn *c)
{
    if (t->rival == c)
        t->rival = NULL;
    else
        t->conn = NULL;
    direct_connect_abandon(t);
    t->conn = c;
}

static void connected(struct direct_conn *c)
{
    struct direct_transfer *t = c->t;

    choose(t, c);
    t->due.attempt = 0;
    if (!t->origin->is_unix)
        t->origin->preferred = t->addresses.list[c->address];
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
        return set_address(&t->addresses.list[t->tried], o->port, a);
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

static unsigned n_addresses(const struct direct_transfer *t)
{
    return t->origin->is_unix ? 1 : t->addresses.n;
}

/* The time that is left is shared by the addresses that are left. */
static void limit_attempt(struct direct_transfer *t)
{
    const uint64_t now = loop_now_ms(t->d->loop);
    const uint64_t left = t->due.dial > now ? t->due.dial - now : 0;
    const unsigned untried = n_addresses(t) - t->tried;
    uint64_t share = left / untried;

    if (t->rival == NULL && t->fallback_ms < share)
        share = t->fallback_ms;
    t->due.attempt = untried > 1 ? now + share : 0;
}

static bool watch(struct direct_transfer *t, int fd)
{
    struct direct_conn *c = direct_conn_new(t, fd);
    struct err e;

    c->t = t;
    c->connecting = true;
    c->address = t->tried;
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
        connected(t->conn);
    return 0;
}

static void connect_next(struct direct_transfer *t)
{
    while (t->tried < n_addresses(t)) {
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
    if (t->rival == NULL)
        out_of_addresses(t);
}

static void drop_attempt(struct direct_conn *c, int error)
{
    struct direct_transfer *t = c->t;

    t->last_errno = error;
    if (t->rival == c)
        t->rival = NULL;
    else
        t->conn = NULL;
    direct_conn_close(c);
    if (t->conn == NULL)
        connect_next(t);
    if (!t->ended)
        direct_arm(t);
}

void direct_connect_event(struct direct_conn *c)
{
    int error = 0;
    socklen_t len = sizeof error;

    if (c->tls != NULL) {
        shake_hands(c->t);
        return;
    }
    if (!c->writable && !c->hung_up)
        return;
    if (getsockopt(c->src.fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1)
        error = errno;
    if (error == 0)
        connected(c);
    else
        drop_attempt(c, error);
}

void direct_connect_due(struct direct_transfer *t)
{
    t->due.attempt = 0;
    if (t->conn != NULL && (t->rival != NULL || t->fallback_ms == TRANSFER_NEVER)) {
        drop_attempt(t->conn, ETIMEDOUT);
        return;
    }
    if (t->conn != NULL)
        t->rival = t->conn;
    t->conn = NULL;
    connect_next(t);
}

/* ---- the name ---- */

/* Puts the address at one index to another before it. */
static void advance(struct addresses *a, unsigned from, unsigned to)
{
    const struct address moved = a->list[from];

    memmove(&a->list[to + 1], &a->list[to], (from - to) * sizeof moved);
    a->list[to] = moved;
}

/* The address that could be connected to last is tried first; and where one family leads nowhere,
 * the other should not have to wait for all of its addresses (RFC 8305 4). */
static void put_in_order(struct direct_transfer *t)
{
    struct addresses *a = &t->addresses;
    unsigned i = 0;

    t->tried = 0;
    while (i < a->n && memcmp(&a->list[i], &t->origin->preferred, sizeof a->list[i]) != 0)
        i++;
    if (i < a->n)
        advance(a, i, 0);
    i = 1;
    while (i < a->n && a->list[i].family == a->list[0].family)
        i++;
    if (i < a->n)
        advance(a, i, 1);
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
        put_in_order(t);
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
    put_in_order(t);
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
