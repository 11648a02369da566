#include "handlers/proxy_preamble.h"

#include "base/ip_set.h"
#include "http/client_ip.h"
#include "io/proxy_header.h"

#include <netinet/in.h>

union any_address {
    struct sockaddr sa;
    struct sockaddr_in in;
    struct sockaddr_in6 in6;
};

/* Left as it is, of no family, if the host is no address. */
static void set_address(struct str host, uint16_t port, union any_address *out)
{
    struct ip ip;

    if (!ip_parse(host, &ip))
        return;
    if (ip.v6) {
        out->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons(port)};
        memcpy(&out->in6.sin6_addr, ip.bytes, sizeof ip.bytes);
    } else {
        out->in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port)};
        memcpy(&out->in.sin_addr, ip.bytes + 12, 4);
    }
}

static struct str format(struct arena *a, unsigned version, const union any_address *from,
                         const union any_address *to)
{
    uint8_t *out = (uint8_t *)arena_bytes(a, PROXY_HEADER_ROOM);

    return (struct str){(char *)out, proxy_header_format(version, &from->sa, &to->sa, out)};
}

struct str proxy_preamble_of(struct exchange *ex, unsigned version)
{
    union any_address from = {.sa = {0}}, to = {.sa = {0}};
    const struct str client = client_ip(ex);

    if (version == 0)
        return (struct str){NULL, 0};
    set_address(client, str_eq(client, ex->remote_host) ? ex->remote_port : 0, &from);
    if (ex->engine->local_host != NULL)
        set_address(ex->engine->local_host(ex), ex->local_port, &to);
    if (to.sa.sa_family != from.sa.sa_family) /* both are of one: the client's counts */
        to = (union any_address){.sa.sa_family = from.sa.sa_family};
    return format(ex->arena, version, &from, &to);
}

struct str proxy_preamble_own(struct arena *a, unsigned version)
{
    const union any_address none = {.sa = {0}};

    return version == 0 ? (struct str){NULL, 0} : format(a, version, &none, &none);
}
