/* How a fetch runs:
 *  1. fetch_start() takes a struct fetch with its easy handle from the pool, sets what differs from
 *     the handle's last use, and queues OP_START.
 *  2. run_work(), a task at the end of the loop's batch, does what is queued: it is the one place
 *     that adds, resumes and removes transfers, since curl may not be called from its callbacks.
 *  3. curl's callbacks show the head and the body. A callback of a cancelled fetch stops the
 *     transfer at once.
 *  4. run_work() sees the end, calls on_done and puts the fetch back into the pool, or frees it.
 */
#include "io/fetch_priv.h"

#include "base/alloc.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum {
    POOL_MAX = 256,        /* handles kept for reuse, about 6 KB each... */
    POOL_FROM = 0x080100,  /* ...by versions of libcurl from 8.1.0 on */
    LOOKS_FROM = 0x080100, /* which look themselves for what they have read of HTTP/2 */
    KEEP_TEXT_MAX = 16384, /* bytes of request text kept with a pooled handle */
    ROUNDS_MAX = 32,       /* of work in one batch: the loop's other sources want a turn */
    MAX_HEAD = 256 * 1024
};

static const struct transport_type fetch_type; /* at the end */

void fetch_queue(struct fetch *f, unsigned op)
{
    f->ops |= op;
    if (list_empty(&f->op_item))
        list_add_tail(&f->fr->ops, &f->op_item);
    loop_post(f->fr->loop, &f->fr->work);
}

/* ---- the pool ---- */

static void fetch_free(struct fetch *f)
{
    curl_easy_cleanup(f->easy);
    fetch_options_fini(f);
    free(f);
}

static struct fetch *fetch_get(struct fetcher *fr)
{
    struct fetch *f;

    if (!list_empty(&fr->pool)) {
        f = container_of(fr->pool.next, struct fetch, item);
        list_del(&f->item);
        fr->pooled--;
        return f;
    }
    f = xalloc(sizeof *f);
    f->transfer.type = &fetch_type;
    f->fr = fr;
    list_init(&f->item);
    list_init(&f->op_item);
    f->easy = curl_easy_init();
    if (f->easy == NULL) {
        free(f);
        return NULL;
    }
    fetch_options_init(f);
    return f;
}

/* Before 8.1.0 a handle that is used again remembers the last field of its last response, which has
 * been freed: a response whose first field line is folded is then added to it. */
static bool is_reusable(void)
{
    return curl_version_info(CURLVERSION_NOW)->version_num >= POOL_FROM;
}

/* Back to the pool, or freed. Not from within curl. */
static void release(struct fetch *f)
{
    struct fetcher *fr = f->fr;

    assert(fr->in_curl == 0);
    if (f->added) {
        fr->in_curl++;
        curl_multi_remove_handle(fr->multi, f->easy);
        fr->in_curl--;
        f->added = false;
    }
    timer_cancel(fr->loop, &f->timer);
    list_del(&f->item);
    list_del(&f->op_item);
    f->ops = 0;
    if (fr->pooled >= POOL_MAX || !is_reusable()) {
        fetch_free(f);
        return;
    }
    if (f->text_cap > KEEP_TEXT_MAX) {
        curl_easy_setopt(f->easy, CURLOPT_HTTPHEADER, (struct curl_slist *)NULL);
        free(f->text);
        f->text = NULL;
        f->text_cap = 0;
    }
    fr->pooled++;
    list_add_tail(fr->pool.next, &f->item); /* before the first: the last used is the first */
}

static void finish(struct fetch *f, enum transfer_result result, const char *why)
{
    f->ended = true;
    if (f->events->on_done != NULL)
        f->events->on_done(f->arg, result, why);
    release(f);
}

/* ---- time limits ---- */

static void sooner(uint64_t *due, uint64_t other)
{
    if (other != 0 && (*due == 0 || other < *due))
        *due = other;
}

static void arm(struct fetch *f)
{
    uint64_t now = loop_now_ms(f->fr->loop), due = f->total_due_ms;

    sooner(&due, f->head_due_ms);
    if (f->read_timeout_ms != 0)
        sooner(&due, f->moved_ms + f->read_timeout_ms);
    if (f->write_timeout_ms != 0)
        sooner(&due, f->moved_ms + f->write_timeout_ms);
    if (due != 0)
        timer_set(f->fr->loop, &f->timer, due > now ? due - now : 0);
}

/* Why the transfer has stood still for too long; NULL: it has not, or the wait is for us. */
static const char *stands_still(struct fetch *f, uint64_t now)
{
    const bool sending = f->body_left != 0 && f->at == AT_STATUS;
    unsigned limit = sending ? f->write_timeout_ms : f->read_timeout_ms;

    if (f->sends == 0 || (sending ? f->send_paused : f->recv_paused))
        f->moved_ms = now;
    if (limit == 0 || now - f->moved_ms < limit)
        return NULL;
    return sending ? "nothing more was taken in time" : "nothing more came in time";
}

static void on_due(struct timer *t)
{
    struct fetch *f = container_of(t, struct fetch, timer);
    uint64_t now = loop_now_ms(f->fr->loop);
    const char *still = stands_still(f, now);

    if (f->total_due_ms != 0 && f->total_due_ms <= now) {
        finish(f, TRANSFER_TIMEOUT, "it took too long");
        return;
    }
    if (f->head_due_ms != 0 && f->send_paused)
        f->head_due_ms = now + f->head_timeout_ms; /* the wait is for the request's body */
    if (f->head_due_ms != 0 && f->head_due_ms <= now)
        finish(f, TRANSFER_TIMEOUT, "no answer in time");
    else if (still != NULL)
        finish(f, TRANSFER_TIMEOUT, still);
    else
        arm(f);
}

/* ---- the end of a transfer ---- */

static enum transfer_result result_of(CURLcode code)
{
    switch ((int)code) {
    case CURLE_OK:
        return TRANSFER_OK;
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_INTERFACE_FAILED:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_USE_SSL_FAILED:
    case CURLE_SSL_ISSUER_ERROR:
        return TRANSFER_CONNECT;
    case CURLE_OPERATION_TIMEDOUT: /* the only limit that we leave to curl */
        return TRANSFER_CONNECT_TIMEOUT;
    case CURLE_PARTIAL_FILE:
    case CURLE_GOT_NOTHING:
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
    case CURLE_SEND_FAIL_REWIND:
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL: /* HTTP/0.9 */
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
        return TRANSFER_BROKEN;
    default:
        return TRANSFER_FAILED;
    }
}

/* Of a certificate that is not good, without the names of files that are none of ours. */
static const char *shorten(char *why)
{
    char *at = strstr(why, ". CAfile:");

    if (at != NULL)
        *at = '\0';
    return why;
}

static const char *why_of(struct fetch *f, CURLcode code)
{
    long os_errno = 0;

    if (f->verdict != TRANSFER_OK)
        return f->verdict_why;
    switch ((int)code) {
    case CURLE_OK:
        return "";
    case CURLE_COULDNT_CONNECT:
        curl_easy_getinfo(f->easy, CURLINFO_OS_ERRNO, &os_errno);
        if (os_errno != 0 || f->lacks != 0)
            return strerror(f->lacks != 0 ? f->lacks : (int)os_errno);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        return "no connection in time";
    case CURLE_PARTIAL_FILE:
        return "the response is cut short";
    case CURLE_GOT_NOTHING:
    case CURLE_SEND_FAIL_REWIND:
        return "the connection was closed before an answer";
    default:
        break;
    }
    return f->why[0] != '\0' ? shorten(f->why) : curl_easy_strerror(code);
}

static void complete(struct fetch *f, CURLcode code)
{
    enum transfer_result result = f->verdict != TRANSFER_OK ? f->verdict : result_of(code);

    if (result == TRANSFER_CONNECT && f->lacks != 0)
        result = TRANSFER_EXHAUSTED;
    if (result == TRANSFER_OK && f->at != AT_BODY) {
        f->verdict_why = "the response has no end of its header";
        f->verdict = result = TRANSFER_BROKEN;
    }
    finish(f, result, why_of(f, code));
}

static void read_messages(struct fetcher *fr)
{
    CURLMsg *m;
    int left;

    while ((m = curl_multi_info_read(fr->multi, &left)) != NULL) {
        CURLcode code = m->data.result;
        struct fetch *f;
        char *p = NULL;

        if (m->msg != CURLMSG_DONE)
            continue;
        curl_easy_getinfo(m->easy_handle, CURLINFO_PRIVATE, &p);
        f = (struct fetch *)(void *)p;
        fetch_watch_idle(f);
        if (!f->ended) /* else it was cancelled from a callback, and its OP_CANCEL is queued */
            complete(f, code);
    }
}

/* ---- work ---- */

static void begin(struct fetch *f)
{
    CURLMcode rc;

    f->fr->in_curl++;
    rc = curl_multi_add_handle(f->fr->multi, f->easy);
    f->fr->in_curl--;
    if (rc != CURLM_OK) {
        finish(f, TRANSFER_FAILED, curl_multi_strerror(rc));
        return;
    }
    f->added = true;
    arm(f);
}

static void resume(struct fetch *f, unsigned ops)
{
    bool recv = (ops & OP_RESUME_RECV) != 0 && f->recv_paused;
    bool send = (ops & OP_RESUME_SEND) != 0 && f->send_paused;

    if (!recv && !send)
        return;
    f->recv_paused = f->recv_paused && !recv;
    f->send_paused = f->send_paused && !send;
    f->moved_ms = loop_now_ms(f->fr->loop);
    if (send && f->head_due_ms != 0)
        f->head_due_ms = loop_now_ms(f->fr->loop) + f->head_timeout_ms;
    f->fr->in_curl++;
    curl_easy_pause(f->easy, (f->recv_paused ? CURLPAUSE_RECV : CURLPAUSE_CONT) |
                                 (f->send_paused ? CURLPAUSE_SEND : CURLPAUSE_CONT));
    f->fr->in_curl--;
}

/* libcurl before 8.1 forgets frames that it has read off the socket when a transfer that had paused
 * goes on: if they are the last ones, nothing comes any more and the transfer never ends. It looks
 * for them at its next turn, which every change of what is paused gives it. */
static void look(struct fetch *f)
{
    if (!f->added || f->ended || f->recv_paused ||
        curl_version_info(CURLVERSION_NOW)->version_num >= LOOKS_FROM)
        return;
    if (f->send_paused) {
        resume(f, OP_RESUME_SEND);
        return;
    }
    f->fr->in_curl++;
    curl_easy_pause(f->easy, CURLPAUSE_SEND);
    curl_easy_pause(f->easy, CURLPAUSE_CONT);
    f->fr->in_curl--;
}

static void go_on(struct fetch *f, unsigned ops)
{
    resume(f, ops);
    if ((ops & OP_LOOK) != 0)
        look(f);
}

static void run_ops(struct fetcher *fr)
{
    while (!list_empty(&fr->ops)) {
        struct fetch *f = container_of(fr->ops.next, struct fetch, op_item);
        unsigned ops = f->ops;

        list_del(&f->op_item);
        f->ops = 0;
        if ((ops & OP_CANCEL) != 0)
            release(f);
        else if ((ops & OP_START) != 0)
            begin(f);
        else
            go_on(f, ops);
    }
}

static void run_work(struct task *t)
{
    struct fetcher *fr = container_of(t, struct fetcher, work);

    for (unsigned i = 0; i < ROUNDS_MAX && (i == 0 || !loop_is_late(fr->loop)); i++) {
        run_ops(fr);
        if (fr->timer_due) {
            fr->timer_due = false;
            fetch_socket_action(fr, CURL_SOCKET_TIMEOUT, 0);
        }
        read_messages(fr);
        if (!fr->timer_due && list_empty(&fr->ops)) {
            loop_unpost(fr->loop, &fr->work);
            return;
        }
    }
    loop_unpost(fr->loop, &fr->work);
    timer_set(fr->loop, &fr->timer, 0);
}

/* ---- the interface ---- */

static void init_curl(void)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        abort();
}

struct fetcher *fetcher_new(struct loop *l, unsigned max_idle, struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct fetcher *fr = xalloc(sizeof *fr);

    pthread_once(&once, init_curl);
    fr->multi = curl_multi_init();
    fr->share = curl_share_init();
    if (fr->multi == NULL || fr->share == NULL) {
        curl_multi_cleanup(fr->multi);
        curl_share_cleanup(fr->share);
        free(fr);
        err_set(e, ERR_LIMIT, "libcurl cannot start");
        return NULL;
    }
    curl_share_setopt(fr->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION);
    fr->transport.type = &fetch_type;
    fr->loop = l;
    fr->work.run = run_work;
    list_init(&fr->active);
    list_init(&fr->pool);
    list_init(&fr->ops);
    fetch_sockets_init(fr);
    curl_multi_setopt(fr->multi, CURLMOPT_MAXCONNECTS, (long)max_idle);
    /* A response that waits for its reader would hold up others of the same HTTP/2 connection. */
    curl_multi_setopt(fr->multi, CURLMOPT_PIPELINING, (long)CURLPIPE_NOTHING);
    return fr;
}

void fetcher_free(struct fetcher *fr)
{
    if (fr == NULL)
        return;
    assert(fr->in_curl == 0);
    while (!list_empty(&fr->active)) {
        struct fetch *f = container_of(fr->active.next, struct fetch, item);

        f->ended = true;
        release(f);
    }
    while (!list_empty(&fr->pool)) {
        struct fetch *f = container_of(fr->pool.next, struct fetch, item);

        list_del(&f->item);
        fetch_free(f);
    }
    curl_multi_cleanup(fr->multi); /* closes the idle connections */
    curl_share_cleanup(fr->share);
    fetch_sockets_fini(fr);
    loop_unpost(fr->loop, &fr->work);
    free(fr);
}

static bool is_idempotent(const char *method)
{
    static const char *const methods[] = {"GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"};

    for (size_t i = 0; i < ARRAY_LEN(methods); i++)
        if (strcmp(method, methods[i]) == 0)
            return true;
    return false;
}

/* A used struct fetch to one that is about to run; keeps what belongs to the handle. */
static void reset(struct fetch *f, const struct transfer_spec *spec)
{
    uint64_t now = loop_now_ms(f->fr->loop);

    f->events = spec->events;
    f->arg = spec->arg;
    f->body_left = spec->body_len;
    f->head_timeout_ms = spec->head_timeout_ms;
    f->head_due_ms = spec->head_timeout_ms == 0 ? 0 : now + spec->head_timeout_ms;
    f->read_timeout_ms = spec->read_timeout_ms;
    f->write_timeout_ms = spec->write_timeout_ms;
    f->moved_ms = now;
    f->total_due_ms = spec->total_timeout_ms == 0 ? 0 : now + spec->total_timeout_ms;
    f->timer = (struct timer){.on_timer = on_due};
    f->ended = f->recv_paused = f->send_paused = false;
    f->idempotent = is_idempotent(spec->method);
    f->lacks = 0;
    f->sends = 0;
    f->at = AT_STATUS;
    f->status = 0;
    f->n_interim = 0;
    f->chunked = f->old = f->framed = false;
    f->content_length = -1;
    f->head_bytes = 0;
    f->head_lines = 0;
    f->max_head = spec->max_head == 0 ? MAX_HEAD : spec->max_head;
    f->verdict = TRANSFER_OK;
    f->verdict_why = NULL;
    f->why[0] = '\0';
}

static struct fetch *fetch_of(struct transfer *t)
{
    return container_of(t, struct fetch, transfer);
}

static struct transfer *fetch_start(struct transport *tp, const struct transfer_spec *spec,
                                    struct err *e)
{
    struct fetcher *fr = container_of(tp, struct fetcher, transport);
    struct fetch *f;

    assert(spec->body_len == 0 ||
           (spec->events->pull != NULL && strcmp(spec->method, "HEAD") != 0));
    if (spec->upgrade) {
        err_set(e, ERR_INVALID, "libcurl makes no tunnels of upgrades");
        return NULL;
    }
    if (spec->preamble.len > 0) {
        err_set(e, ERR_INVALID, "libcurl sends no preamble");
        return NULL;
    }
    if (spec->servers != NULL) {
        err_set(e, ERR_INVALID, "libcurl asks the system for names");
        return NULL;
    }
    f = fetch_get(fr);
    if (f == NULL) {
        err_set(e, ERR_LIMIT, "libcurl gives no handle");
        return NULL;
    }
    if (!fetch_options_set(f, spec)) {
        err_set(e, ERR_INVALID, "libcurl does not take the request to %s", spec->url);
        fetch_free(f);
        return NULL;
    }
    reset(f, spec);
    list_add_tail(&fr->active, &f->item);
    fetch_queue(f, OP_START);
    return &f->transfer;
}

static void fetch_cancel(struct transfer *t)
{
    struct fetch *f = fetch_of(t);

    if (f->ended)
        return;
    f->ended = true;
    if (f->fr->in_curl == 0)
        release(f);
    else
        fetch_queue(f, OP_CANCEL);
}

static void fetch_resume_recv(struct transfer *t)
{
    struct fetch *f = fetch_of(t);

    if (!f->ended)
        fetch_queue(f, OP_RESUME_RECV);
}

static void fetch_resume_send(struct transfer *t)
{
    struct fetch *f = fetch_of(t);

    if (!f->ended)
        fetch_queue(f, OP_RESUME_SEND);
}

static const struct transport_type fetch_type = {fetch_start, fetch_cancel, fetch_resume_recv,
                                                 fetch_resume_send, NULL};

struct transport *fetcher_transport(struct fetcher *fr)
{
    return &fr->transport;
}

const char *fetch_version(void)
{
    return curl_version_info(CURLVERSION_NOW)->version;
}
