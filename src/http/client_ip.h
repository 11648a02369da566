/* Whose request it is: the peer's, or that of a client whom a trusted proxy tells of. */
#ifndef LINTEL_HTTP_CLIENT_IP_H
#define LINTEL_HTTP_CLIENT_IP_H

#include "http/exchange.h"

/* Sets ex->client_ip and ex->trusted_peer by the options trusted_proxies, trusted_proxies_strict
 * and client_ip_headers. The peer and the fields of the request are there. */
void client_ip_find(struct exchange *ex, const struct options *o);

/* The client's address as text: the peer's for a request that was refused before anybody looked. */
static inline struct str client_ip(const struct exchange *ex)
{
    return ex->client_ip.len > 0 ? ex->client_ip : ex->remote_host;
}

#endif
