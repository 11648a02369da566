/* The driver of an order: enters states, sends, judges replies. It alone owns nonces, retries of a
 * request, Retry-After, the pace of polling, and the end. */
#include "cert/acme_priv.h"

#include "base/alloc.h"
#include "base/log.h"
#include "cert/jws.h"

#include <assert.h>
#include <stdlib.h>

/* ---- going on ---- */

void acme_wake(struct acme *a)
{
    loop_post(a->ca->loop, &a->task);
}

void acme_wait(struct acme *a, uint64_t delay_ms)
{
    timer_set(a->ca->loop, &a->timer, delay_ms);
}

static void on_timer(struct timer *t)
{
    acme_wake(container_of(t, struct acme, timer));
}

void acme_withdraw(struct acme *a)
{
    if (a->answering)
        a->events->withdraw(a->arg);
    a->answering = false;
}

void acme_fail_soon(struct acme *a, const struct err *e)
{
    a->problem = *e;
    a->failing = true;
    acme_wake(a);
}

/* ---- the end ---- */

static void release(struct acme *a)
{
    struct loop *l = a->ca->loop;

    acme_withdraw(a);
    if (a->transfer != NULL)
        transfer_cancel(a->transfer);
    timer_cancel(l, &a->timer);
    loop_unpost(l, &a->task);
    list_del(&a->waiting);
    buf_fini(&a->request.payload);
    buf_fini(&a->body);
    buf_fini(&a->reply.body);
    key_free(a->key);
    arena_free(a->arena);
    free(a->used_kid);
    free(a->name);
    free(a);
}

void acme_cancel(struct acme *a)
{
    if (a == NULL)
        return;
    acme_ca_follow(a->ca, a, NULL);
    release(a);
}

static void fail(struct acme *a, struct err *e)
{
    const struct acme_events *events = a->events;
    void *arg = a->arg;

    acme_ca_follow(a->ca, a, e);
    release(a);
    events->failed(arg, e);
}

static void succeed(struct acme *a)
{
    struct buf pem = BUF_INIT(KEY_PEM_MAX);
    struct err e;

    if (key_pem(a->key, &pem, &e) != 0) {
        fail(a, &e);
        return;
    }
    acme_withdraw(a);
    a->events->issued(a->arg, buf_str(&a->reply.body), buf_str(&pem), a->order.certificate);
    buf_fini(&pem);
    release(a);
}

/* ---- states ---- */

/* A detour for a nonce leaves the count of tries alone. */
static void go(struct acme *a, enum acme_state next)
{
    assert(next < ACME_STATES);
    if (next == a->state)
        return;
    log_debug("acme", "%s: %s", a->name, acme_rows[next].name);
    if (next != ACME_NEW_NONCE && a->state != ACME_NEW_NONCE) {
        a->polls = 0;
        a->tries = 0;
        a->nonce_tries = 0;
    }
    a->state = next;
}

/* Sends a->request, after a nonce or an account if it lacks one. */
static enum acme_state transmit(struct acme *a, struct err *e)
{
    bool post = strcmp(a->request.method, "POST") == 0;

    if (post && !a->request.with_jwk && a->ca->kid == NULL) {
        acme_withdraw(a); /* the account went away: so did the order */
        return ACME_DIRECTORY;
    }
    if (post && a->ca->n_nonces == 0) {
        a->resume = a->state;
        return ACME_NEW_NONCE;
    }
    return acme_exchange(a, e) == 0 ? ACME_PAUSE : ACME_FAILED;
}

/* Runs states until something is awaited. */
static void run(struct acme *a)
{
    struct err e = {.code = ERR_NONE};

    for (;;) {
        enum acme_state next;

        buf_clear(&a->request.payload);
        a->request.with_jwk = false;
        next = acme_rows[a->state].send(a, &e);
        if (next == ACME_SEND)
            next = transmit(a, &e);
        if (next == ACME_PAUSE)
            return;
        if (next == ACME_FAILED) {
            fail(a, &e);
            return;
        }
        go(a, next);
    }
}

/* ---- replies ---- */

/* The network or the CA stumbled: the same request again, a few times; then *e stands. */
static enum acme_state stumble(struct acme *a, uint32_t wait_s)
{
    if (++a->tries >= ACME_TRIES_MAX || wait_s > ACME_IN_PLACE_MOST_S)
        return ACME_FAILED;
    acme_wait(a, wait_s > 0 ? wait_s * 1000U : a->tries * 1000U);
    return ACME_PAUSE;
}

/* How long the CA wants us to wait after a problem, by its own word or by the problem's nature. */
static unsigned wait_after(const struct acme *a, const struct acme_problem *p)
{
    int64_t wait = a->reply.has_retry_after ? (int64_t)a->reply.retry_after_s : (int64_t)p->wait_s;
    int64_t named = p->retry_at_s == 0 ? 0 : p->retry_at_s - loop_wall_s(a->ca->loop);

    wait = named > wait ? named : wait;
    return (unsigned)(wait > RETRY_AFTER_MOST_S ? RETRY_AFTER_MOST_S : wait);
}

static enum acme_state judge_problem(struct acme *a, const struct acme_problem *p, struct err *e)
{
    unsigned wait_s = wait_after(a, p);

    err_set(e, ERR_REFUSED, "%s", p->text);
    e->retry_ms = wait_s * 1000;
    switch (p->kind) {
    case ACME_PROBLEM_BAD_NONCE:
        return ++a->nonce_tries < ACME_NONCE_TRIES_MAX ? a->state : ACME_FAILED;
    case ACME_PROBLEM_NO_ACCOUNT:
        if (a->account_renewed)
            return ACME_FAILED;
        a->account_renewed = true;
        acme_ca_forget(a->ca, a->used_kid);
        acme_withdraw(a);
        return ACME_DIRECTORY;
    case ACME_PROBLEM_NOT_READY:
        return a->state == ACME_FINALIZE ? ACME_POLL_ORDER : ACME_FAILED;
    case ACME_PROBLEM_SERVER:
        return stumble(a, wait_s);
    case ACME_PROBLEM_RATE_LIMITED:
        return a->reply.has_retry_after ? stumble(a, wait_s) : ACME_FAILED;
    case ACME_PROBLEM_NONE:
    case ACME_PROBLEM_OTHER:
        break;
    }
    return ACME_FAILED;
}

static enum acme_state judge(struct acme *a, struct err *e)
{
    const struct acme_reply *r = &a->reply;
    struct acme_problem problem;

    if (r->result != TRANSFER_OK) {
        err_set(e, ERR_NETWORK, "the CA could not be asked: %s", r->why);
        return stumble(a, 0);
    }
    if (r->status >= 200 && r->status < 300)
        return acme_rows[a->state].recv(a, e);
    acme_parse_problem(r->status, buf_str(&r->body), &problem);
    return judge_problem(a, &problem, e);
}

/* The wait before the next poll, as the CA says or slower and slower; false once the order has
 * had its time. */
static bool pace(struct acme *a, struct err *e)
{
    uint64_t wait_ms = schedule_poll_ms(a->polls++);
    uint64_t spent_ms = loop_now_ms(a->ca->loop) - a->order_since_ms;

    if (a->reply.has_retry_after && a->reply.retry_after_s > 0)
        wait_ms = a->reply.retry_after_s * 1000ULL;
    if (spent_ms + wait_ms > ACME_ORDER_MOST_MS) {
        err_set(e, ERR_TIMEOUT, "the CA takes too long");
        e->retry_ms = wait_ms > ACME_ORDER_MOST_MS ? (unsigned)ACME_ORDER_MOST_MS : 0;
        return false;
    }
    acme_wait(a, wait_ms);
    return true;
}

static void take_reply(struct acme *a)
{
    struct err e = {.code = ERR_NONE};
    bool detour = a->state == ACME_NEW_NONCE;
    enum acme_state before = a->state, next = judge(a, &e);

    if (next == ACME_PAUSE)
        return;
    if (next == ACME_DONE) {
        succeed(a);
        return;
    }
    if (next != ACME_FAILED) {
        bool again = next == before && e.code != ERR_NONE; /* another nonce: at once */

        if (before == ACME_POLL_AUTHORIZATION && next == ACME_NEW_ORDER)
            log_info("acme", "%s: trying another challenge: %s", a->name, a->problem.msg);
        go(a, next);
        if (detour || again || !acme_rows[next].poll) {
            run(a);
            return;
        }
        if (pace(a, &e))
            return;
    }
    if (e.code != ERR_REFUSED) /* the CA's own words need no more */
        err_wrap(&e, "%s", acme_rows[before].name);
    fail(a, &e);
}

static void on_task(struct task *t)
{
    struct acme *a = container_of(t, struct acme, task);
    bool has_reply = a->has_reply;

    a->has_reply = false;
    if (a->failing) {
        struct err e = a->problem;

        fail(a, &e);
    } else if (has_reply) {
        take_reply(a);
    } else if (a->transfer == NULL) {
        run(a);
    }
}

/* ---- the beginning ---- */

struct acme *acme_start(struct acme_ca *ca, const struct acme_spec *spec)
{
    struct acme *a = xalloc(sizeof *a);

    assert(spec->challenges != 0);
    a->ca = ca;
    a->name = xstrdup(spec->name);
    a->key_type = spec->key_type;
    a->challenges = spec->challenges;
    a->events = spec->events;
    a->arg = spec->arg;
    a->state = ACME_DIRECTORY;
    a->task.run = on_task;
    a->timer.on_timer = on_timer;
    a->arena = arena_new();
    list_init(&a->waiting);
    buf_init(&a->request.payload, JWS_MAX / 2);
    buf_init(&a->body, JWS_MAX);
    buf_init(&a->reply.body, ACME_BODY_MAX);
    log_debug("acme", "%s: %s", a->name, acme_rows[a->state].name);
    acme_wake(a);
    return a;
}

void acme_answered(struct acme *a)
{
    if (a->state != ACME_ANSWER)
        return;
    go(a, ACME_CHALLENGE);
    acme_wake(a);
}
