#include "server/listeners.h"

#include "base/alloc.h"
#include "base/log.h"
#include "server/net_text.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    BACKLOG = 4096, /* the kernel cuts it to net.core.somaxconn */
    KEEPALIVE_IDLE_S = 60,
    KEEPALIVE_INTERVAL_S = 15
};

static const int on = 1, off = 0;

static int set_option(int fd, int level, int option, int value, struct err *e)
{
    if (setsockopt(fd, level, option, &value, sizeof value) == -1)
        return err_sys(e, "setsockopt");
    return 0;
}

/* What accepted sockets inherit. TCP_DEFER_ACCEPT is left out on purpose: connections that have
 * not sent anything would be lost when a listener is closed, and they cost little here. */
static int set_inherited(int fd, struct err *e)
{
    if (set_option(fd, IPPROTO_TCP, TCP_NODELAY, on, e) != 0 ||
        set_option(fd, SOL_SOCKET, SO_KEEPALIVE, on, e) != 0 ||
        set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S, e) != 0)
        return -1;
    return set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S, e);
}

static int bind_failed(struct err *e)
{
    if (errno != EACCES)
        return err_sys(e, "bind");
    return err_set(e, ERR_IO,
                   "bind: Permission denied: a port below 1024 takes CAP_NET_BIND_SERVICE; "
                   "http_port and https_port set others");
}

static int bind_socket(int fd, const struct sockaddr *addr, socklen_t len, bool shared,
                       struct err *e)
{
    if (set_option(fd, SOL_SOCKET, SO_REUSEADDR, on, e) != 0 ||
        (shared && set_option(fd, SOL_SOCKET, SO_REUSEPORT, on, e) != 0))
        return -1;
    if (addr->sa_family == AF_INET6 && set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, off, e) != 0)
        return -1;
    return bind(fd, addr, len) == -1 ? bind_failed(e) : 0;
}

/* Returns a socket bound to addr, or -1. shared: others of ours may be bound there too. */
static int open_bound(const struct sockaddr *addr, socklen_t len, bool shared, struct err *e)
{
    int fd = socket(addr->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int saved;

    if (fd == -1)
        return err_sys(e, "socket");
    if (bind_socket(fd, addr, len, shared, e) == 0)
        return fd;
    saved = errno;
    close(fd);
    errno = saved;
    return -1;
}

/* "::" stands for both families; where the kernel has no IPv6, for IPv4 alone. */
static int open_any(const struct listener_conf *l, bool shared, struct err *e)
{
    const struct sockaddr *addr = (const void *)&l->addr;
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(l->port)};
    int fd = open_bound(addr, l->addr_len, shared, e);

    if (fd != -1 || !net_is_any6(addr) || (errno != EAFNOSUPPORT && errno != EADDRNOTAVAIL))
        return fd;
    return open_bound((const void *)&v4, sizeof v4, shared, e);
}

/* SO_REUSEPORT would let a second server of the same user take half of our connections, or us half
 * of its. So the address is tried without it first. */
static int probe(const struct listener_conf *l, struct err *e)
{
    int fd = open_any(l, false, e);

    if (fd == -1)
        return -1;
    close(fd);
    return 0;
}

static int open_one(const struct listener_conf *l, struct err *e)
{
    int fd = open_any(l, true, e);

    if (fd == -1)
        return -1;
    if (set_inherited(fd, e) == 0) {
        if (listen(fd, BACKLOG) == 0)
            return fd;
        err_sys(e, "listen");
    }
    close(fd);
    return -1;
}

/* ---- the set ---- */

static void close_listener(struct listeners *ls, size_t i)
{
    for (unsigned w = 0; w < ls->n_workers; w++) {
        int *fd = &ls->fds[w * ls->n_listeners + i];

        if (*fd != -1)
            close(*fd);
        *fd = -1;
    }
}

/* Whether a socket of ours is bound to the port already, at whatever address: then a probe would
 * meet ourselves. */
static bool is_ours(const struct listeners *ls, const struct conf *conf, uint16_t port)
{
    for (size_t i = 0; ls != NULL && i < ls->n_listeners; i++)
        if (ls->open[i] && conf->listeners[i].port == port)
            return true;
    return false;
}

static int open_listener(struct listeners *ls, const struct listener_conf *l, bool ours,
                         struct err *e)
{
    if (!ours && probe(l, e) != 0)
        return -1;
    for (unsigned w = 0; w < ls->n_workers; w++) {
        int fd = open_one(l, e);

        if (fd == -1) {
            close_listener(ls, l->index);
            return -1;
        }
        ls->fds[w * ls->n_listeners + l->index] = fd;
    }
    ls->open[l->index] = true;
    return 0;
}

static bool has_address(const struct listeners *old, const struct conf *old_conf,
                        const struct listener_conf *l)
{
    for (size_t i = 0; old != NULL && i < old->n_listeners; i++)
        if (old->open[i] && listeners_same_address(&old_conf->listeners[i], l))
            return true;
    return false;
}

static void init(struct listeners *ls, const struct conf *conf, unsigned n_workers)
{
    size_t n = conf->n_listeners * n_workers;

    ls->n_workers = n_workers;
    ls->n_listeners = conf->n_listeners;
    ls->fds = xalloc((n + 1) * sizeof *ls->fds);
    ls->open = xalloc((conf->n_listeners + 1) * sizeof *ls->open);
    for (size_t i = 0; i < n; i++)
        ls->fds[i] = -1;
}

int listeners_open(struct listeners *ls, const struct conf *conf, unsigned n_workers,
                   const struct listeners *old, const struct conf *old_conf, struct err *e)
{
    char text[NET_TEXT_MAX];

    init(ls, conf, n_workers);
    for (size_t i = 0; i < conf->n_listeners; i++) {
        const struct listener_conf *l = &conf->listeners[i];
        bool ours = is_ours(old, old_conf, l->port) || is_ours(ls, conf, l->port);
        struct err why;

        ls->open[i] = has_address(old, old_conf, l);
        if (ls->open[i] || open_listener(ls, l, ours, &why) == 0)
            continue;
        net_text((const void *)&l->addr, text);
        err_wrap(&why, "cannot listen on %s", text);
        if (!l->implicit) {
            listeners_close(ls);
            listeners_fini(ls);
            *e = why;
            return -1;
        }
        log_warn("server", "%s; no redirects from http there, and no http-01 challenges", why.msg);
    }
    return 0;
}

const int *listeners_of(const struct listeners *ls, unsigned worker)
{
    return ls->fds + worker * ls->n_listeners;
}

void listeners_close(struct listeners *ls)
{
    for (size_t i = 0; i < ls->n_listeners; i++)
        close_listener(ls, i);
}

void listeners_fini(struct listeners *ls)
{
    free(ls->fds);
    free(ls->open);
    *ls = (struct listeners){0};
}
