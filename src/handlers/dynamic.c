#include "handlers/dynamic.h"

#include "base/alloc.h"
#include "base/log.h"
#include "handlers/proxied.h"
#include "io/loop.h"
#include "io/offload.h"

#include <netdb.h>
#include <stdlib.h>

enum { AGAIN_MS = 1000 }; /* after a failure */

struct asking;

/* What is known of one source. */
struct known {
    struct asking *asking;       /* NULL: nobody asks */
    struct dns_records *records; /* NULL: none yet */
    uint64_t since_ms;           /* when they came */
    uint64_t failed_ms;          /* 0: not since then */
};

struct dynamic {
    struct dynamic_params params;
    struct list waiting;
    struct upstream_list *list; /* NULL: to be made */
    struct known known[DYNAMIC_SOURCES_MAX];
};

/* A lookup, on its way to a helper thread and back; it owns what that thread touches. */
struct asking {
    struct offload_job job;
    struct dynamic *of;   /* NULL: nobody wants to know any more... */
    atomic_bool given_up; /* ...which the helper thread sees */
    size_t index;
    struct dynamic_source source;
    struct dns_records *records;
    bool failed;
    struct err e;
    char name[];
};

/* ---- lists ---- */

struct upstream_list *upstream_list_new(const struct upstream *upstreams, size_t n,
                                        struct upstream_states *all)
{
    struct upstream_list *l = xalloc(sizeof *l);

    *l = (struct upstream_list){.refs = 1, .all = all, .n = n, .upstreams = upstreams};
    l->states = xalloc((n + 1) * sizeof(struct upstream_state *));
    l->complaints = xalloc((n + 1) * sizeof *l->complaints);
    for (size_t i = 0; i < n; i++)
        l->states[i] = &all->list[i];
    return l;
}

void upstream_list_unref(struct upstream_list *l)
{
    if (l == NULL || --l->refs > 0)
        return;
    for (size_t i = 0; i < l->n && l->arena != NULL; i++)
        upstream_states_drop(l->all, l->states[i]);
    free(l->states);
    free(l->complaints);
    arena_free(l->arena);
    free(l);
}

static struct str address_of(struct arena *a, const struct dynamic_source *s,
                             const struct dns_record *r)
{
    if (s->kind == DYNAMIC_SRV)
        return arena_printf(a, "%s:%u", r->target, r->port);
    return arena_printf(a, strchr(r->target, ':') != NULL ? "[%s]:%u" : "%s:%u", r->target,
                        s->port);
}

static void add_source(struct dynamic *d, size_t index, struct arena *a, struct upstream *list,
                       size_t *n)
{
    const struct dynamic_source *s = &d->params.conf->sources[index];
    const struct dns_records *records = d->known[index].records;

    for (unsigned i = 0; records != NULL && i < records->n && *n < DYNAMIC_UPSTREAMS_MAX; i++) {
        struct str address = address_of(a, s, &records->list[i]);
        struct err e;

        if (upstream_parse(a, address, d->params.how, &list[*n], &e) != 0) {
            log_warn("proxy", "%s: %s", s->name, e.msg);
            continue;
        }
        list[*n].priority = records->list[i].priority;
        list[*n].weight = s->kind == DYNAMIC_SRV ? records->list[i].weight : 1;
        if (s->kind == DYNAMIC_A)
            upstream_found_as(a, str_of(s->name), &list[*n]);
        ++*n;
    }
}

static void make_list(struct dynamic *d)
{
    struct arena *a = arena_new();
    struct upstream *upstreams = arena_alloc(a, DYNAMIC_UPSTREAMS_MAX * sizeof *upstreams);
    size_t n = 0;

    for (size_t i = 0; i < d->params.conf->n; i++)
        add_source(d, i, a, upstreams, &n);
    d->list = upstream_list_new(upstreams, 0, d->params.all);
    free(d->list->states);
    free(d->list->complaints);
    d->list->states = xalloc((n + 1) * sizeof(struct upstream_state *));
    d->list->complaints = xalloc((n + 1) * sizeof *d->list->complaints);
    d->list->arena = a;
    d->list->n = n;
    for (size_t i = 0; i < n; i++)
        d->list->states[i] = upstream_states_find(d->params.all, upstreams[i].names.address);
}

/* ---- in a helper thread ---- */

static void ask_system(struct asking *q)
{
    const int family = !q->source.ipv6 ? AF_INET : !q->source.ipv4 ? AF_INET6 : AF_UNSPEC;
    const struct addrinfo hints = {.ai_family = family, .ai_socktype = SOCK_STREAM};
    struct addrinfo *all = NULL;
    int rc = getaddrinfo(q->name, NULL, &hints, &all);

    if (rc != 0) {
        q->failed = true;
        err_set(&q->e, ERR_NOT_FOUND, "%s", gai_strerror(rc));
        return;
    }
    for (const struct addrinfo *at = all; at != NULL && q->records->n < DNS_RECORDS_MAX;
         at = at->ai_next)
        if (getnameinfo(at->ai_addr, at->ai_addrlen, q->records->list[q->records->n].target,
                        DNS_TEXT_MAX, NULL, 0, NI_NUMERICHOST) == 0)
            q->records->n++;
    freeaddrinfo(all);
}

static void ask_servers(struct asking *q)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};
    const bool wanted[] = {q->source.ipv4, q->source.ipv6};
    bool answered = false;

    for (size_t i = 0; i < ARRAY_LEN(types); i++)
        if (wanted[i] && dns_ask(&q->source.servers, str_of(q->name), types[i], &q->given_up,
                                 q->records, &q->e) == 0)
            answered = true;
    q->failed = !answered;
}

static void run(struct offload_job *j)
{
    struct asking *q = container_of(j, struct asking, job);

    if (q->source.kind == DYNAMIC_SRV)
        q->failed = dns_ask(&q->source.servers, str_of(q->name), DNS_SRV, &q->given_up, q->records,
                            &q->e) != 0;
    else if (q->source.servers.n == 0)
        ask_system(q);
    else
        ask_servers(q);
    if (!q->failed && q->records->n == 0) {
        q->failed = true;
        err_set(&q->e, ERR_NOT_FOUND, "the name has no such records");
    }
}

/* ---- back in the worker ---- */

static void asking_free(struct asking *q)
{
    free(q->records);
    free(q);
}

static void forget(struct dynamic *d)
{
    upstream_list_unref(d->list);
    d->list = NULL;
}

/* A worker that had nothing to do for long waits for what is new, unless it cannot be had. */
static bool is_old(const struct dynamic *d, size_t index)
{
    const struct known *k = &d->known[index];

    return k->asking != NULL && loop_now_ms(d->params.loop) - k->since_ms >=
                                    2 * d->params.conf->sources[index].refresh_ms;
}

static bool is_known(const struct dynamic *d)
{
    for (size_t i = 0; i < d->params.conf->n; i++)
        if (d->known[i].failed_ms == 0 && (d->known[i].records == NULL || is_old(d, i)))
            return false;
    return true;
}

static struct upstream_list *get_list(struct dynamic *d)
{
    if (d->list == NULL)
        make_list(d);
    d->list->refs++;
    return d->list;
}

static void tell(struct dynamic *d)
{
    while (is_known(d) && !list_empty(&d->waiting)) {
        struct dynamic_wait *w = container_of(d->waiting.next, struct dynamic_wait, item);

        list_del(&w->item);
        w->on_list(w, get_list(d));
    }
}

static void note_failure(struct dynamic *d, struct known *k, const struct asking *q)
{
    if (k->failed_ms == 0)
        log_warn("proxy", "upstreams of %s: %s%s", q->name, q->e.msg,
                 k->records != NULL ? "; those that were known serve on" : "");
    k->failed_ms = loop_now_ms(d->params.loop);
}

static void done(struct offload_job *j)
{
    struct asking *q = container_of(j, struct asking, job);
    struct dynamic *d = q->of;

    if (d != NULL) {
        struct known *k = &d->known[q->index];

        k->asking = NULL;
        if (q->failed) {
            note_failure(d, k, q);
        } else {
            free(k->records);
            k->records = q->records;
            q->records = NULL;
            k->since_ms = loop_now_ms(d->params.loop);
            k->failed_ms = 0;
            forget(d);
        }
        tell(d);
    }
    asking_free(q);
}

static void ask(struct dynamic *d, size_t index)
{
    const struct dynamic_source *s = &d->params.conf->sources[index];
    struct known *k = &d->known[index];
    size_t len = strlen(s->name);
    struct asking *q = xalloc(sizeof *q + len + 1);

    q->job.run = run;
    q->job.done = done;
    q->of = d;
    q->index = index;
    q->source = *s;
    q->records = xalloc(sizeof *q->records);
    memcpy(q->name, s->name, len);
    if (offload_start(d->params.offload, d->params.home, &q->job)) {
        k->asking = q;
        return;
    }
    err_set(&q->e, ERR_LIMIT, "too many names are being looked up");
    note_failure(d, k, q);
    asking_free(q);
}

/* ---- the interface ---- */

/* What has served for too long serves no more. */
static void expire(struct dynamic *d, size_t index, uint64_t now)
{
    const struct dynamic_source *s = &d->params.conf->sources[index];
    struct known *k = &d->known[index];

    if (s->grace_ms == 0 || k->records == NULL || k->failed_ms == 0 ||
        now - k->since_ms < s->refresh_ms + s->grace_ms)
        return;
    log_warn("proxy", "upstreams of %s: those that were known serve no more", s->name);
    free(k->records);
    k->records = NULL;
    forget(d);
}

static void look(struct dynamic *d, size_t index)
{
    const uint64_t now = loop_now_ms(d->params.loop);
    const struct known *k = &d->known[index];

    expire(d, index, now);
    if (k->asking != NULL || (k->failed_ms != 0 && now - k->failed_ms < AGAIN_MS))
        return;
    if (k->records == NULL || now - k->since_ms >= d->params.conf->sources[index].refresh_ms)
        ask(d, index);
}

struct upstream_list *dynamic_get(struct dynamic *d, struct dynamic_wait *w)
{
    for (size_t i = 0; i < d->params.conf->n; i++)
        look(d, i);
    if (!is_known(d)) {
        if (w != NULL)
            list_add_tail(&d->waiting, &w->item);
        return NULL;
    }
    return get_list(d);
}

void dynamic_wait_init(struct dynamic_wait *w,
                       void (*on_list)(struct dynamic_wait *w, struct upstream_list *l))
{
    list_init(&w->item);
    w->on_list = on_list;
}

void dynamic_wait_cancel(struct dynamic_wait *w)
{
    list_del(&w->item);
}

struct dynamic *dynamic_new(const struct dynamic_params *p)
{
    struct dynamic *d = xalloc(sizeof *d);

    d->params = *p;
    list_init(&d->waiting);
    return d;
}

void dynamic_free(struct dynamic *d)
{
    if (d == NULL)
        return;
    for (size_t i = 0; i < d->params.conf->n; i++) {
        struct asking *q = d->known[i].asking;

        free(d->known[i].records);
        if (q == NULL)
            continue;
        q->of = NULL;
        atomic_store_explicit(&q->given_up, true, memory_order_relaxed);
        if (offload_cancel(d->params.offload, &q->job))
            asking_free(q);
    }
    forget(d);
    free(d);
}
