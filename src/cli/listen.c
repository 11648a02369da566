#include "cli/oneliner.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <unistd.h>

/* ---- ports ---- */

static const int on = 1;

static socklen_t socket_address(const struct listen *a, int family, struct sockaddr_storage *addr)
{
    struct sockaddr_in *v4 = (void *)addr;
    struct sockaddr_in6 *v6 = (void *)addr;
    const char *host = strcmp(a->host, "localhost") == 0 ? "127.0.0.1" : a->host;

    *addr = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    if (family == AF_INET) /* no host: all addresses, as the zeros say */
        (void)inet_pton(AF_INET, host, &v4->sin_addr);
    else
        (void)inet_pton(AF_INET6, host, &v6->sin6_addr);
    return family == AF_INET ? sizeof *v4 : sizeof *v6;
}

/* Has the kernel choose a port. The socket never listens, so that it gets no connection; as long as
 * it is bound, the kernel chooses the port for nobody else. */
static int reserve(struct oneliner *l, struct listen *a, int family, struct err *e)
{
    struct sockaddr_storage addr;
    socklen_t len = socket_address(a, family, &addr);
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd == -1)
        return err_sys(e, "socket");
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) == -1 ||
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) == -1 ||
        bind(fd, (const void *)&addr, len) == -1 || getsockname(fd, (void *)&addr, &len) == -1) {
        err_sys(e, "a free port");
        close(fd);
        return -1;
    }
    l->reserved = fd;
    a->first = a->last = ntohs(family == AF_INET ? ((struct sockaddr_in *)&addr)->sin_port
                                                 : ((struct sockaddr_in6 *)&addr)->sin6_port);
    return 0;
}

static int choose_port(struct oneliner *l, struct listen *a)
{
    struct err e;
    bool any = a->host[0] == '\0';

    if (((any || strchr(a->host, ':') != NULL) && reserve(l, a, AF_INET6, &e) == 0) ||
        ((any || strchr(a->host, ':') == NULL) && reserve(l, a, AF_INET, &e) == 0))
        return 0;
    oneliner_fail(l, "--listen: %s", e.msg);
    return -1;
}

/* "80" or "2000-2004". */
static bool parse_ports(struct str text, struct listen *out)
{
    struct str first = str_cut(&text, '-');
    uint64_t from, to;

    if (!str_to_uint(first, UINT16_MAX, &from))
        return false;
    to = from;
    if (text.p != NULL && (!str_to_uint(text, UINT16_MAX, &to) || from == 0 || to < from))
        return false;
    out->first = (uint16_t)from;
    out->last = (uint16_t)to;
    return true;
}

/* ---- hosts ---- */

static bool is_ip(const char *host)
{
    struct in6_addr addr;

    return inet_pton(AF_INET, host, &addr) == 1 || inet_pton(AF_INET6, host, &addr) == 1;
}

static bool parse_host(struct str text, struct listen *out)
{
    bool brackets = str_starts(text, STR_LIT("[")) && str_ends(text, STR_LIT("]"));

    if (brackets)
        text = (struct str){text.p + 1, text.len - 2};
    if (text.len >= sizeof out->host)
        return false;
    snprintf(out->host, sizeof out->host, STR_FMT, STR_ARG(text));
    if (text.len == 0 || strcmp(out->host, "localhost") == 0)
        return !brackets;
    return is_ip(out->host) && (strchr(out->host, ':') != NULL) == brackets;
}

/* Caddy's networks that are not TCP, or half of it. */
static bool is_other_network(struct str text)
{
    static const char *const others[] = {"unix",   "unix+h2c", "unixgram", "unixpacket", "udp",
                                         "udp4",   "udp6",     "ip",       "ip4",        "ip6",
                                         "fdgram", "fd",       "tcp4",     "tcp6"};
    struct str network = str_cut(&text, '/');

    for (size_t i = 0; text.p != NULL && i < sizeof others / sizeof others[0]; i++)
        if (str_is(network, others[i]))
            return true;
    return false;
}

int listen_parse(struct oneliner *l, const char *text, struct listen *out)
{
    struct str rest = str_of(text), host;
    size_t colon;

    *out = (struct listen){0};
    if (is_other_network(rest)) {
        oneliner_fail(l,
                      "--listen %s: only TCP is listened at by one-line commands, as in "
                      "127.0.0.1:8080",
                      text);
        return -1;
    }
    if (str_starts(rest, STR_LIT("tcp/")))
        rest = str_from(rest, 4);
    for (colon = rest.len; colon > 0 && rest.p[colon - 1] != ':'; colon--)
        ;
    host = (struct str){rest.p, colon > 0 ? colon - 1 : 0};
    if (colon == 0 || !parse_ports(str_from(rest, colon), out)) {
        oneliner_fail(l,
                      "--listen %s: a port is missing or wrong, as in :8080, 127.0.0.1:8080 or "
                      ":2000-2004",
                      text);
        return -1;
    }
    if (!parse_host(host, out)) {
        oneliner_fail(l,
                      "--listen %s: '" STR_FMT "' is no IP address; those of IPv6 stand in "
                      "brackets",
                      text, STR_ARG(host));
        return -1;
    }
    return out->first == 0 ? choose_port(l, out) : 0;
}

/* ---- saying it ---- */

void listen_text(const struct listen *a, uint16_t port, char out[LISTEN_TEXT_MAX])
{
    const char *form = strchr(a->host, ':') != NULL ? "[%s]:%u" : "%s:%u";

    snprintf(out, LISTEN_TEXT_MAX, form, a->host, port);
}

void listen_put(struct oneliner *l, const struct listen *a)
{
    if (a->host[0] != '\0')
        oneliner_put(l, "\tbind %s\n", a->host);
}
