#include "handlers/network.h"

#include <arpa/inet.h>

struct str network_of(struct str address, uint64_t prefix, struct in6_addr *out)
{
    char text[INET6_ADDRSTRLEN];

    if (address.len >= sizeof text || str_chr(address, ':') == address.len)
        return address;
    memcpy(mempcpy(text, address.p, address.len), "", 1);
    if (inet_pton(AF_INET6, text, out) != 1)
        return address;
    for (size_t i = 0; i < sizeof out->s6_addr; i++) {
        uint64_t bits = prefix > 8 * i ? prefix - 8 * i : 0;

        if (bits < 8)
            out->s6_addr[i] &= (uint8_t)(0xff00u >> bits);
    }
    return (struct str){(const char *)out->s6_addr, sizeof out->s6_addr};
}
