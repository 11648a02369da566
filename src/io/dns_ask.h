/* Questions to DNS servers, asked and waited for: in a helper thread only (io/offload.h). */
#ifndef LINTEL_IO_DNS_ASK_H
#define LINTEL_IO_DNS_ASK_H

#include "base/err.h"
#include "io/dns.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <sys/socket.h>

enum { DNS_SERVERS_MAX = 3 };

struct dns_server {
    struct sockaddr_storage address;
    socklen_t len;
};

struct dns_servers {
    unsigned n; /* 0: those of /etc/resolv.conf */
    struct dns_server list[DNS_SERVERS_MAX];
    unsigned timeout_ms; /* for one server's answer */
};

/* Reads "192.0.2.1", "192.0.2.1:53", "2001:db8::1", "[2001:db8::1]:53" or "fe80::1%eth0". */
MUST_CHECK int dns_server_parse(struct str text, struct dns_server *out, struct err *e);

/* The first of the "nameserver ADDRESS" lines of resolv.conf(5); without any, the server is on this
 * machine. */
void dns_servers_read(struct str text, struct dns_servers *out);

bool dns_servers_same(const struct dns_servers *a, const struct dns_servers *b);

/* Asks one server after the other, twice, by UDP and, for what does not fit, by TCP; each time with
 * an id and from a port that nobody can foresee. Appends the records. Returns 0, also if there are
 * none, or -1 with *e set. Blocks, but not for long once another thread has set *given_up. */
MUST_CHECK int dns_ask(const struct dns_servers *servers, struct str name, enum dns_type type,
                       const atomic_bool *given_up, struct dns_records *out, struct err *e);

#endif
