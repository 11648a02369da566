/* Socket addresses as people write them. */
#ifndef LINTEL_SERVER_NET_TEXT_H
#define LINTEL_SERVER_NET_TEXT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <sys/socket.h>

enum { NET_TEXT_MAX = INET6_ADDRSTRLEN + sizeof "[]:65535" };

/* "192.0.2.1" or "2001:db8::1", an IPv4 address mapped into IPv6 as IPv4; "" for other families. */
void net_host(const struct sockaddr *addr, char out[NET_TEXT_MAX]);

/* The same with the port: "192.0.2.1:80", "[2001:db8::1]:80". */
void net_text(const struct sockaddr *addr, char out[NET_TEXT_MAX]);

/* Of an IPv4 or IPv6 address; else 0. */
in_port_t net_port(const struct sockaddr *addr);

/* Whether this is IPv6's "any address", which stands for both families. */
bool net_is_any6(const struct sockaddr *addr);

#endif
