/* Names to addresses, without blocking: getaddrinfo() in a helper thread, or a question to certain
 * DNS servers, and what is answered kept for a while. One resolver per loop.
 *
 * What is known of a name is fresh for ten seconds. Then it is asked for again in the background,
 * and what was known serves meanwhile, for five minutes at most: so that nobody waits for a
 * refresh, and changes are followed. A failure is kept for a second, and does not displace
 * addresses that can still serve. Addresses written as numbers and the names below "localhost" (RFC
 * 6761 6.3) need no asking. */
#ifndef LINTEL_IO_RESOLVE_H
#define LINTEL_IO_RESOLVE_H

#include "base/list.h"
#include "base/str.h"
#include "io/offload.h"

#include <sys/socket.h>

enum {
    ADDRESSES_MAX = 16,      /* of a name: more are passed over */
    RESOLVE_NAMES_MAX = 1024 /* that are kept */
};

struct address {
    sa_family_t family; /* AF_INET or AF_INET6 */
    unsigned char bytes[16];
};

struct addresses {
    struct address list[ADDRESSES_MAX]; /* in the order in which they should be tried */
    unsigned n;                         /* 0: there are none */
    bool stale;                         /* being asked for again */
};

struct resolver;
struct dns_servers; /* io/dns_ask.h */

/* Who waits for a name; embedded. */
struct lookup {
    struct list item;
    /* Called once, from the loop: addresses until it returns, or NULL and why not in plain words.
     */
    void (*on_resolved)(struct lookup *lk, const struct addresses *a, const char *why);
};

/* o and home: where getaddrinfo() runs, and where its answers come to. */
struct resolver *resolver_new(struct loop *l, struct offload *o, struct mailbox *home);

/* Nobody may wait any more. What is still being asked comes home to nobody. */
void resolver_free(struct resolver *r);

/* servers: of which the name is asked for; NULL: as the system has it, with /etc/hosts and all.
 * What is known of the name, which may be an address, also one in brackets: true, and *a its
 * addresses (a copy), of which none means that the name has none, *why. False: lk will be told.
 * fresh: do not make do with what is stale. */
bool resolver_get(struct resolver *r, const struct dns_servers *servers, struct str name,
                  bool fresh, struct addresses *a, const char **why, struct lookup *lk);

/* It shall not be told. No harm if it did not wait, once it is initialised. */
void lookup_init(struct lookup *lk,
                 void (*on_resolved)(struct lookup *lk, const struct addresses *a,
                                     const char *why));
void lookup_cancel(struct lookup *lk);

#endif
