/* The states of an order as a table: what each sends and what it makes of the answer. No step
 * waits, retries or logs by itself: that is the driver's (acme.c). */
#include "cert/acme_priv.h"

#include "base/alloc.h"
#include "cert/jdoc.h"
#include "cert/jws.h"
#include "cert/x509.h"

#include <stdlib.h>

static enum acme_state post(struct acme *a, const char *url)
{
    a->request.method = "POST";
    a->request.url = url;
    return ACME_SEND;
}

static struct acme_reader order_reader(const struct acme *a)
{
    return acme_ca_reader(a->ca, a->arena);
}

/* ---- directory, nonce, account: one order leads, see acme_ca.c ---- */

static enum acme_state directory_send(struct acme *a, struct err *e)
{
    struct acme_ca *ca = a->ca;

    (void)e;
    if (acme_ca_ready(ca))
        return ACME_NEW_ORDER;
    if (!acme_ca_lead(ca, a))
        return ACME_PAUSE;
    if (loop_now_ms(ca->loop) < ca->directory_until_ms)
        return ACME_ACCOUNT;
    a->request.method = "GET";
    a->request.url = ca->conf.directory;
    return ACME_SEND;
}

static enum acme_state directory_recv(struct acme *a, struct err *e)
{
    return acme_ca_set_directory(a->ca, buf_str(&a->reply.body), e) == 0 ? ACME_ACCOUNT
                                                                         : ACME_FAILED;
}

static enum acme_state account_send(struct acme *a, struct err *e)
{
    struct acme_ca *ca = a->ca;

    if (acme_ca_load(ca, e) != 0)
        return ACME_FAILED;
    if (ca->kid == NULL && acme_ca_load_locked(ca, e) != 0) {
        if (e->code != ERR_BUSY)
            return ACME_FAILED;
        acme_wait(a, e->retry_ms); /* another process is making it */
        return ACME_PAUSE;
    }
    if (ca->kid == NULL)
        return ACME_NEW_ACCOUNT;
    acme_ca_follow(ca, a, NULL);
    return ACME_NEW_ORDER;
}

static enum acme_state new_nonce_send(struct acme *a, struct err *e)
{
    (void)e;
    a->request.method = "HEAD";
    a->request.url = a->ca->directory.new_nonce;
    return ACME_SEND;
}

static enum acme_state new_nonce_recv(struct acme *a, struct err *e)
{
    if (a->reply.nonce[0] != '\0')
        return a->resume;
    err_set(e, ERR_PROTOCOL, "the CA gave no nonce");
    return ACME_FAILED;
}

static enum acme_state new_account_send(struct acme *a, struct err *e)
{
    if (acme_ca_account_payload(a->ca, &a->request.payload, e) != 0)
        return ACME_FAILED;
    a->request.with_jwk = true;
    return post(a, a->ca->directory.new_account);
}

static enum acme_state new_account_recv(struct acme *a, struct err *e)
{
    if (acme_ca_set_account(a->ca, str_of(a->reply.location), e) != 0)
        return ACME_FAILED;
    acme_ca_follow(a->ca, a, NULL);
    return ACME_NEW_ORDER;
}

/* ---- the order ---- */

static enum acme_state after_order(struct acme *a, struct err *e)
{
    switch (a->order.status) {
    case ACME_PENDING:
    case ACME_PROCESSING:
        return ACME_POLL_ORDER;
    case ACME_READY:
        return a->state == ACME_FINALIZE ? ACME_POLL_ORDER : ACME_FINALIZE;
    case ACME_VALID:
        if (a->key != NULL)
            return ACME_DOWNLOAD;
        err_set(e, ERR_PROTOCOL, "the CA gives a certificate for a key that is not ours");
        return ACME_FAILED;
    case ACME_INVALID:
        break;
    }
    err_set(e, ERR_REFUSED, "%s",
            a->order.problem.kind == ACME_PROBLEM_NONE ? "the CA gave the order up"
                                                       : a->order.problem.text);
    e->retry_ms = a->order.problem.wait_s * 1000;
    return ACME_FAILED;
}

static int read_order(struct acme *a, struct err *e)
{
    const struct acme_reader reader = order_reader(a);

    return acme_parse_order(&reader, buf_str(&a->reply.body), &a->order, e);
}

static enum acme_state new_order_send(struct acme *a, struct err *e)
{
    uint64_t wait_ms = 0;
    struct json_object *o, *list, *identifier;

    if (!acme_ca_ready(a->ca))
        return ACME_DIRECTORY;
    if (!a->has_place)
        wait_ms = schedule_take_order(&a->ca->window, loop_now_ms(a->ca->loop));
    if (wait_ms > 0) {
        acme_wait(a, wait_ms);
        return ACME_PAUSE;
    }
    a->has_place = true;
    o = json_object_new_object();
    list = json_object_new_array();
    identifier = json_object_new_object();
    jdoc_add_str(identifier, "type", str_of(acme_identifier_type(str_of(a->name))));
    jdoc_add_str(identifier, "value", str_of(a->name));
    json_object_array_add(list, identifier);
    json_object_object_add(o, "identifiers", list);
    if (jdoc_write(o, &a->request.payload, e) != 0)
        return ACME_FAILED;
    return post(a, a->ca->directory.new_order);
}

static enum acme_state new_order_recv(struct acme *a, struct err *e)
{
    struct acme_reader reader;

    a->has_place = false;
    a->order_since_ms = loop_now_ms(a->ca->loop);
    arena_reset(a->arena);
    a->at = 0;
    reader = order_reader(a);
    a->order_url = acme_check_url(&reader, str_of(a->reply.location));
    if (a->order_url == NULL) {
        err_set(e, ERR_PROTOCOL, "the CA gave no URL for the order");
        return ACME_FAILED;
    }
    if (read_order(a, e) != 0)
        return ACME_FAILED;
    return a->order.status == ACME_PENDING ? ACME_AUTHORIZATION : after_order(a, e);
}

/* ---- authorizations and challenges ---- */

static enum acme_state authorization_send(struct acme *a, struct err *e)
{
    (void)e;
    return post(a, a->order.authorizations[a->at]);
}

static int read_authorization(struct acme *a, struct err *e)
{
    const struct acme_reader reader = order_reader(a);

    return acme_parse_authorization(&reader, buf_str(&a->reply.body), str_of(a->name),
                                    &a->authorization, e);
}

static enum acme_state next_authorization(struct acme *a)
{
    return ++a->at < a->order.n_authorizations ? ACME_AUTHORIZATION : ACME_FINALIZE;
}

static bool can_try(const struct acme *a, enum acme_challenge_type type)
{
    return (a->challenges & 1U << type) != 0 && a->authorization.challenges[type].url != NULL;
}

/* The type that worked last at this CA, else the first that is left. */
static enum acme_state choose_challenge(struct acme *a, struct err *e)
{
    a->type = can_try(a, a->ca->preferred) ? a->ca->preferred : ACME_TLS_ALPN_01;
    while (a->type < ACME_CHALLENGE_TYPES && !can_try(a, a->type))
        a->type++;
    if (a->type < ACME_CHALLENGE_TYPES)
        return ACME_ANSWER;
    err_set(e, ERR_REFUSED, "the CA offers no challenge that can be answered here");
    return ACME_FAILED;
}

static enum acme_state authorization_recv(struct acme *a, struct err *e)
{
    if (read_authorization(a, e) != 0)
        return ACME_FAILED;
    switch (a->authorization.status) {
    case ACME_VALID: /* from an earlier order */
        return next_authorization(a);
    case ACME_PENDING:
        return choose_challenge(a, e);
    case ACME_READY:
    case ACME_PROCESSING:
    case ACME_INVALID:
        break;
    }
    err_set(e, ERR_REFUSED, "the CA holds an authorization that has failed");
    return ACME_FAILED;
}

static enum acme_state answer_send(struct acme *a, struct err *e)
{
    const char *token = a->authorization.challenges[a->type].token;
    struct str key_authorization =
        arena_printf(a->arena, "%s.%s", token, a->ca->thumbprint); /* RFC 8555 8.1 */

    (void)e;
    if (!a->answering) {
        a->answering = true;
        a->events->answer(a->arg, a->type, str_of(token), key_authorization);
    }
    return ACME_PAUSE; /* acme_answered() */
}

static enum acme_state challenge_send(struct acme *a, struct err *e)
{
    if (buf_puts(&a->request.payload, "{}") != 0) {
        err_set(e, ERR_LIMIT, "no memory");
        return ACME_FAILED;
    }
    return post(a, a->authorization.challenges[a->type].url);
}

static enum acme_state challenge_recv(struct acme *a, struct err *e)
{
    (void)a;
    (void)e;
    return ACME_POLL_AUTHORIZATION;
}

/* The authorization is lost with its challenge (RFC 8555 7.1.6): what else there is to try needs a
 * new order. */
static enum acme_state challenge_failed(struct acme *a, struct err *e)
{
    const struct acme_problem *p = &a->authorization.challenges[a->type].problem;
    struct err earlier = a->problem;

    err_set(&a->problem, ERR_REFUSED, "%s: %s", acme_challenge_name(a->type),
            p->kind == ACME_PROBLEM_NONE ? "the challenge failed" : p->text);
    a->problem.retry_ms = p->wait_s * 1000;
    a->challenges &= ~(1U << a->type);
    if (a->challenges != 0)
        return ACME_NEW_ORDER;
    if (earlier.code == ERR_NONE)
        *e = a->problem;
    else { /* half the room for each */
        err_set(e, ERR_REFUSED, "%.120s; %.120s", earlier.msg, a->problem.msg);
        e->retry_ms =
            earlier.retry_ms > a->problem.retry_ms ? earlier.retry_ms : a->problem.retry_ms;
    }
    return ACME_FAILED;
}

static enum acme_state poll_authorization_recv(struct acme *a, struct err *e)
{
    if (read_authorization(a, e) != 0)
        return ACME_FAILED;
    switch (a->authorization.status) {
    case ACME_PENDING:
    case ACME_PROCESSING:
        return ACME_POLL_AUTHORIZATION;
    case ACME_VALID:
    case ACME_READY:
        acme_withdraw(a);
        a->ca->preferred = a->type;
        return next_authorization(a);
    case ACME_INVALID:
        break;
    }
    acme_withdraw(a);
    return challenge_failed(a, e);
}

/* ---- the certificate ---- */

static enum acme_state finalize_send(struct acme *a, struct err *e)
{
    const struct str name = str_of(a->name);
    struct buf der = BUF_INIT(JWS_MAX / 2);
    enum acme_state next = ACME_FAILED;

    if (a->key == NULL)
        a->key = key_generate(a->key_type, e);
    if (a->key == NULL || x509_csr(a->key, &name, 1, &der, e) != 0)
        goto out;
    if (buf_puts(&a->request.payload, "{\"csr\":\"") != 0 ||
        base64url_append(&a->request.payload, buf_str(&der)) != 0 ||
        buf_puts(&a->request.payload, "\"}") != 0) {
        err_set(e, ERR_LIMIT, "the certificate request is too long");
        goto out;
    }
    next = post(a, a->order.finalize);
out:
    buf_fini(&der);
    return next;
}

static enum acme_state order_recv(struct acme *a, struct err *e)
{
    return read_order(a, e) == 0 ? after_order(a, e) : ACME_FAILED;
}

static enum acme_state poll_order_send(struct acme *a, struct err *e)
{
    (void)e;
    return post(a, a->order_url);
}

static enum acme_state download_send(struct acme *a, struct err *e)
{
    (void)e;
    return post(a, a->order.certificate);
}

static enum acme_state download_recv(struct acme *a, struct err *e)
{
    const struct str name = str_of(a->name);
    struct x509_chain *chain = x509_chain_parse(buf_str(&a->reply.body), e);
    int rc = -1;

    if (chain != NULL)
        rc = x509_chain_check(chain, a->key, &name, 1, loop_wall_s(a->ca->loop), e);
    x509_chain_free(chain);
    if (rc == 0)
        return ACME_DONE;
    err_wrap(e, "the certificate that the CA issued is of no use");
    return ACME_FAILED;
}

const struct acme_row acme_rows[ACME_STATES] = {
    [ACME_DIRECTORY] = {"directory", directory_send, directory_recv, false},
    [ACME_ACCOUNT] = {"account", account_send, NULL, false},
    [ACME_NEW_NONCE] = {"new-nonce", new_nonce_send, new_nonce_recv, false},
    [ACME_NEW_ACCOUNT] = {"new-account", new_account_send, new_account_recv, false},
    [ACME_NEW_ORDER] = {"new-order", new_order_send, new_order_recv, false},
    [ACME_AUTHORIZATION] = {"authorization", authorization_send, authorization_recv, false},
    [ACME_ANSWER] = {"answer", answer_send, NULL, false},
    [ACME_CHALLENGE] = {"challenge", challenge_send, challenge_recv, false},
    [ACME_POLL_AUTHORIZATION] = {"poll-authorization", authorization_send, poll_authorization_recv,
                                 true},
    [ACME_FINALIZE] = {"finalize", finalize_send, order_recv, false},
    [ACME_POLL_ORDER] = {"poll-order", poll_order_send, order_recv, true},
    [ACME_DOWNLOAD] = {"download", download_send, download_recv, false},
};
