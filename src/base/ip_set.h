/* IP addresses, and sets of ranges of them. A set is built at load, then never written. */
#ifndef LINTEL_BASE_IP_SET_H
#define LINTEL_BASE_IP_SET_H

#include "base/arena.h"
#include "base/err.h"

#include <sys/socket.h>

struct ip {
    bool v6; /* else only the last four bytes count; an IPv4-mapped address is IPv4 */
    unsigned char bytes[16];
};

/* "192.0.2.1", "2001:db8::1"; no zone, no brackets. */
bool ip_parse(struct str s, struct ip *out);

/* False: no address of the Internet families. */
bool ip_of_sockaddr(const struct sockaddr *sa, struct ip *out);

struct str ip_format(struct arena *a, const struct ip *ip);

struct ip_range {
    struct ip first, last;
};

struct ip_set {
    struct ip_range *list; /* sorted and apart, after ip_set_finish() */
    size_t n, cap;
    size_t n_finished; /* sorted and apart already */
};

/* Adds an address, a range "192.0.2.0/24", or what "private_ranges" stands for. The set grows in a.
 * ERR_SYNTAX for anything else. */
MUST_CHECK int ip_set_add(struct ip_set *s, struct arena *a, struct str range, struct err *e);

/* To be called when all are added (more may be added later, then again). */
void ip_set_finish(struct ip_set *s);

bool ip_set_has(const struct ip_set *s, const struct ip *ip);

#endif
