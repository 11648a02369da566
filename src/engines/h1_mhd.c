#include "engines/h1_internal.h"

#include <gnutls/abstract.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    RUNS_A_TURN = 16,   /* of MHD, before the loop's other sources get theirs */
    SPARE_MAX = 64,     /* streams kept for use again */
    SURPLUS_MAX = 16,   /* connections at once that are taken in for a 503 */
    NO_LIMIT = 1 << 30, /* of MHD's own: who adds connections has taken places for them */
    /* Memory of MHD for one connection, beyond the largest request header: its records of the
     * fields, and the response's header. */
    POOL_EXTRA = 4 * 1024
};

/* ---- streams ---- */

struct h1_stream *h1_stream_take(struct h1_conn *c)
{
    struct h1_engine *en = c->en;
    struct h1_stream *st;
    struct arena *a;

    if (list_empty(&en->spare)) {
        st = xalloc(sizeof *st);
        a = arena_new();
    } else {
        st = container_of(en->spare.prev, struct h1_stream, item);
        list_del(&st->item);
        en->n_spare--;
        a = st->arena;
    }
    memset(st, 0, offsetof(struct h1_stream, ex));
    list_init(&st->item);
    st->conn = c;
    st->arena = a;
    c->stream = st;
    return st;
}

void h1_stream_give_back(struct h1_stream *st)
{
    struct h1_engine *en = st->conn->en;

    h1_hold_end(st);
    en->large_blocks -= st->large_block;
    st->conn->stream = NULL;
    free(st->body);
    if (en->n_spare == SPARE_MAX) {
        arena_free(st->arena);
        free(st);
        return;
    }
    arena_reset(st->arena);
    list_add_tail(&en->spare, &st->item);
    en->n_spare++;
}

static void streams_free(struct h1_engine *en)
{
    while (!list_empty(&en->spare)) {
        struct h1_stream *st = container_of(en->spare.next, struct h1_stream, item);

        list_del(&st->item);
        arena_free(st->arena);
        free(st);
    }
    en->n_spare = 0;
}

/* ---- running MHD ---- */

static bool has_more(struct h1_engine *en)
{
    MHD_UNSIGNED_LONG_LONG ms;

    return MHD_get_timeout(en->daemon, &ms) == MHD_YES && ms == 0;
}

static void run_mhd(struct h1_engine *en)
{
    unsigned runs = 0;
    bool more;

    en->idle = loop_is_idle(en->loop);
    do {
        MHD_run(en->daemon);
        more = has_more(en);
    } while (more && en->n_held == 0 && ++runs < RUNS_A_TURN && !loop_is_late(en->loop));
    en->spins = more && en->n_held == 0;
    if (more)
        timer_set(en->loop, &en->again, 0);
}

static void on_event(struct event_source *src, uint32_t events)
{
    (void)events;
    run_mhd(container_of(src, struct h1_engine, src));
}

static void on_task(struct task *t)
{
    run_mhd(container_of(t, struct h1_engine, run));
}

static void on_again(struct timer *t)
{
    run_mhd(container_of(t, struct h1_engine, again));
}

void h1_engine_wake(struct h1_engine *en)
{
    if (!en->stopping)
        loop_post(en->loop, &en->run);
}

/* ---- life ---- */

/* Targets are not unescaped in place; http/path.h does it. */
static size_t keep_escaped(void *cls, struct MHD_Connection *mhd, char *s)
{
    (void)cls;
    (void)mhd;
    return strlen(s);
}

/* Never asked: each session gets its own credentials in the STARTED hook. MHD only starts with one.
 */
static int no_certificate(gnutls_session_t session, const gnutls_datum_t *dn, int dn_len,
                          const gnutls_pk_algorithm_t *algos, int n_algos, gnutls_pcert_st **certs,
                          unsigned int *n_certs, gnutls_privkey_t *key)
{
    (void)session, (void)dn, (void)dn_len, (void)algos, (void)n_algos;
    (void)certs, (void)n_certs, (void)key;
    return -1;
}

/* MHD 1.0 has a parser that rejects by itself what h1_request.c otherwise has to find in its
 * buffer. The library's version counts, not the header's: both have the same soname. */
static bool mhd_is_strict(void)
{
    return MHD_get_version()[0] != '0';
}

/* Discipline level 1, and MHD_USE_NO_THREAD_SAFETY, which older headers do not know: one thread
 * does everything. */
enum { MHD_1_FLAGS = MHD_USE_PEDANTIC_CHECKS | 1 << 19 };

static struct MHD_Daemon *daemon_start(struct h1_engine *en)
{
    unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                     (en->tls ? 0 : MHD_ALLOW_UPGRADE) | (en->mhd_is_strict ? MHD_1_FLAGS : 0);
    struct MHD_OptionItem plain[] = {{MHD_OPTION_END, 0, NULL}};
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_CERT_CALLBACK, 0, (void *)(intptr_t)no_certificate},
        {MHD_OPTION_TLS_NO_ALPN, 1, NULL}, /* tls_session_setup() sets the list */
        {MHD_OPTION_END, 0, NULL}};

    return MHD_start_daemon(
        en->tls ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, h1_on_access, en,
        MHD_OPTION_URI_LOG_CALLBACK, h1_on_uri, en, MHD_OPTION_UNESCAPE_CALLBACK, keep_escaped, en,
        MHD_OPTION_NOTIFY_CONNECTION, h1_on_connection, en, MHD_OPTION_NOTIFY_COMPLETED,
        h1_on_completed, en, MHD_OPTION_CONNECTION_LIMIT, (unsigned)NO_LIMIT,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT, en->pool, MHD_OPTION_SIGPIPE_HANDLED_BY_APP,
        1, /* else it does not use sendfile() */
        MHD_OPTION_ARRAY, en->tls ? tls : plain, MHD_OPTION_END);
}

static int watch_daemon(struct h1_engine *en, struct err *e)
{
    const union MHD_DaemonInfo *info = MHD_get_daemon_info(en->daemon, MHD_DAEMON_INFO_EPOLL_FD);

    en->src = (struct event_source){info->epoll_fd, on_event};
    return loop_add(en->loop, &en->src, EPOLLIN, e);
}

struct h1_engine *h1_engine_new(const struct h1_params *p, struct err *e)
{
    struct h1_engine *en = xalloc(sizeof *en);

    en->loop = p->loop;
    en->tls = p->tls;
    en->tickets = p->tls ? tls_tickets_ref(p->tickets) : NULL;
    en->places = p->places;
    en->run.run = on_task;
    en->again.on_timer = on_again;
    list_init(&en->spare);
    h1_deadline_init(en);
    h1_linger_init(&en->linger, p->loop);
    en->mhd_is_strict = mhd_is_strict();
    en->pool = p->max_header_size + POOL_EXTRA;
    en->daemon = daemon_start(en);
    if (en->daemon == NULL)
        err_set(e, ERR_IO, "libmicrohttpd could not be started");
    else if (watch_daemon(en, e) == 0)
        return en;
    if (en->daemon != NULL)
        MHD_stop_daemon(en->daemon);
    tls_tickets_unref(en->tickets);
    free(en);
    return NULL;
}

static void kill_all(struct h1_engine *en)
{
    for (int p = 0; p < PHASE_DEAD; p++)
        while (!list_empty(&en->phases[p]))
            h1_conn_kill(container_of(en->phases[p].next, struct h1_conn, item));
    for (struct list *at = en->phases[PHASE_DEAD].next; at != &en->phases[PHASE_DEAD];
         at = at->next) {
        struct h1_conn *c = container_of(at, struct h1_conn, item);

        if (c->stream != NULL && c->stream->tunnel != NULL)
            h1_tunnel_close(c->stream);
    }
}

void h1_engine_free(struct h1_engine *en)
{
    if (en == NULL)
        return;
    en->stopping = true;
    kill_all(en); /* MHD insists on it for those that are suspended, or upgraded */
    loop_del(en->loop, &en->src);
    MHD_stop_daemon(en->daemon);
    h1_linger_fini(&en->linger);
    loop_unpost(en->loop, &en->run);
    timer_cancel(en->loop, &en->again);
    timer_cancel(en->loop, &en->tick);
    streams_free(en);
    free(en->scratch);
    service_unref(en->service);
    tls_tickets_unref(en->tickets);
    free(en);
}

/* ---- for the worker ---- */

void h1_engine_set_service(struct h1_engine *en, struct service *s)
{
    struct service *old = en->service;

    en->service = service_ref(s);
    h1_deadline_set_limits(en, &service_conf(s)->options);
    h1_deadline_refresh(en);
    service_unref(old);
}

void h1_engine_set_tickets(struct h1_engine *en, struct tls_tickets *tickets)
{
    struct tls_tickets *old = en->tickets;

    en->tickets = tls_tickets_ref(tickets);
    tls_tickets_unref(old);
}

static bool add(struct h1_engine *en, const struct h1_arrival *a, socklen_t peer_len)
{
    bool taken;

    if (en->draining) {
        close(a->fd);
        return false;
    }
    en->arrival = a;
    if (MHD_add_connection(en->daemon, a->fd, a->peer, peer_len) != MHD_YES)
        log_warn("http", "a connection could not be taken"); /* MHD has closed it */
    else if (en->arrival != NULL)
        MHD_run(en->daemon); /* MHD 1.0 may take it only then */
    taken = en->arrival == NULL;
    en->arrival = NULL;
    h1_engine_wake(en);
    return taken;
}

void h1_engine_add(struct h1_engine *en, int fd, const struct sockaddr *peer, socklen_t peer_len,
                   const struct listener_conf *listener, const struct tls_choice *choice)
{
    const struct h1_arrival a = {fd, peer, listener, choice, false};

    if (!add(en, &a, peer_len))
        budget_give(en->places, 1);
}

bool h1_engine_add_surplus(struct h1_engine *en, int fd, const struct sockaddr *peer,
                           socklen_t peer_len, const struct listener_conf *listener,
                           const struct tls_choice *choice)
{
    const struct h1_arrival a = {fd, peer, listener, choice, true};

    if (en->n_surplus >= SURPLUS_MAX)
        return false;
    add(en, &a, peer_len);
    return true;
}

void h1_engine_drain(struct h1_engine *en)
{
    en->draining = true;
    h1_deadline_close_idle(en);
}

unsigned h1_engine_connections(const struct h1_engine *en)
{
    return en->n_connections;
}

void h1_engine_rest(struct h1_engine *en)
{
    streams_free(en);
}

const char *h1_engine_version(void)
{
    return MHD_get_version();
}
