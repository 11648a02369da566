/* One request to the CA and its reply, bounded in time and bytes. */
#include "cert/acme_priv.h"

#include "base/alloc.h"
#include "base/date.h"
#include "cert/jws.h"

#include <stdio.h>
#include <stdlib.h>

/* Copies a field value that fits; one that does not is as good as none. */
static void keep(struct str value, char *out, size_t cap)
{
    if (value.len >= cap)
        return;
    memcpy(out, value.p, value.len);
    out[value.len] = '\0';
}

static void on_field(void *arg, struct str name, struct str value)
{
    struct acme *a = arg;
    struct acme_reply *r = &a->reply;

    if (str_eq_nocase(name, STR_LIT("Replay-Nonce")) && acme_nonce_ok(value))
        keep(value, r->nonce, sizeof r->nonce);
    else if (str_eq_nocase(name, STR_LIT("Location")))
        keep(value, r->location, sizeof r->location);
    else if (str_eq_nocase(name, STR_LIT("Retry-After")))
        r->has_retry_after =
            date_parse_retry_after(value, loop_wall_s(a->ca->loop), &r->retry_after_s);
}

static void on_head(void *arg, int status, int64_t content_length)
{
    struct acme *a = arg;

    (void)content_length;
    a->reply.status = status;
}

static bool on_body(void *arg, struct str bytes)
{
    struct acme *a = arg;

    if (a->reply.too_big || buf_append_str(&a->reply.body, bytes) != 0)
        a->reply.too_big = true; /* the rest is passed over; the total time bounds it */
    return true;
}

static void on_done(void *arg, enum transfer_result result, const char *why)
{
    struct acme *a = arg;

    a->transfer = NULL;
    a->reply.result = a->reply.too_big ? TRANSFER_TOO_BIG : result;
    snprintf(a->reply.why, sizeof a->reply.why, "%s",
             a->reply.too_big ? "the reply is too long" : why);
    a->has_reply = true;
    if (a->reply.nonce[0] != '\0')
        acme_ca_add_nonce(a->ca, a->reply.nonce);
    acme_wake(a);
}

static enum pull on_pull(void *arg, char *out, size_t cap, size_t *n)
{
    struct acme *a = arg;
    size_t left = a->body.len - a->sent;

    if (left == 0)
        return PULL_END;
    *n = left < cap ? left : cap;
    memcpy(out, a->body.p + a->sent, *n);
    a->sent += *n;
    return PULL_BYTES;
}

static const struct transfer_events transfer_events = {
    .on_field = on_field,
    .on_head = on_head,
    .on_body = on_body,
    .on_done = on_done,
    .pull = on_pull,
};

static int sign(struct acme *a, struct err *e)
{
    char nonce[ACME_NONCE_MAX + 1];
    struct jws in = {
        .key = a->ca->key,
        .kid = a->request.with_jwk ? NULL : a->ca->kid,
        .nonce = nonce,
        .url = a->request.url,
        .payload = buf_str(&a->request.payload),
    };

    free(a->used_kid);
    a->used_kid = in.kid == NULL ? NULL : xstrdup(in.kid);
    if (!acme_ca_take_nonce(a->ca, nonce))
        return err_set(e, ERR_PROTOCOL, "the CA gives no nonces");
    return jws_sign(&in, &a->body, e);
}

static void clear_reply(struct acme_reply *r)
{
    buf_clear(&r->body);
    *r = (struct acme_reply){.body = r->body};
}

int acme_exchange(struct acme *a, struct err *e)
{
    static const char *const post_fields[] = {"User-Agent: lintel/" PACKAGE_VERSION,
                                              "Content-Type: application/jose+json", NULL};
    static const char *const get_fields[] = {"User-Agent: lintel/" PACKAGE_VERSION, NULL};
    bool post = strcmp(a->request.method, "POST") == 0;
    struct transfer_spec spec = {
        .events = &transfer_events,
        .arg = a,
        .method = a->request.method,
        .url = a->request.url,
        .fields = post ? post_fields : get_fields,
        .ca_file = a->ca->conf.ca_root[0] == '\0' ? NULL : a->ca->conf.ca_root,
        .connect_timeout_ms = ACME_REQUEST_TIMEOUT_MS / 2,
        .total_timeout_ms = ACME_REQUEST_TIMEOUT_MS,
        .max_head = 16 * 1024,
    };

    clear_reply(&a->reply);
    buf_clear(&a->body);
    a->sent = 0;
    if (post && sign(a, e) != 0)
        return -1;
    spec.body_len = (int64_t)a->body.len;
    a->transfer = transfer_start(fetcher_transport(a->ca->fetcher), &spec, e);
    return a->transfer == NULL ? -1 : 0;
}
