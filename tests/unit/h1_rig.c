#include "h1_rig.h"

#include "base/alloc.h"
#include "http/service.h"
#include "server/client_hello.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/x509.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ANSWER_MAX = 64 * 1024 * 1024, GUARD_MS = 20000 };

/* ---- the service ---- */

static struct conf *make_conf(const struct rig_options *o,
                              enum verdict (*handle)(const void *, struct exchange *))
{
    struct arena *a = arena_new();
    struct conf *c = arena_alloc(a, sizeof *c);
    struct handler_type *type = arena_alloc(a, sizeof *type);
    struct handler_row *row = arena_alloc(a, sizeof *row);
    struct handler_conf *handlers = arena_alloc(a, sizeof *handlers);
    struct site *site = arena_alloc(a, sizeof *site);
    const struct site **sites = arena_alloc(a, sizeof(*sites));
    struct host_entry *any = arena_alloc(a, sizeof *any);
    struct listener_conf *listener = arena_alloc(a, sizeof *listener);

    *type = (struct handler_type){.name = "test", .handle = handle};
    row->type = type;
    *site = (struct site){.name = STR_LIT("test"), .route = {row, 1}};
    site->hsts.mode = HSTS_OFF;
    sites[0] = site;
    any->site = site;
    listener->any = any;
    listener->port = 8080;
    listener->tls = o->tls;
    c->refs = 1;
    c->arena = a;
    c->sites = sites;
    c->n_sites = 1;
    handlers->type = type;
    c->handlers = handlers;
    c->n_handlers = 1;
    c->listeners = listener;
    c->n_listeners = 1;
    c->options.header_timeout_ms = o->header_timeout_ms ? o->header_timeout_ms : 60000;
    c->options.idle_timeout_ms = o->idle_timeout_ms ? o->idle_timeout_ms : 300000;
    c->options.body_timeout_ms = o->body_timeout_ms ? o->body_timeout_ms : 60000;
    c->options.max_header_size = 16 * 1024;
    return c;
}

void rig_open(struct rig *r, const struct rig_options *o,
              enum verdict (*handle)(const void *, struct exchange *))
{
    static const struct rig_options none;
    struct h1_params p = {.places = &r->places, .max_header_size = 16 * 1024};
    struct worker_env env = {0};
    struct err e;

    memset(r, 0, sizeof *r);
    o = o != NULL ? o : &none;
    r->loop = loop_new(&e);
    assert(r->loop != NULL);
    r->conf = make_conf(o, handle);
    env.loop = r->loop;
    env.conf = r->conf;
    r->service = service_new(r->conf, &env, NULL, &e);
    assert(r->service != NULL);
    p.loop = r->loop;
    p.tls = o->tls;
    r->max_connections = o->max_connections > 0 ? o->max_connections : 100;
    if (o->tls) {
        r->cred = rig_cred();
        p.tickets = r->tickets = tls_tickets_new(&e);
    }
    r->engine = h1_engine_new(&p, &e);
    assert(r->engine != NULL);
    h1_engine_set_service(r->engine, r->service);
}

void rig_close(struct rig *r)
{
    h1_engine_free(r->engine);
    assert(r->places.used == 0);
    service_unref(r->service);
    conf_unref(r->conf);
    tls_tickets_unref(r->tickets);
    cred_unref(r->cred);
    loop_free(r->loop);
}

/* ---- clients ---- */

static void tcp_pair(int fds[2])
{
    struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof addr;
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fds[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(listener, (struct sockaddr *)&addr, sizeof addr) != 0 || listen(listener, 1) != 0 ||
        getsockname(listener, (struct sockaddr *)&addr, &len) != 0 ||
        connect(fds[0], (struct sockaddr *)&addr, sizeof addr) != 0)
        abort();
    fds[1] = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    assert(fds[1] != -1);
    close(listener);
}

static void take_place(struct rig *r)
{
    while (!budget_take(&r->places, 1, r->max_connections))
        if (!h1_engine_close_idle(r->engine) && !h1_engine_close_slow(r->engine))
            rig_run(r, 2); /* they have only just come */
}

int rig_connect(struct rig *r)
{
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(4711)};
    struct tls_choice choice = {.cred = r->cred, .min_version = TLS_1_2, .max_version = TLS_1_3};
    int fds[2];

    tcp_pair(fds);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    take_place(r);
    h1_engine_add(r->engine, fds[1], (struct sockaddr *)&peer, sizeof peer, r->conf->listeners,
                  r->cred != NULL ? &choice : NULL);
    return fds[0];
}

struct talk {
    struct event_source src;
    struct timer guard;
    struct loop *loop;
    const char *rest;
    size_t rest_len;
    struct buf *answer;
};

static void on_talk(struct event_source *src, uint32_t events)
{
    struct talk *t = container_of(src, struct talk, src);
    char buf[65536];
    ssize_t n;

    (void)events;
    if (t->rest_len > 0) {
        n = send(src->fd, t->rest, t->rest_len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            t->rest += n;
            t->rest_len -= (size_t)n;
        } else if (n == -1 && errno != EAGAIN) {
            t->rest_len = 0; /* the engine does not read all of it: see what it answered */
        }
        if (t->rest_len == 0 && loop_mod(t->loop, src, EPOLLIN, NULL) != 0)
            abort();
    }
    n = recv(src->fd, buf, sizeof buf, MSG_DONTWAIT);
    if (n > 0 && buf_append(t->answer, buf, (size_t)n) != 0)
        abort();
    if (n == 0 || (n == -1 && errno != EAGAIN))
        loop_stop(t->loop);
}

static void on_guard(struct timer *t)
{
    (void)t;
    fprintf(stderr, "the engine did not close the connection in time\n");
    abort();
}

void rig_talk(struct rig *r, int fd, const char *request, size_t len, struct buf *answer)
{
    struct talk t = {.src = {fd, on_talk},
                     .guard = {.on_timer = on_guard},
                     .loop = r->loop,
                     .rest = request,
                     .rest_len = len,
                     .answer = answer};
    struct err e;

    if (loop_add(r->loop, &t.src, EPOLLIN | EPOLLOUT, &e) != 0)
        abort();
    timer_set(r->loop, &t.guard, GUARD_MS);
    if (loop_run(r->loop, &e) != 0)
        abort();
    timer_cancel(r->loop, &t.guard);
    loop_del(r->loop, &t.src);
    close(fd);
}

const char *rig_ask(struct rig *r, const char *request, size_t len)
{
    static struct buf answer = {NULL, 0, 0, ANSWER_MAX};

    buf_clear(&answer);
    rig_talk(r, rig_connect(r), request, len, &answer);
    return answer.p == NULL ? "" : answer.p;
}

/* ---- TLS clients ---- */

struct tls_talk {
    struct event_source src;
    struct timer guard;
    struct loop *loop;
    gnutls_session_t session;
    struct rig_tls *t;
    const char *request;
    bool shaken;
    struct buf *answer;
};

static void note_handshake(struct tls_talk *k)
{
    gnutls_datum_t alpn;
    const char *suite = gnutls_ciphersuite_get(k->session);

    k->shaken = true;
    k->t->resumed = gnutls_session_is_resumed(k->session) != 0;
    k->t->version = gnutls_protocol_get_version(k->session);
    snprintf(k->t->cipher, sizeof k->t->cipher, "%s", suite == NULL ? "" : suite);
    if (gnutls_alpn_get_selected_protocol(k->session, &alpn) == 0)
        snprintf(k->t->negotiated_alpn, sizeof k->t->negotiated_alpn, "%.*s", (int)alpn.size,
                 (const char *)alpn.data);
}

/* Returns whether the talk is over. */
static bool tls_step(struct tls_talk *k)
{
    char buf[16 * 1024];
    ssize_t n;

    if (!k->shaken) {
        k->t->result = gnutls_handshake(k->session);
        if (k->t->result == GNUTLS_E_FATAL_ALERT_RECEIVED)
            k->t->alert = (int)gnutls_alert_get(k->session);
        if (k->t->result != 0)
            return gnutls_error_is_fatal(k->t->result) != 0;
        note_handshake(k);
        if (k->request[0] != '\0' &&
            gnutls_record_send(k->session, k->request, strlen(k->request)) < 0)
            return true;
    }
    while ((n = gnutls_record_recv(k->session, buf, sizeof buf)) > 0)
        if (buf_append(k->answer, buf, (size_t)n) != 0)
            abort();
    if (n == GNUTLS_E_FATAL_ALERT_RECEIVED)
        k->t->alert = (int)gnutls_alert_get(k->session);
    k->t->closed_well = n == 0;
    return n == 0 || gnutls_error_is_fatal((int)n) != 0;
}

static void on_tls_talk(struct event_source *src, uint32_t events)
{
    struct tls_talk *k = container_of(src, struct tls_talk, src);

    (void)events;
    if (tls_step(k))
        loop_stop(k->loop);
}

static void client_open(struct tls_talk *k, const char *sni, int fd)
{
    struct rig_tls *t = k->t;

    gnutls_init(&k->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
    gnutls_priority_set_direct(k->session, t->priorities != NULL ? t->priorities : "NORMAL", NULL);
    if (sni != NULL)
        gnutls_server_name_set(k->session, GNUTLS_NAME_DNS, sni, strlen(sni));
    if (t->alpn != NULL) {
        gnutls_datum_t alpn = {(unsigned char *)t->alpn, (unsigned)strlen(t->alpn)};

        gnutls_alpn_set_protocols(k->session, &alpn, 1, 0);
    }
    if (t->session.data != NULL)
        gnutls_session_set_data(k->session, t->session.data, t->session.size);
    gnutls_transport_set_int(k->session, fd);
}

/* What the front door does. */
static void arrive(struct rig *r, struct rig_tls *t, int fd, rig_accept *accept)
{
    uint8_t bytes[CLIENT_HELLO_MAX];
    ssize_t n = recv(fd, bytes, sizeof bytes, MSG_PEEK);
    struct client_hello hello;
    struct tls_choice choice = {.cred = r->cred, .min_version = TLS_1_2, .max_version = TLS_1_3};
    struct sockaddr_in peer = {.sin_family = AF_INET, .sin_port = htons(4711)};

    if (n < 0 || client_hello_parse(bytes, (size_t)n, &hello) != HELLO_OK)
        abort();
    t->had_ticket = choice.has_ticket = hello.has_ticket;
    memcpy(choice.ticket_name, hello.ticket_name, sizeof choice.ticket_name);
    choice.sni = (struct str){hello.sni, hello.sni_len};
    if (accept != NULL) {
        accept(r, fd, &choice);
        return;
    }
    take_place(r);
    h1_engine_add(r->engine, fd, (struct sockaddr *)&peer, sizeof peer, r->conf->listeners,
                  &choice);
}

static void keep_session(struct tls_talk *k)
{
    gnutls_free(k->t->session.data);
    k->t->session.data = NULL;
    if (k->shaken)
        gnutls_session_get_data2(k->session, &k->t->session);
}

static void run_client(struct tls_talk *k)
{
    struct err e;

    if (loop_add(k->loop, &k->src, EPOLLIN, &e) != 0)
        abort();
    timer_set(k->loop, &k->guard, GUARD_MS);
    if (loop_run(k->loop, &e) != 0)
        abort();
    timer_cancel(k->loop, &k->guard);
    loop_del(k->loop, &k->src);
}

const char *rig_tls_ask(struct rig *r, struct rig_tls *t, const char *sni, const char *request,
                        rig_accept *accept)
{
    static struct buf answer = {NULL, 0, 0, ANSWER_MAX};
    gnutls_certificate_credentials_t none;
    struct tls_talk k = {.guard = {.on_timer = on_guard},
                         .loop = r->loop,
                         .t = t,
                         .request = request,
                         .answer = &answer};
    int fds[2];

    buf_clear(&answer);
    tcp_pair(fds);
    if (fcntl(fds[0], F_SETFL, O_NONBLOCK) == -1)
        abort();
    t->alert = -1;
    t->negotiated_alpn[0] = '\0';
    gnutls_certificate_allocate_credentials(&none);
    client_open(&k, sni, fds[0]);
    gnutls_credentials_set(k.session, GNUTLS_CRD_CERTIFICATE, none);
    k.src = (struct event_source){fds[0], on_tls_talk};
    if (!tls_step(&k)) { /* the ClientHello is out */
        arrive(r, t, fds[1], accept);
        if (t->give_up)
            rig_run(r, 20);
        else
            run_client(&k);
    }
    keep_session(&k);
    gnutls_deinit(k.session);
    gnutls_certificate_free_credentials(none);
    close(fds[0]);
    return answer.p == NULL ? "" : answer.p;
}

/* ---- pauses ---- */

struct pause {
    struct timer timer;
    struct loop *loop;
};

static void on_pause(struct timer *t)
{
    loop_stop(container_of(t, struct pause, timer)->loop);
}

void rig_run(struct rig *r, uint64_t ms)
{
    struct pause p = {.timer = {.on_timer = on_pause}, .loop = r->loop};
    struct err e;

    timer_set(r->loop, &p.timer, ms);
    if (loop_run(r->loop, &e) != 0)
        abort();
}

bool rig_readable(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, 0) == 1;
}

/* ---- a certificate ---- */

static gnutls_datum_t make_pem(gnutls_datum_t *key_pem)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;

    gnutls_x509_privkey_init(&key);
    gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA,
                                 GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
    gnutls_x509_crt_init(&crt);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_dn(crt, "CN=rig", NULL);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "*.test", 6, GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 3600);
    gnutls_x509_crt_set_key(crt, key);
    gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0);
    gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem);
    gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, key_pem);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
    return pem;
}

struct cred *rig_cred(void)
{
    gnutls_datum_t key, pem = make_pem(&key);
    struct err e;
    struct cred *cred = cred_new((struct str){(char *)pem.data, pem.size},
                                 (struct str){(char *)key.data, key.size}, &e);

    assert(cred != NULL);
    gnutls_free(pem.data);
    gnutls_free(key.data);
    return cred;
}
