#include "engines/acme_alpn.h"

#include "base/alloc.h"
#include "base/list.h"
#include "base/log.h"

#include <stdlib.h>
#include <unistd.h>

enum { SESSION_MS = 10000 };

struct acme_alpn {
    struct loop *loop;
    unsigned max;
    unsigned n;
    struct list sessions; /* the oldest first */
    struct timer timer;   /* due when the oldest has had its time */
};

struct alpn_session {
    struct list item;
    struct acme_alpn *owner;
    struct event_source src;
    gnutls_session_t tls;
    struct cred *cred;
    char *name;
    uint64_t until_ms;
    bool shaken; /* only the closing alert is left to be sent */
};

/* ---- one session ---- */

static void session_close(struct alpn_session *s)
{
    loop_del(s->owner->loop, &s->src);
    gnutls_deinit(s->tls);
    close(s->src.fd);
    cred_unref(s->cred);
    free(s->name);
    list_del(&s->item);
    s->owner->n--;
    free(s);
}

static void wait_for_socket(struct alpn_session *s)
{
    uint32_t events = gnutls_record_get_direction(s->tls) != 0 ? EPOLLOUT : EPOLLIN;

    if (loop_mod(s->owner->loop, &s->src, events, NULL) != 0)
        session_close(s);
}

/* RFC 8737 3: once the handshake is complete, the connection is closed. */
static void session_step(struct alpn_session *s)
{
    int rc = 0;

    if (!s->shaken) {
        rc = gnutls_handshake(s->tls);
        s->shaken = rc == 0;
        if (s->shaken)
            log_info("acme", "%s: tls-alpn-01 was asked for and answered", s->name);
    }
    if (s->shaken)
        rc = gnutls_bye(s->tls, GNUTLS_SHUT_WR);
    if (rc != 0 && gnutls_error_is_fatal(rc) == 0) {
        wait_for_socket(s);
        return;
    }
    if (!s->shaken) {
        gnutls_alert_send_appropriate(s->tls, rc);
        log_info("acme", "%s: the handshake for tls-alpn-01 failed: %s", s->name,
                 gnutls_strerror(rc));
    }
    session_close(s);
}

static void on_event(struct event_source *src, uint32_t events)
{
    (void)events;
    session_step(container_of(src, struct alpn_session, src));
}

/* ---- all of them ---- */

static struct alpn_session *oldest(struct acme_alpn *a)
{
    return list_empty(&a->sessions) ? NULL
                                    : container_of(a->sessions.next, struct alpn_session, item);
}

static void on_timer(struct timer *t)
{
    struct acme_alpn *a = container_of(t, struct acme_alpn, timer);
    uint64_t now = loop_now_ms(a->loop);
    struct alpn_session *s;

    while ((s = oldest(a)) != NULL && s->until_ms <= now)
        session_close(s);
    if (s != NULL)
        timer_set(a->loop, t, s->until_ms - now);
}

struct acme_alpn *acme_alpn_new(struct loop *l, unsigned max, struct err *e)
{
    struct acme_alpn *a = xalloc(sizeof *a);

    (void)e;
    a->loop = l;
    a->max = max;
    a->timer.on_timer = on_timer;
    list_init(&a->sessions);
    return a;
}

void acme_alpn_free(struct acme_alpn *a)
{
    struct alpn_session *s;

    if (a == NULL)
        return;
    while ((s = oldest(a)) != NULL)
        session_close(s);
    timer_cancel(a->loop, &a->timer);
    free(a);
}

/* Takes fd; NULL without it if the session cannot be set up (the caller closes fd). */
static struct alpn_session *session_open(struct acme_alpn *a, int fd,
                                         const struct tls_choice *choice, struct err *e)
{
    struct alpn_session *s = xalloc(sizeof *s);
    int rc = gnutls_init(&s->tls,
                         GNUTLS_SERVER | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL | GNUTLS_NO_TICKETS);

    s->src = (struct event_source){fd, on_event};
    if (rc != 0) {
        err_set(e, ERR_TLS, "gnutls_init: %s", gnutls_strerror(rc));
        free(s);
        return NULL;
    }
    gnutls_transport_set_int(s->tls, fd);
    if (tls_session_setup(s->tls, choice, NULL, TLS_ALPN_ACME, e) != 0 ||
        loop_add(a->loop, &s->src, EPOLLIN, e) != 0) {
        gnutls_deinit(s->tls);
        free(s);
        return NULL;
    }
    s->owner = a;
    s->cred = cred_ref(choice->cred);
    s->name = xstrndup(choice->sni.p, choice->sni.len);
    s->until_ms = loop_now_ms(a->loop) + SESSION_MS;
    list_add_tail(&a->sessions, &s->item);
    a->n++;
    return s;
}

void acme_alpn_add(struct acme_alpn *a, int fd, const struct tls_choice *choice)
{
    struct alpn_session *s;
    struct err e;

    if (a->n >= a->max) {
        log_warn("acme", STR_FMT ": too many tls-alpn-01 handshakes at once, one was turned away",
                 STR_ARG(choice->sni));
        close(fd);
        return;
    }
    s = session_open(a, fd, choice, &e);
    if (s == NULL) {
        log_error("acme", STR_FMT ": %s", STR_ARG(choice->sni), e.msg);
        close(fd);
        return;
    }
    if (a->timer.slot == 0)
        timer_set(a->loop, &a->timer, SESSION_MS);
    session_step(s); /* the ClientHello is there */
}
