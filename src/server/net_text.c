#include "server/net_text.h"

#include <arpa/inet.h>
#include <stdio.h>

static const struct sockaddr_in6 *v6_of(const struct sockaddr *addr)
{
    return (const struct sockaddr_in6 *)(const void *)addr;
}

static const struct sockaddr_in *v4_of(const struct sockaddr *addr)
{
    return (const struct sockaddr_in *)(const void *)addr;
}

void net_host(const struct sockaddr *addr, char out[NET_TEXT_MAX])
{
    out[0] = '\0';
    if (addr->sa_family == AF_INET) {
        inet_ntop(AF_INET, &v4_of(addr)->sin_addr, out, NET_TEXT_MAX);
    } else if (addr->sa_family == AF_INET6) {
        const struct in6_addr *a = &v6_of(addr)->sin6_addr;

        if (IN6_IS_ADDR_V4MAPPED(a))
            inet_ntop(AF_INET, a->s6_addr + 12, out, NET_TEXT_MAX);
        else
            inet_ntop(AF_INET6, a, out, NET_TEXT_MAX);
    }
}

void net_text(const struct sockaddr *addr, char out[NET_TEXT_MAX])
{
    char host[NET_TEXT_MAX];
    bool v6 = addr->sa_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&v6_of(addr)->sin6_addr);

    net_host(addr, host);
    snprintf(out, NET_TEXT_MAX, "%s%.*s%s:%u", v6 ? "[" : "", INET6_ADDRSTRLEN, host, v6 ? "]" : "",
             (unsigned)net_port(addr));
}

in_port_t net_port(const struct sockaddr *addr)
{
    if (addr->sa_family == AF_INET6)
        return ntohs(v6_of(addr)->sin6_port);
    return addr->sa_family == AF_INET ? ntohs(v4_of(addr)->sin_port) : 0;
}

bool net_is_any6(const struct sockaddr *addr)
{
    return addr->sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(&v6_of(addr)->sin6_addr);
}
