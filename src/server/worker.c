#include "server/worker.h"

#include "base/alloc.h"
#include "base/log.h"
#include "engines/acme_alpn.h"
#include "engines/h1_mhd.h"
#include "handlers/browse_cache.h"
#include "handlers/encode_pool.h"
#include "io/direct.h"
#include "io/fetch.h"
#include "server/acceptor.h"
#include "server/front_door.h"
#include "server/limits.h"
#include "server/log_hub.h"
#include "server/places.h"
#include "server/proxy_door.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    CHALLENGES_MAX = 64,    /* tls-alpn-01 handshakes at once */
    IDLE_UPSTREAMS = 64,    /* connections of libcurl's kept open for reuse */
    DIRECT_IDLE = 512,      /* those to upstreams that are spoken to directly... */
    DIRECT_IDLE_EACH = 256, /* ...and to any one of them */
    REST_LOOK_MS = 10000,   /* how often one with connections looks whether a rush is over */
    RUSH = 32,              /* connections at once, at least... */
    RUSH_OVER = 4,          /* ...of which no more than a fourth is left */
    DRAIN_LOOK_MS = 20      /* how often a draining worker looks whether all have gone */
};

/* A configuration that is ready and waits for the word. */
struct candidate {
    struct conf *conf;
    struct service *service;
    int *fds;
};

struct worker {
    struct worker_params params;
    pthread_t thread;
    struct loop *loop;
    struct mailbox box;
    struct fetcher *fetcher;
    struct resolver *resolver;
    struct direct *direct;
    struct file_cache *files;
    struct file_cache_stats file_stats; /* read by the main thread too */
    struct browse_cache *lists;
    struct coder_pool *coders;
    struct h1_engine *plain;
    struct h1_engine *tls;
    struct acme_alpn *acme;
    struct front_door *door;
    struct proxy_door *proxy_door;
    struct places places;
    struct acceptor *acceptor;
    struct log_spool *spool;
    struct tls_tickets *tickets;

    struct conf *conf;       /* NULL before the first */
    struct service *service; /* of conf */
    struct cert_set *certs;  /* NULL before the first */
    struct candidate candidate;

    bool ended; /* the thread has gone, and all its parts with it */
    bool draining;
    uint64_t drain_until_ms;
    struct timer drain;
    unsigned cut;

    unsigned most; /* connections at once, since memory was last given back */
    struct timer rest;
};

/* ---- reports ---- */

static void deliver_report(struct mail *m, void *owner)
{
    struct worker_report *r = container_of(m, struct worker_report, mail);

    r->worker->params.on_report(owner, r);
    free(r);
}

static void report(struct worker *w, const struct worker_report *what)
{
    struct worker_report *r = xalloc(sizeof *r);

    *r = *what;
    r->mail.deliver = deliver_report;
    r->worker = w;
    r->index = w->params.index;
    mailbox_post(w->params.home, &r->mail);
}

/* ---- taking up a configuration ---- */

static void close_all(const int *fds, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (fds[i] != -1)
            close(fds[i]);
}

static void candidate_clear(struct worker *w)
{
    struct candidate *c = &w->candidate;

    free(c->fds);
    service_unref(c->service);
    conf_unref(c->conf);
    *c = (struct candidate){0};
}

static void prepare(struct worker *w, struct conf *conf, int *fds)
{
    const struct worker_env env = {.worker = w->params.index,
                                   .n_workers = w->params.n_workers,
                                   .loop = w->loop,
                                   .fetcher = w->fetcher,
                                   .direct = w->direct,
                                   .files = w->files,
                                   .lists = w->lists,
                                   .coders = w->coders,
                                   .conf = conf,
                                   .shared = w->params.shared,
                                   .offload = w->params.offload,
                                   .names = w->params.names,
                                   .home = &w->box};
    struct worker_report r = {.news = WORKER_PREPARED};
    struct access_log *al = log_spool_access_log(w->spool);

    w->candidate = (struct candidate){conf, service_new(conf, &env, al, &r.err), fds};
    if (w->candidate.service == NULL) {
        close_all(fds, conf->n_listeners);
        candidate_clear(w);
    } else {
        r.err.code = ERR_NONE;
    }
    report(w, &r);
}

static void abandon(struct worker *w)
{
    if (w->candidate.conf == NULL)
        return;
    close_all(w->candidate.fds, w->candidate.conf->n_listeners);
    candidate_clear(w);
}

static void set_connections(struct worker *w)
{
    const struct worker_params *p = &w->params;
    unsigned n = limits_connections(p->descriptors, p->n_workers, w->conf->options.max_connections);
    unsigned pending = limits_pending(n, p->n_workers);

    places_set_max(&w->places, n);
    front_door_set_conf(w->door, w->conf, pending);
    proxy_door_set_conf(w->proxy_door, w->conf, pending);
}

/* What is queued at listeners that go away is still served as it was configured, so it is taken
 * before the engines change over. */
static void commit(struct worker *w)
{
    struct candidate *c = &w->candidate;
    struct service *old_service = w->service;
    struct conf *old_conf = w->conf;

    acceptor_retire(w->acceptor, c->conf);
    file_cache_set_limits(w->files, &c->conf->options.file_cache);
    w->conf = c->conf;
    w->service = c->service;
    service_set_certs(w->service, w->certs);
    h1_engine_set_service(w->plain, w->service);
    h1_engine_set_service(w->tls, w->service);
    set_connections(w);
    acceptor_set(w->acceptor, w->conf, c->fds);
    free(c->fds);
    *c = (struct candidate){0};
    if (old_service != NULL)
        service_retire(old_service);
    service_unref(old_service);
    conf_unref(old_conf);
    report(w, &(struct worker_report){.news = WORKER_COMMITTED});
}

/* ---- connections ---- */

static unsigned connections(const struct worker *w)
{
    return h1_engine_connections(w->plain) + h1_engine_connections(w->tls);
}

/* Much was needed for a while, and is not any more: it takes milliseconds to give it back. */
static void on_rest(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, rest);
    unsigned n = connections(w);

    if (w->most >= RUSH && n <= w->most / RUSH_OVER) {
        h1_engine_rest(w->plain);
        h1_engine_rest(w->tls);
        alloc_trim();
        w->most = n;
    }
    if (n > 0)
        timer_set(w->loop, t, REST_LOOK_MS);
}

static void note_connections(struct worker *w)
{
    unsigned n = connections(w);

    if (n > w->most)
        w->most = n;
    if (w->rest.slot == 0)
        timer_set(w->loop, &w->rest, REST_LOOK_MS);
}

static void on_client(void *arg, int fd, const struct sockaddr *peer, socklen_t peer_len,
                      const struct listener_conf *listener)
{
    struct worker *w = arg;

    if (listener->tls)
        front_door_add(w->door, fd, peer, peer_len, listener);
    else if (places_take(&w->places))
        h1_engine_add(w->plain, fd, peer, peer_len, listener, NULL);
    else
        places_refuse(&w->places, fd);
}

static void on_accepted(void *arg, int fd, const struct sockaddr *peer, socklen_t peer_len,
                        const struct listener_conf *listener)
{
    struct worker *w = arg;

    if (w->conf->options.proxy.on)
        proxy_door_add(w->proxy_door, fd, peer, peer_len, listener);
    else
        on_client(w, fd, peer, peer_len, listener);
    note_connections(w);
}

static void on_no_place(void *arg)
{
    report(arg, &(struct worker_report){.news = WORKER_CROWDED});
}

/* ---- the end ---- */

static void on_drain(struct timer *t)
{
    struct worker *w = container_of(t, struct worker, drain);

    w->cut = connections(w);
    if (w->cut == 0 || loop_now_ms(w->loop) >= w->drain_until_ms)
        loop_stop(w->loop);
    else
        timer_set(w->loop, t, DRAIN_LOOK_MS);
}

static void drain(struct worker *w, uint64_t grace_ms)
{
    uint64_t until = loop_now_ms(w->loop) + grace_ms;

    if (!w->draining) {
        w->draining = true;
        w->drain_until_ms = until;
        abandon(w);
        acceptor_stop(w->acceptor);
        h1_engine_drain(w->plain);
        h1_engine_drain(w->tls);
    }
    if (until < w->drain_until_ms)
        w->drain_until_ms = until;
    timer_set(w->loop, &w->drain, 0);
}

/* Frees what belongs to the thread, from the outside in. Safe on a worker that is half made. */
static void shut(struct worker *w)
{
    timer_cancel(w->loop, &w->drain);
    timer_cancel(w->loop, &w->rest);
    abandon(w);
    acceptor_free(w->acceptor);
    proxy_door_free(w->proxy_door);
    front_door_free(w->door);
    acme_alpn_free(w->acme);
    places_fini(&w->places);
    h1_engine_free(w->tls);
    h1_engine_free(w->plain);
    service_unref(w->service);
    conf_unref(w->conf);
    cert_set_unref(w->certs);
    tls_tickets_unref(w->tickets);
    log_spool_free(w->spool);
    coder_pool_free(w->coders);
    browse_cache_free(w->lists);
    file_cache_free(w->files);
    direct_free(w->direct);
    resolver_free(w->resolver);
    fetcher_free(w->fetcher);
}

static void *run(void *arg)
{
    struct worker *w = arg;
    char name[16];
    struct err e;

    snprintf(name, sizeof name, "worker-%u", w->params.index);
    pthread_setname_np(pthread_self(), name);
    if (loop_run(w->loop, &e) != 0)
        log_error("server", "worker %u: %s", w->params.index, e.msg);
    shut(w);
    report(w, &(struct worker_report){.news = WORKER_ENDED});
    return NULL;
}

/* ---- making one ---- */

static struct h1_engine *engine_new(struct worker *w, bool tls, struct err *e)
{
    const struct h1_params p = {.loop = w->loop,
                                .tls = tls,
                                .tickets = tls ? w->tickets : NULL,
                                .places = w->params.connections,
                                .max_header_size = w->params.max_header_size};

    return h1_engine_new(&p, e);
}

static int open_parts(struct worker *w, struct err *e)
{
    const struct direct_limits idle = {.idle_max = DIRECT_IDLE,
                                       .idle_max_per_upstream = DIRECT_IDLE_EACH};
    struct front_door_params door = {.loop = w->loop, .places = &w->places};

    if ((w->fetcher = fetcher_new(w->loop, IDLE_UPSTREAMS, e)) == NULL ||
        (w->plain = engine_new(w, false, e)) == NULL || (w->tls = engine_new(w, true, e)) == NULL ||
        (w->acme = acme_alpn_new(w->loop, CHALLENGES_MAX, e)) == NULL ||
        (w->acceptor = acceptor_new(w->loop, on_accepted, w, e)) == NULL)
        return -1;
    w->resolver = resolver_new(w->loop, w->params.names, &w->box);
    w->direct = direct_new(w->loop, w->resolver, &idle);
    w->files = file_cache_new(w->loop, &w->file_stats);
    w->lists = browse_cache_new(w->loop, w->params.offload, &w->box);
    w->coders = coder_pool_new(w->loop);
    w->places.engines[0] = w->plain;
    w->places.engines[1] = w->tls;
    door.http1 = w->tls;
    door.acme = w->acme;
    w->door = front_door_new(&door);
    w->proxy_door = proxy_door_new(w->loop, on_client, w);
    return 0;
}

static void destroy(struct worker *w)
{
    mailbox_fini(&w->box);
    loop_free(w->loop);
    free(w);
}

struct worker *worker_start(const struct worker_params *p, struct err *e)
{
    struct worker *w = xalloc(sizeof *w);
    int rc;

    w->params = *p;
    w->drain.on_timer = on_drain;
    w->rest.on_timer = on_rest;
    w->loop = loop_new(e);
    if (w->loop == NULL || mailbox_init(&w->box, w->loop, w, e) != 0) {
        loop_free(w->loop);
        free(w);
        return NULL;
    }
    w->places = (struct places){.loop = w->loop, .all = p->connections};
    if (p->n_workers > 1)
        w->places.on_none = on_no_place;
    w->places.arg = w;
    places_init(&w->places);
    w->tickets = tls_tickets_ref(p->tickets);
    w->spool = log_spool_new(p->hub, w->loop);
    if (open_parts(w, e) == 0) {
        rc = pthread_create(&w->thread, NULL, run, w);
        if (rc == 0)
            return w;
        err_set(e, ERR_IO, "a thread cannot be started: %s", strerror(rc));
    }
    shut(w);
    destroy(w);
    return NULL;
}

const struct file_cache_stats *worker_file_stats(const struct worker *w)
{
    return &w->file_stats;
}

unsigned worker_join(struct worker *w)
{
    unsigned cut;

    pthread_join(w->thread, NULL);
    cut = w->cut;
    /* Orders that came too late would find nothing left to do them with. */
    w->ended = true;
    offload_wait(w->params.offload, &w->box);
    offload_wait(w->params.names, &w->box);
    destroy(w);
    return cut;
}

/* ---- orders ---- */

struct order {
    struct mail mail;
    void (*run)(struct worker *w, struct order *o);
    struct conf *conf;
    int *fds;
    struct cert_set *certs;
    struct tls_tickets *tickets;
    uint64_t grace_ms;
};

static void order_free(struct order *o)
{
    if (o->conf != NULL)
        close_all(o->fds, o->conf->n_listeners);
    free(o->fds);
    conf_unref(o->conf);
    cert_set_unref(o->certs);
    tls_tickets_unref(o->tickets);
    free(o);
}

static void deliver_order(struct mail *m, void *owner)
{
    struct order *o = container_of(m, struct order, mail);
    struct worker *w = owner;

    if (!w->ended)
        o->run(w, o);
    order_free(o);
}

static struct order *order_new(void (*run_order)(struct worker *, struct order *))
{
    struct order *o = xalloc(sizeof *o);

    o->mail.deliver = deliver_order;
    o->run = run_order;
    return o;
}

static void run_prepare(struct worker *w, struct order *o)
{
    struct conf *conf = o->conf;
    int *fds = o->fds;

    o->conf = NULL;
    o->fds = NULL;
    prepare(w, conf, fds);
}

void worker_prepare(struct worker *w, struct conf *conf, const int *fds)
{
    struct order *o = order_new(run_prepare);
    size_t size = conf->n_listeners * sizeof *fds;

    o->conf = conf;
    o->fds = xalloc(size + 1);
    memcpy(o->fds, fds, size);
    mailbox_post(&w->box, &o->mail);
}

static void run_commit(struct worker *w, struct order *o)
{
    (void)o;
    if (w->candidate.conf != NULL)
        commit(w);
}

void worker_commit(struct worker *w)
{
    mailbox_post(&w->box, &order_new(run_commit)->mail);
}

static void run_abandon(struct worker *w, struct order *o)
{
    (void)o;
    abandon(w);
}

void worker_abandon(struct worker *w)
{
    mailbox_post(&w->box, &order_new(run_abandon)->mail);
}

static void run_set_certs(struct worker *w, struct order *o)
{
    struct cert_set *old = w->certs;

    w->certs = o->certs;
    o->certs = old;
    front_door_set_certs(w->door, w->certs);
    if (w->service != NULL)
        service_set_certs(w->service, w->certs);
    report(w, &(struct worker_report){.news = WORKER_CERTS, .number = cert_set_number(w->certs)});
}

void worker_set_certs(struct worker *w, struct cert_set *set)
{
    struct order *o = order_new(run_set_certs);

    o->certs = set;
    mailbox_post(&w->box, &o->mail);
}

static void run_set_tickets(struct worker *w, struct order *o)
{
    struct tls_tickets *old = w->tickets;

    w->tickets = o->tickets;
    o->tickets = old;
    h1_engine_set_tickets(w->tls, w->tickets);
}

void worker_set_tickets(struct worker *w, struct tls_tickets *tickets)
{
    struct order *o = order_new(run_set_tickets);

    o->tickets = tickets;
    mailbox_post(&w->box, &o->mail);
}

static void run_make_room(struct worker *w, struct order *o)
{
    (void)o;
    places_make(&w->places);
}

void worker_make_room(struct worker *w)
{
    mailbox_post(&w->box, &order_new(run_make_room)->mail);
}

static void run_drain(struct worker *w, struct order *o)
{
    drain(w, o->grace_ms);
}

void worker_drain(struct worker *w, uint64_t grace_ms)
{
    struct order *o = order_new(run_drain);

    o->grace_ms = grace_ms;
    mailbox_post(&w->box, &o->mail);
}
