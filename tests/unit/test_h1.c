/* The HTTP/1.1 engine over loopback: responses of every kind, request bodies, keep-alive, deadlines
 * and the ends of connections. */
#include "base/alloc.h"
#include "h1_rig.h"
#include "http/prepared.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define ASK(r, text) rig_ask(r, "" text, sizeof(text) - 1)
#define LAST "Host: a.test\r\nConnection: close\r\n\r\n"

static struct rig rig;
static struct prepared *kept;
static unsigned handled, ended;

/* ---- the test's handler: what it does depends on the path ---- */

/* A body of `left` bytes 'x'; with pauses it has to be resumed before each piece. */
struct filler {
    struct source source;
    struct timer timer;
    struct exchange *ex;
    int64_t left;
    bool pauses;
    bool ready;
    bool breaks;
};

static void on_filler_timer(struct timer *t)
{
    struct filler *f = container_of(t, struct filler, timer);

    f->ready = true;
    exchange_resume(f->ex);
}

static enum pull filler_pull(struct source *s, char *buf, size_t cap, size_t *n)
{
    struct filler *f = container_of(s, struct filler, source);

    if (f->pauses && !f->ready) {
        timer_set(f->ex->loop, &f->timer, 0);
        return PULL_AGAIN;
    }
    f->ready = false;
    if (f->left == 0)
        return f->breaks ? PULL_FAIL : PULL_END;
    *n = (int64_t)cap < f->left ? cap : (size_t)f->left;
    memset(buf, 'x', *n);
    f->left -= (int64_t)*n;
    return PULL_BYTES;
}

static void filler_close(struct source *s)
{
    struct filler *f = container_of(s, struct filler, source);

    timer_cancel(f->ex->loop, &f->timer);
    ended++;
}

static void fill(struct exchange *ex, int64_t len, bool known, bool pauses, bool breaks)
{
    struct filler *f = arena_alloc(ex->arena, sizeof *f);

    *f = (struct filler){.source = {filler_pull, filler_close},
                         .timer = {.on_timer = on_filler_timer},
                         .ex = ex,
                         .left = len,
                         .pauses = pauses,
                         .breaks = breaks};
    exchange_respond_source(ex, 200, &f->source, known ? len + breaks : -1);
}

/* Counts the request body and answers with its length, reading a few bytes at a time. */
struct counter {
    struct timer timer;
    struct exchange *ex;
    uint64_t n;
};

static void count(struct exchange *ex)
{
    struct counter *c = ex->handler_data;
    char bytes[1000];
    enum pull got;
    size_t n = 0;

    while ((got = exchange_read_body(ex, bytes, sizeof bytes, &n)) == PULL_BYTES)
        c->n += n;
    if (got == PULL_END)
        exchange_respond_bytes(ex, 200,
                               arena_printf(ex->arena, "counted %llu", (unsigned long long)c->n));
}

static void on_slow_count(struct timer *t)
{
    struct counter *c = container_of(t, struct counter, timer);

    c->ex->on_request_body = count;
    count(c->ex);
}

static void cancel_counter(void *arg)
{
    struct counter *c = arg;

    timer_cancel(c->ex->loop, &c->timer);
    ended++;
}

static void start_count(struct exchange *ex, bool slowly)
{
    struct counter *c = arena_alloc(ex->arena, sizeof *c);

    *c = (struct counter){.timer = {.on_timer = on_slow_count}, .ex = ex};
    ex->handler_data = c;
    exchange_defer(ex, cancel_counter, c);
    if (slowly)
        timer_set(ex->loop, &c->timer, 30);
    else
        on_slow_count(&c->timer);
}

static void on_later(struct timer *t)
{
    exchange_respond_bytes(container_of(t, struct counter, timer)->ex, 200, STR_LIT("later"));
}

static struct timer *latest_timer; /* of start_later */

static void start_later(struct exchange *ex, uint64_t ms)
{
    struct counter *c = arena_alloc(ex->arena, sizeof *c);

    *c = (struct counter){.timer = {.on_timer = on_later}, .ex = ex};
    exchange_defer(ex, cancel_counter, c);
    timer_set(ex->loop, &c->timer, ms);
    latest_timer = &c->timer;
}

static void send_file(struct exchange *ex, size_t len, size_t promised)
{
    int fd = memfd_create("body", MFD_CLOEXEC);
    char *bytes = xalloc(len + 10);

    memset(bytes, 'f', len + 10);
    if (fd == -1 || write(fd, bytes, len + 10) != (ssize_t)len + 10 ||
        ftruncate(fd, (off_t)len + 10) != 0)
        abort();
    free(bytes);
    exchange_respond_file(ex, 200, fd, false, 10, (int64_t)promised);
}

static enum verdict handle(const void *conf, struct exchange *ex)
{
    (void)conf;
    handled++;
    fields_add(&ex->response, ex->arena, STR_LIT("X-Path"), ex->path);
    if (str_is(ex->path, "/bytes"))
        exchange_respond_bytes(ex, 200, STR_LIT("hello"));
    else if (str_is(ex->path, "/none"))
        exchange_respond(ex, 204);
    else if (str_is(ex->path, "/304"))
        exchange_respond(ex, 304);
    else if (str_is(ex->path, "/prepared"))
        exchange_respond_prepared(ex, kept);
    else if (str_is(ex->path, "/known"))
        fill(ex, 300000, true, false, false);
    else if (str_is(ex->path, "/known-pauses"))
        fill(ex, 300000, true, true, false);
    else if (str_is(ex->path, "/unknown"))
        fill(ex, 300000, false, false, false);
    else if (str_is(ex->path, "/unknown-pauses"))
        fill(ex, 300000, false, true, false);
    else if (str_is(ex->path, "/known-breaks"))
        fill(ex, 1000, true, false, true);
    else if (str_is(ex->path, "/unknown-breaks"))
        fill(ex, 1000, false, true, true);
    else if (str_is(ex->path, "/huge"))
        fill(ex, 64 * 1024 * 1024, true, false, false);
    else if (str_is(ex->path, "/file"))
        send_file(ex, 500000, 500000);
    else if (str_is(ex->path, "/short-file"))
        send_file(ex, 1000, 2000);
    else if (str_is(ex->path, "/count"))
        start_count(ex, false);
    else if (str_is(ex->path, "/count-slowly"))
        start_count(ex, true);
    else if (str_is(ex->path, "/later"))
        start_later(ex, 10);
    else if (str_is(ex->path, "/never"))
        start_later(ex, 1000000);
    else if (str_is(ex->path, "/abort"))
        exchange_abort(ex);
    else
        return NEXT;
    return TAKEN;
}

/* ---- helpers ---- */

static unsigned occurrences(const char *text, const char *what)
{
    unsigned n = 0;

    while ((text = strstr(text, what)) != NULL) {
        text += strlen(what);
        n++;
    }
    return n;
}

static size_t body_length(const char *answer)
{
    const char *body = strstr(answer, "\r\n\r\n");

    assert_non_null(body);
    return strlen(body + 4);
}

static int set_up(void **state)
{
    (void)state;
    handled = ended = 0;
    kept = prepared_new(200, STR_LIT("kept ready"));
    fields_add(&kept->fields, kept->arena, STR_LIT("ETag"), STR_LIT("\"1\""));
    rig_open(&rig, NULL, handle);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    rig_close(&rig);
    assert_int_equal(kept->refs, 1);
    prepared_unref(kept);
    return 0;
}

/* ---- responses ---- */

static void answers_bytes(void **state)
{
    const char *a = ASK(&rig, "GET /bytes HTTP/1.1\r\n" LAST);

    (void)state;
    assert_int_equal(strncmp(a, "HTTP/1.1 200 OK\r\n", 17), 0);
    assert_non_null(strstr(a, "\r\nServer: Lintel\r\n"));
    assert_non_null(strstr(a, "\r\nX-Path: /bytes\r\n"));
    assert_non_null(strstr(a, "\r\nContent-Length: 5\r\n"));
    assert_non_null(strstr(a, "\r\nDate: "));
    assert_non_null(strstr(a, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(a, "\r\n\r\nhello"));
}

static void keeps_connections(void **state)
{
    const char *a = ASK(&rig, "GET /bytes HTTP/1.1\r\nHost: a.test\r\n\r\n"
                              "GET /prepared HTTP/1.1\r\nHost: a.test\r\n\r\n"
                              "GET /later HTTP/1.1\r\nHost: a.test\r\n\r\n"
                              "POST /count HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"
                              "POST /bytes HTTP/1.1\r\nHost: a.test\r\nContent-Length: 3\r\n\r\nabc"
                              "GET /bytes HTTP/1.1\r\n" LAST);

    (void)state;
    assert_int_equal(occurrences(a, "HTTP/1.1 200 OK\r\n"), 6);
    assert_int_equal(occurrences(a, "Connection: "), 1);
    assert_int_equal(handled, 6);
    assert_non_null(strstr(a, "counted 3HTTP"));
}

static void answers_head_204_304_without_a_body(void **state)
{
    const char *a;

    (void)state;
    a = ASK(&rig, "HEAD /bytes HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Content-Length: 5\r\n"));
    assert_int_equal(body_length(a), 0);
    a = ASK(&rig, "HEAD /prepared HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Content-Length: 10\r\n"));
    assert_int_equal(body_length(a), 0);
    a = ASK(&rig, "HEAD /known HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Content-Length: 300000\r\n"));
    assert_int_equal(body_length(a), 0);
    a = ASK(&rig, "HEAD /file HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Content-Length: 500000\r\n"));
    assert_int_equal(body_length(a), 0);
    a = ASK(&rig, "GET /none HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "HTTP/1.1 204 "));
    assert_null(strstr(a, "Content-Length"));
    assert_int_equal(body_length(a), 0);
    a = ASK(&rig, "GET /304 HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "HTTP/1.1 304 "));
    assert_int_equal(body_length(a), 0);
}

static void keeps_prepared_responses_ready(void **state)
{
    const char *a;

    (void)state;
    for (int i = 0; i < 20; i++) {
        a = ASK(&rig, "GET /prepared HTTP/1.1\r\nHost: a.test\r\n\r\n"
                      "GET /prepared HTTP/1.1\r\n" LAST);
        assert_int_equal(occurrences(a, "HTTP/1.1 200 OK"), 2);
        assert_int_equal(occurrences(a, "ETag: \"1\"\r\n"), 2);
        assert_int_equal(occurrences(a, "X-Path: /prepared\r\n"), 2);
        assert_int_equal(occurrences(a, "kept ready"), 2);
    }
    assert_non_null(kept->variants);
}

static void sends_sources(void **state)
{
    const char *a;

    (void)state;
    a = ASK(&rig, "GET /known HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Content-Length: 300000\r\n"));
    assert_int_equal(body_length(a), 300000);
    a = ASK(&rig, "GET /known-pauses HTTP/1.1\r\n" LAST);
    assert_int_equal(body_length(a), 300000);
    a = ASK(&rig, "GET /unknown HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "Transfer-Encoding: chunked\r\n"));
    assert_non_null(strstr(a, "\r\n0\r\n\r\n"));
    assert_true(body_length(a) > 300000);
    a = ASK(&rig, "GET /unknown-pauses HTTP/1.1\r\n" LAST);
    assert_non_null(strstr(a, "\r\n0\r\n\r\n"));
    a = ASK(&rig, "GET /unknown HTTP/1.0\r\n\r\n");
    assert_null(strstr(a, "Transfer-Encoding"));
    assert_int_equal(body_length(a), 300000);
    assert_int_equal(ended, 5);
}

static void breaks_off_where_a_source_fails(void **state)
{
    const char *a;

    (void)state;
    a = ASK(&rig, "GET /known-breaks HTTP/1.1\r\nHost: a.test\r\n\r\n"
                  "GET /bytes HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_int_equal(body_length(a), 1000); /* of 1001 */
    a = ASK(&rig, "GET /unknown-breaks HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_null(strstr(a, "\r\n0\r\n\r\n"));
    assert_int_equal(ended, 2);
    a = ASK(&rig, "GET /abort HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_string_equal(a, "");
}

static void sends_files(void **state)
{
    const char *a = ASK(&rig, "GET /file HTTP/1.1\r\nHost: a.test\r\n\r\n"
                              "GET /bytes HTTP/1.1\r\n" LAST);

    (void)state;
    assert_int_equal(occurrences(a, "HTTP/1.1 200 OK"), 2);
    assert_int_equal(occurrences(a, "ffffffffff"), 50000);
}

/* ---- request bodies ---- */

static void put(struct buf *b, const char *fmt, size_t n)
{
    if (buf_printf(b, fmt, n) != 0)
        abort();
}

static void put_body(struct buf *b, size_t n)
{
    if (buf_reserve(b, n) != 0)
        abort();
    memset(b->p + b->len, 'b', n);
    b->len += n;
}

/* A request with a body of n bytes, with Content-Length or in chunks; free it. */
static char *upload(const char *path, size_t n, bool chunked, size_t *len)
{
    struct buf b = BUF_INIT(n * 2 + 1000);

    if (buf_printf(&b, "POST %s HTTP/1.1\r\n", path) != 0)
        abort();
    if (!chunked) {
        put(&b, "Content-Length: %zu\r\n" LAST, n);
        put_body(&b, n);
    } else {
        put(&b, "Transfer-Encoding: chunked\r\n" LAST, 0);
        for (size_t left = n, piece; left > 0; left -= piece) {
            piece = left < 777 ? left : 777;
            put(&b, "%zx\r\n", piece);
            put_body(&b, piece);
            put(&b, "\r\n", 0);
        }
        put(&b, "0\r\n\r\n", 0);
    }
    *len = b.len;
    return buf_take(&b);
}

static void reads_bodies(void **state)
{
    static const size_t sizes[] = {1, 1000, 8192, 40000, 33000, 1000000};
    char want[64];

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int how = 0; how < 4; how++) {
            size_t len;
            char *text = upload(how & 1 ? "/count" : "/count-slowly", sizes[i], how & 2, &len);
            const char *a = rig_ask(&rig, text, len);

            snprintf(want, sizeof want, "counted %zu", sizes[i]);
            if (strstr(a, want) == NULL)
                fail_msg("%zu bytes, way %d: %s", sizes[i], how, a);
            free(text);
        }
}

/* A body that nobody reads: short ones are read to their end, long ones end the connection; the
 * answer arrives in every case. */
static void answers_over_unwanted_bodies(void **state)
{
    static const size_t sizes[] = {10, 60000, 70000, 5000000};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        for (int chunked = 0; chunked < 2; chunked++) {
            size_t len;
            char *text = upload("/bytes", sizes[i], chunked, &len);
            const char *a = rig_ask(&rig, text, len);

            assert_non_null(strstr(a, "hello"));
            free(text);
        }
}

static void answers_in_the_middle_of_a_body(void **state)
{
    size_t len;
    char *text = upload("/later", 3000000, false, &len);

    (void)state;
    assert_non_null(strstr(rig_ask(&rig, text, len), "later"));
    free(text);
}

static void says_continue(void **state)
{
    static const char head[] =
        "POST /count HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" LAST;
    struct buf answer = BUF_INIT(10000);
    int fd = rig_connect(&rig);
    const char *a;

    (void)state;
    assert_true(write(fd, head, sizeof head - 1) > 0);
    RIG_UNTIL(&rig, rig_readable(fd));
    rig_talk(&rig, fd, "abc", 3, &answer);
    assert_int_equal(strncmp(answer.p, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK", 40), 0);
    assert_non_null(strstr(answer.p, "counted 3"));
    buf_fini(&answer);
    a = ASK(&rig, "POST /bytes HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 3\r\n" LAST);
    assert_int_equal(strncmp(a, "HTTP/1.1 200 OK", 15), 0);
}

/* ---- ends ---- */

static void frees_what_is_under_way(void **state)
{
    static const char never[] = "GET /never HTTP/1.1\r\nHost: a.test\r\n\r\n";
    static const char half[] =
        "POST /count-slowly HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1";
    static const char huge[] = "GET /huge HTTP/1.1\r\nHost: a.test\r\n\r\n";
    int fds[4] = {rig_connect(&rig), rig_connect(&rig), rig_connect(&rig), rig_connect(&rig)};

    (void)state;
    assert_true(write(fds[0], never, sizeof never - 1) > 0);
    assert_true(write(fds[1], half, sizeof half - 1) > 0);
    assert_true(write(fds[2], huge, sizeof huge - 1) > 0);
    assert_true(write(fds[3], huge, 10) > 0);
    RIG_UNTIL(&rig, handled == 3 && h1_engine_connections(rig.engine) == 4);
    h1_engine_free(rig.engine);
    rig.engine = NULL;
    assert_int_equal(ended, 3);
    for (int i = 0; i < 4; i++)
        close(fds[i]);
}

static void notices_that_a_client_has_gone(void **state)
{
    static const char never[] = "GET /never HTTP/1.1\r\nHost: a.test\r\n\r\n";
    int fd = rig_connect(&rig);

    (void)state;
    assert_true(write(fd, never, sizeof never - 1) > 0);
    RIG_UNTIL(&rig, handled == 1);
    close(fd);
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
    assert_int_equal(ended, 1);
}

static void drains(void **state)
{
    static const char one[] = "GET /bytes HTTP/1.1\r\nHost: a.test\r\n\r\n";
    static const char never[] = "GET /never HTTP/1.1\r\nHost: a.test\r\n\r\n";
    struct buf answer = BUF_INIT(100000);
    int idle = rig_connect(&rig), busy = rig_connect(&rig), silent = rig_connect(&rig);

    (void)state;
    assert_true(write(idle, one, sizeof one - 1) > 0);
    RIG_UNTIL(&rig, rig_readable(idle));
    assert_true(write(busy, never, sizeof never - 1) > 0);
    RIG_UNTIL(&rig, handled == 2);
    h1_engine_drain(rig.engine);
    on_later(latest_timer); /* its time has come, early */
    rig_talk(&rig, idle, "", 0, &answer);
    assert_non_null(strstr(answer.p, "hello"));
    buf_clear(&answer);
    rig_talk(&rig, busy, "", 0, &answer);
    assert_non_null(strstr(answer.p, "later"));
    assert_non_null(strstr(answer.p, "Connection: close"));
    rig_talk(&rig, silent, "", 0, &answer);
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
    buf_fini(&answer);
}

/* A response that had begun as one of a kept connection. */
static void drains_in_mid_response(void **state)
{
    static const char file[] = "GET /file HTTP/1.1\r\nHost: a.test\r\n\r\n";
    struct buf answer = BUF_INIT(2000000);
    int fd = rig_connect(&rig), small = 4096;

    (void)state;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    assert_true(write(fd, file, sizeof file - 1) > 0);
    RIG_UNTIL(&rig, rig_readable(fd));
    h1_engine_drain(rig.engine);
    rig_talk(&rig, fd, "", 0, &answer);
    assert_int_equal(body_length(answer.p), 500000);
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
    buf_fini(&answer);
}

/* Opens the rig again with other limits. */
static void reopen(const struct rig_options *o)
{
    rig_close(&rig);
    rig_open(&rig, o, handle);
}

static void cuts_slow_clients(void **state)
{
    static const struct rig_options o = {
        .header_timeout_ms = 100, .idle_timeout_ms = 100, .body_timeout_ms = 100};
    static const char *const starts[] = {
        "",
        "GET /by",
        "GET /bytes HTTP/1.1\r\nHost: a",
        "GET /bytes HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n1",
        NULL};

    (void)state;
    reopen(&o);
    for (int i = 0; starts[i] != NULL; i++)
        rig_ask(&rig, starts[i], strlen(starts[i])); /* ends, or the rig's guard aborts */
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
}

static void cuts_clients_that_do_not_read(void **state)
{
    static const struct rig_options o = {.body_timeout_ms = 100};
    static const char *const huge[] = {"GET /huge HTTP/1.1\r\nHost: a.test\r\n\r\n"};
    int fd;

    (void)state;
    reopen(&o);
    fd = rig_connect(&rig);
    assert_true(write(fd, huge[0], strlen(huge[0])) > 0);
    RIG_UNTIL(&rig, h1_engine_connections(rig.engine) == 0);
    assert_int_equal(ended, 1);
    close(fd);
}

static void cuts_off_files_that_shrink(void **state)
{
    static const struct rig_options o = {.body_timeout_ms = 1000};
    const char *a;

    (void)state;
    reopen(&o);
    a = ASK(&rig, "GET /short-file HTTP/1.1\r\nHost: a.test\r\n\r\n"
                  "GET /bytes HTTP/1.1\r\nHost: a.test\r\n\r\n");
    assert_int_equal(body_length(a), 1000);
    assert_int_equal(handled, 1);
}

static void makes_room_for_new_clients(void **state)
{
    static const struct rig_options o = {.max_connections = 4};
    int fds[10];

    (void)state;
    reopen(&o);
    for (int i = 0; i < 10; i++) {
        fds[i] = rig_connect(&rig);
        RIG_UNTIL(&rig, h1_engine_connections(rig.engine) <= 5);
    }
    assert_non_null(strstr(ASK(&rig, "GET /bytes HTTP/1.1\r\n" LAST), "hello"));
    for (int i = 0; i < 10; i++)
        close(fds[i]);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(answers_bytes),
        TEST(keeps_connections),
        TEST(answers_head_204_304_without_a_body),
        TEST(keeps_prepared_responses_ready),
        TEST(sends_sources),
        TEST(breaks_off_where_a_source_fails),
        TEST(sends_files),
        TEST(reads_bodies),
        TEST(answers_over_unwanted_bodies),
        TEST(answers_in_the_middle_of_a_body),
        TEST(says_continue),
        TEST(frees_what_is_under_way),
        TEST(notices_that_a_client_has_gone),
        TEST(drains),
        TEST(drains_in_mid_response),
        TEST(cuts_slow_clients),
        TEST(cuts_clients_that_do_not_read),
        TEST(cuts_off_files_that_shrink),
        TEST(makes_room_for_new_clients),
    };

    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
