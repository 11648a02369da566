/* "dynamic": upstreams that DNS tells. Each worker has its own list, renewed in the background: a
 * request waits for DNS only where nothing is known yet, or what is known is older than twice the
 * interval. While DNS does not answer, what was known serves on. */
#ifndef LINTEL_HANDLERS_DYNAMIC_H
#define LINTEL_HANDLERS_DYNAMIC_H

#include "base/list.h"
#include "conf/directive.h"
#include "handlers/upstream.h"
#include "handlers/upstream_state.h"
#include "io/dns_ask.h"

enum { DYNAMIC_SOURCES_MAX = 16, DYNAMIC_UPSTREAMS_MAX = 256 };

/* One name that is looked up. */
struct dynamic_source {
    enum { DYNAMIC_A, DYNAMIC_SRV } kind;
    const char *name;
    unsigned port; /* of DYNAMIC_A */
    uint64_t refresh_ms;
    uint64_t grace_ms; /* what is old serves for so long; 0: until there is something new */
    struct dns_servers servers; /* n 0: the system's */
    bool ipv4, ipv6;
};

struct dynamic_conf {
    size_t n; /* 0: there are none */
    struct dynamic_source sources[DYNAMIC_SOURCES_MAX];
};

/* The set function: "dynamic a|srv|multi ..." into *out. */
int dynamic_set(const struct directive_args *d, struct dynamic_conf *out);

/* Of "resolvers": addresses of DNS servers. -1 after directive_error(). */
MUST_CHECK int dynamic_add_servers(const struct directive_args *d, const struct token *words,
                                   size_t n, struct dns_servers *to);

/* ---- at run time ---- */

/* What a request chooses from. A reference keeps it as it is. */
struct upstream_list {
    unsigned refs;
    struct arena *arena; /* NULL: the upstreams of the configuration, which are there in any case */
    struct upstream_states *all;
    size_t n;
    const struct upstream *upstreams;
    struct upstream_state **states;
    struct complaints *complaints;
};

/* The list of what the configuration names. */
struct upstream_list *upstream_list_new(const struct upstream *upstreams, size_t n,
                                        struct upstream_states *all);
void upstream_list_unref(struct upstream_list *l); /* NULL is fine */

struct dynamic;
struct loop;
struct mailbox;
struct offload;

struct dynamic_params {
    const struct dynamic_conf *conf;
    const struct upstream_how *how;
    struct upstream_states *all;
    struct loop *loop;
    struct offload *offload; /* where names are looked up */
    struct mailbox *home;
};

struct dynamic *dynamic_new(const struct dynamic_params *p);
void dynamic_free(struct dynamic *d); /* nobody waits; NULL is fine */

/* Who waits for the first answers; embedded. */
struct dynamic_wait {
    struct list item;
    void (*on_list)(struct dynamic_wait *w, struct upstream_list *l); /* with a reference */
};

void dynamic_wait_init(struct dynamic_wait *w,
                       void (*on_list)(struct dynamic_wait *w, struct upstream_list *l));
void dynamic_wait_cancel(struct dynamic_wait *w);

/* The list at the moment, perhaps an empty one, with a reference; what is due is looked up
 * meanwhile. NULL: nothing is known yet, and w, unless it is NULL, will be told. */
struct upstream_list *dynamic_get(struct dynamic *d, struct dynamic_wait *w);

#endif
