#include "transfer_rig.h"

#include "base/alloc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

enum carrier carrier;

/* ---- what it is told ---- */

static bool cancels_here(struct client *c, char where)
{
    if (c->cancel_in != where)
        return false;
    c->cancelled = true;
    transfer_cancel(c->transfer);
    loop_stop(c->loop);
    return true;
}

static void on_field(void *arg, struct str name, struct str value)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    assert_int_equal(buf_printf(&c->fields, STR_FMT "=" STR_FMT "|", STR_ARG(name), STR_ARG(value)),
                     0);
    cancels_here(c, 'f');
}

static void on_interim_field(void *arg, struct str name, struct str value)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    assert_int_equal(
        buf_printf(&c->fields, "^" STR_FMT "=" STR_FMT "|", STR_ARG(name), STR_ARG(value)), 0);
    cancels_here(c, 'g');
}

static void on_interim(void *arg, int status)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    assert_int_equal(buf_printf(&c->fields, "^(%d)", status), 0);
    cancels_here(c, 'i');
}

static void on_trailer(void *arg, struct str name, struct str value)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    assert_int_equal(
        buf_printf(&c->fields, "~" STR_FMT "=" STR_FMT "|", STR_ARG(name), STR_ARG(value)), 0);
    cancels_here(c, 't');
}

static void on_eof(void *arg)
{
    struct client *c = arg;

    assert_false(c->cancelled || c->eof);
    c->eof = true;
    if (!cancels_here(c, 'e'))
        transfer_resume_send(c->transfer);
}

static void on_head(void *arg, int status, int64_t content_length)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    c->heads++;
    c->status = status;
    c->content_length = content_length;
    cancels_here(c, 'h');
}

static bool stalls(struct client *c)
{
    if (c->stall == 0)
        return false;
    c->stall--;
    timer_set(c->loop, &c->resume, 5);
    return true;
}

static bool on_body(void *arg, struct str bytes)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    if (cancels_here(c, 'b'))
        return false;
    if (stalls(c))
        return false;
    c->received += bytes.len;
    if (c->body.len + bytes.len <= c->body.max)
        assert_int_equal(buf_append_str(&c->body, bytes), 0);
    return true;
}

static void on_done(void *arg, enum transfer_result result, const char *why)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    assert_false(c->done);
    c->done = true;
    c->result = result;
    snprintf(c->why, sizeof c->why, "%s", why);
    cancels_here(c, 'd');
    timer_cancel(c->loop, &c->resume); /* the transfer is freed now */
    loop_stop(c->loop);
}

static enum pull on_pull(void *arg, char *buf, size_t cap, size_t *n)
{
    struct client *c = arg;

    assert_false(c->cancelled);
    if (cancels_here(c, 'p'))
        return PULL_AGAIN;
    if (stalls(c))
        return PULL_AGAIN;
    if (c->to_send == 0)
        return c->at_end;
    *n = c->to_send < cap ? c->to_send : cap;
    memset(buf, 'x', *n);
    if (c->text != NULL) {
        memcpy(buf, c->text, *n);
        c->text += *n;
    }
    c->to_send -= *n;
    return PULL_BYTES;
}

static void on_resume(struct timer *t)
{
    struct client *c = container_of(t, struct client, resume);

    transfer_resume_recv(c->transfer);
    transfer_resume_send(c->transfer);
}

static void on_limit(struct timer *t)
{
    struct client *c = container_of(t, struct client, limit);

    loop_stop(c->loop);
}

/* ---- its life ---- */

static void open_transport(struct client *c)
{
    const struct direct_limits limits = {.idle_max = 8};
    struct err e;

    if (carrier == CARRIER_CURL) {
        c->fetcher = fetcher_new(c->loop, 8, &e);
        assert_non_null(c->fetcher);
        c->transport = fetcher_transport(c->fetcher);
    } else {
        c->direct = direct_new(c->loop, c->resolver, &limits);
        c->transport = direct_transport(c->direct);
    }
}

void client_init(struct client *c, const struct peer *s)
{
    struct err e;

    memset(c, 0, sizeof *c);
    c->loop = loop_new(&e);
    assert_int_equal(mailbox_init(&c->box, c->loop, NULL, &e), 0);
    c->offload = offload_new(1, 8);
    c->resolver = resolver_new(c->loop, c->offload, &c->box);
    open_transport(c);
    c->fields = BUF_INIT(65536);
    c->body = BUF_INIT(65536);
    c->limit.on_timer = on_limit;
    c->resume.on_timer = on_resume;
    c->at_end = PULL_END;
    c->events = (struct transfer_events){.on_field = on_field,
                                         .on_head = on_head,
                                         .on_body = on_body,
                                         .on_done = on_done,
                                         .pull = on_pull,
                                         .on_interim_field = on_interim_field,
                                         .on_interim = on_interim,
                                         .on_trailer = on_trailer,
                                         .on_eof = on_eof};
    snprintf(c->url, sizeof c->url, "http://127.0.0.1:%u/a/../b?q", s->port);
    c->spec =
        (struct transfer_spec){.events = &c->events, .arg = c, .method = "GET", .url = c->url};
}

void client_fini(struct client *c)
{
    timer_cancel(c->loop, &c->limit);
    timer_cancel(c->loop, &c->resume);
    fetcher_free(c->fetcher);
    direct_free(c->direct);
    resolver_free(c->resolver);
    offload_wait(c->offload, &c->box);
    mailbox_fini(&c->box);
    offload_free(c->offload);
    loop_free(c->loop);
    buf_fini(&c->fields);
    buf_fini(&c->body);
}

void client_start(struct client *c)
{
    struct err e = {.msg = ""};

    buf_clear(&c->fields);
    buf_clear(&c->body);
    c->done = c->cancelled = c->eof = false;
    c->heads = 0;
    c->status = 0;
    c->received = 0;
    c->transfer = transfer_start(c->transport, &c->spec, &e);
    if (c->transfer == NULL)
        fail_msg("%s", e.msg);
    assert_false(c->done);
    timer_set(c->loop, &c->limit, LIMIT_MS);
}

void client_run(struct client *c)
{
    struct err e;

    client_start(c);
    assert_int_equal(loop_run(c->loop, &e), 0);
    timer_cancel(c->loop, &c->limit);
    if (c->cancel_in == 0)
        assert_true(c->done);
}

void client_pass_time(struct client *c, uint64_t ms)
{
    struct err e;

    timer_set(c->loop, &c->limit, ms);
    assert_int_equal(loop_run(c->loop, &e), 0);
}

const char *client_text(const struct buf *b)
{
    return b->len == 0 ? "" : b->p;
}
