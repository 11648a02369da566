/* Each carrier of transfers against a little server in threads of its own: each test scripts what
 * it says. */
#include "transfer_rig.h"

#include "base/alloc.h"

#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- the request on the wire ---- */

static char seen[8192];

/* It says that it closes: a request that is not idempotent would else be lost in the race for a
 * connection that is being closed. */
static void serve_seen(struct peer *s, int fd)
{
    (void)s;
    if (peer_read_head(fd, seen, sizeof seen))
        peer_say(fd, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
}

static void sends_what_it_is_told_and_no_more(void **state)
{
    static const char *const fields[] = {"Host: example.org", "X-Empty:", "X-Space: ", "X-A: b: c",
                                         NULL};
    struct peer s;
    struct client c;
    char want[256];

    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1); /* has no say */
    peer_start(&s, serve_seen, NULL);
    client_init(&c, &s);
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    snprintf(want, sizeof want, "GET /a/../b?q HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n\r\n", s.port);
    assert_string_equal(seen, want);
    c.spec.fields = fields;
    c.spec.target = "/%7e\"{}?a=b c";
    c.spec.method = "PROPFIND";
    client_run(&c);
    assert_string_equal(seen, "PROPFIND /%7e\"{}?a=b c HTTP/1.1\r\nHost: example.org\r\n"
                              "X-Empty:\r\nX-Space:\r\nX-A: b: c\r\n\r\n");
    c.spec.target = NULL;
    c.spec.fields = fields + 3;
    c.spec.method = "GET";
    client_run(&c);
    snprintf(want, sizeof want, "GET /a/../b?q HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nX-A: b: c\r\n\r\n",
             s.port);
    assert_string_equal(seen, want);
    client_fini(&c);
    peer_stop(&s);
    unsetenv("http_proxy");
}

/* ---- responses, one a row ---- */

struct response {
    const char *name;
    const char *text;
    enum transfer_result result;
    int status;
    int64_t content_length;
    const char *fields;
    const char *body;
};

static const struct response responses[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\nA: 1\r\n\r\nabc", TRANSFER_OK, 200, 3,
     "Content-Length=3|A=1|", "abc"},
    {"no reason", "HTTP/1.1 404\r\nContent-Length: 0\r\n\r\n", TRANSFER_OK, 404, 0,
     "Content-Length=0|", ""},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n",
     TRANSFER_OK, 200, -1, "Transfer-Encoding=chunked|", "abcd"},
    {"trailers are no fields",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX: y\r\nZ : \r\n\r\n",
     TRANSFER_OK, 200, -1, "Transfer-Encoding=chunked|~X=y|~Z=|", "a"},
    {"until close", "HTTP/1.0 200 OK\r\n\r\nabc", TRANSFER_OK, 200, -1, "", "abc"},
    {"interim responses",
     "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\nContent-Length: 9\r\n\r\n"
     "HTTP/1.1 201 Created\r\nContent-Length: 1\r\n\r\na",
     TRANSFER_OK, 201, 1, "^(100)^Link=x|^Content-Length=9|^(103)Content-Length=1|", "a"},
    {"204", "HTTP/1.1 204 No Content\r\n\r\n", TRANSFER_OK, 204, -1, "", ""},
    {"304 with a length", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", TRANSFER_OK,
     304, 5, "Content-Length=5|", ""},
    {"space before the colon goes", "HTTP/1.1 200 OK\r\nA : b\r\nContent-Length: 0\r\n\r\n",
     TRANSFER_OK, 200, 0, "A=b|Content-Length=0|", ""},
    {"the same length twice",
     "HTTP/1.1 200 OK\r\nContent-Length: 1, 1\r\nContent-Length: 1\r\n\r\na", TRANSFER_OK, 200, 1,
     "Content-Length=1, 1|Content-Length=1|", "a"},
    {"no redirects", "HTTP/1.1 301 Moved\r\nLocation: /b\r\nContent-Length: 0\r\n\r\n", TRANSFER_OK,
     301, 0, "Location=/b|Content-Length=0|", ""},
    {"no decoding", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
     TRANSFER_OK, 200, 3, "Content-Encoding=gzip|Content-Length=3|", "abc"},
    {"cut in the body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", TRANSFER_BROKEN, 200, 9,
     "Content-Length=9|", "abc"},
    {"cut in a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc",
     TRANSFER_BROKEN, 200, -1, "Transfer-Encoding=chunked|", "abc"},
    {"cut between chunks", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
     TRANSFER_BROKEN, 200, -1, "Transfer-Encoding=chunked|", "abc"},
    {"cut after the last chunk",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n", TRANSFER_BROKEN, 200,
     -1, "Transfer-Encoding=chunked|", "abc"},
    {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
     TRANSFER_BROKEN, 200, -1, "Transfer-Encoding=chunked|", ""},
    {"cut in the header", "HTTP/1.1 200 OK\r\nContent-Le", TRANSFER_BROKEN, 0, 0, "", ""},
    {"nothing", "", TRANSFER_BROKEN, 0, 0, "", ""},
    {"no HTTP", "SSH-2.0-OpenSSH_9.2\r\n", TRANSFER_BROKEN, 0, 0, "", ""},
    {"only interim", "HTTP/1.1 100 Continue\r\n\r\n", TRANSFER_BROKEN, 0, 0, "^(100)", ""},
    {"101 unasked", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nabc", TRANSFER_BROKEN, 0,
     0, "", ""},
    {"lengths differ", "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
     TRANSFER_BROKEN, 0, 0, "Content-Length=1|", ""},
    {"length is no number", "HTTP/1.1 200 OK\r\nContent-Length: +1\r\n\r\na", TRANSFER_BROKEN, 0, 0,
     "", ""},
    {"folded line", "HTTP/1.1 200 OK\r\nA: b\r\n c\r\nContent-Length: 0\r\n\r\n", TRANSFER_BROKEN,
     0, 0, "A=b|", ""},
    {"line without a colon", "HTTP/1.1 200 OK\r\nabc\r\nContent-Length: 0\r\n\r\n", TRANSFER_BROKEN,
     0, 0, "", ""},
    {"name is no token", "HTTP/1.1 200 OK\r\nA(: b\r\nContent-Length: 0\r\n\r\n", TRANSFER_BROKEN,
     0, 0, "", ""},
    {"control byte in a value", "HTTP/1.1 200 OK\r\nA: b\x01\r\nContent-Length: 0\r\n\r\n",
     TRANSFER_BROKEN, 0, 0, "", ""},
    {"chunked beside a length",
     "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n"
     "\r\n",
     TRANSFER_BROKEN, 0, 0, "Content-Length=2|Transfer-Encoding=chunked|", ""},
    {"status of four digits", "HTTP/1.1 2000 OK\r\nContent-Length: 0\r\n\r\n", TRANSFER_BROKEN, 0,
     0, "", ""},
};

/* Where they differ, by carrier. */
static const struct response strictness[][1] = {
    [CARRIER_CURL] = {{"lines without CR", "HTTP/1.1 200 OK\nContent-Length: 1\n\na", TRANSFER_OK,
                       200, 1, "Content-Length=1|", "a"}},
    [CARRIER_DIRECT] = {{"lines without CR", "HTTP/1.1 200 OK\nContent-Length: 1\n\na",
                         TRANSFER_BROKEN, 0, 0, "", ""}},
};

static void read_response(const struct response *r)
{
    struct peer s;
    struct client c;

    peer_start(&s, peer_serve_once, r->text);
    client_init(&c, &s);
    client_run(&c);
    if (c.result != r->result || c.status != r->status)
        print_error("%s: result %d status %d (%s)\n", r->name, c.result, c.status, c.why);
    assert_int_equal(c.result, r->result);
    assert_int_equal(c.status, r->status);
    assert_int_equal(c.heads, c.status == 0 ? 0 : 1);
    assert_int_equal(c.content_length, r->content_length);
    assert_string_equal(client_text(&c.fields), r->fields);
    assert_string_equal(client_text(&c.body), r->body);
    assert_int_equal(c.result == TRANSFER_OK, c.why[0] == '\0');
    client_fini(&c);
    peer_stop(&s);
}

static void reads_responses(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(responses); i++)
        read_response(&responses[i]);
    for (size_t i = 0; i < ARRAY_LEN(strictness[carrier]); i++)
        read_response(&strictness[carrier][i]);
}

static void head_has_a_length_and_no_body(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 70\r\n\r\n");
    client_init(&c, &s);
    c.spec.method = "HEAD";
    for (int i = 0; i < 3; i++) {
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.content_length, 70);
        assert_int_equal(c.received, 0);
    }
    assert_int_equal(atomic_load(&s.accepts), 1);
    client_fini(&c);
    peer_stop(&s);
}

static void serve_huge_head(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head) || !peer_say(fd, "HTTP/1.1 200 OK\r\n"))
        return;
    while (
        peer_say(fd, "X-Filler: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"))
        ;
}

static void limits_the_header(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_huge_head, NULL);
    client_init(&c, &s);
    c.spec.max_head = 4096;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_TOO_BIG);
    assert_true(c.fields.len <= 4096);
    client_fini(&c);
    peer_stop(&s);
}

/* ---- connections ---- */

static void keeps_connections(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    client_init(&c, &s);
    for (int i = 0; i < 50; i++) {
        c.spec.method = i % 3 == 0 ? "GET" : i % 3 == 1 ? "DELETE" : "POST";
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_string_equal(c.body.p, "ok");
    }
    assert_int_equal(atomic_load(&s.accepts), 1);
    client_fini(&c);
    peer_stop(&s);
}

static atomic_int posts;

/* Answers the first request of its first connection, then goes without a word at the second. */
static void serve_then_vanish(struct peer *s, int fd)
{
    char head[8192];

    while (peer_read_head(fd, head, sizeof head)) {
        if (strncmp(head, "POST", 4) == 0)
            atomic_fetch_add(&posts, 1);
        if (atomic_load(&s->accepts) == 1 && s->text == NULL)
            return;
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
        if (atomic_load(&s->accepts) == 1)
            s->text = NULL;
    }
}

static void sends_again_only_what_is_idempotent(void **state)
{
    static const struct {
        const char *method;
        enum transfer_result result;
    } rows[] = {{"GET", TRANSFER_OK},
                {"HEAD", TRANSFER_OK},
                {"DELETE", TRANSFER_OK},
                {"POST", TRANSFER_BROKEN}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer s;
        struct client c;

        atomic_store(&posts, 0);
        peer_start(&s, serve_then_vanish, "first");
        client_init(&c, &s);
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        c.spec.method = rows[i].method;
        client_run(&c);
        assert_int_equal(c.result, rows[i].result);
        assert_true(atomic_load(&posts) <= 1);
        client_fini(&c);
        peer_stop(&s);
    }
}

static void tells_a_refused_connection(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "");
    client_init(&c, &s);
    peer_stop(&s);
    c.spec.method = "POST";
    c.spec.body_len = c.to_send = 3;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_CONNECT);
    assert_string_equal(c.why, "Connection refused");
    assert_int_equal(c.to_send, 3); /* nothing was taken: it can go elsewhere */
    c.spec.url = "http://no.such.name.invalid/";
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_CONNECT);
    client_fini(&c);
}

static void connects_elsewhere(void **state)
{
    struct peer s;
    struct client c;
    char to[32];

    (void)state;
    peer_start(&s, serve_seen, NULL);
    client_init(&c, &s);
    snprintf(to, sizeof to, "127.0.0.1:%u", s.port);
    c.spec.connect_to = to;
    c.spec.url = "http://example.invalid:81/x";
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(seen, "GET /x HTTP/1.1\r\nHost: example.invalid:81\r\n\r\n");
    client_fini(&c);
    peer_stop(&s);
}

static void speaks_through_unix_sockets(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct peer s;
    struct client c;

    (void)state;
    snprintf(a.sun_path, sizeof a.sun_path, "/tmp/test_transfer-%d.sock", (int)getpid());
    peer_start_at(&s, (struct sockaddr *)&a, sizeof a, peer_serve,
                  "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nunix");
    client_init(&c, &s);
    c.spec.unix_socket = a.sun_path;
    c.spec.url = "http://localhost/";
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(c.body.p, "unix");
    client_fini(&c);
    peer_stop(&s);
    unlink(a.sun_path);
}

/* ---- time limits ---- */

static void serve_nothing(struct peer *s, int fd)
{
    char b[4096];

    (void)s;
    while (recv(fd, b, sizeof b, 0) > 0)
        ;
}

static void keeps_time_limits(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_nothing, NULL);
    client_init(&c, &s);
    c.spec.head_timeout_ms = 50;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_TIMEOUT);
    c.spec.total_timeout_ms = 50;
    c.spec.head_timeout_ms = 0;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_TIMEOUT);
    client_fini(&c);
    peer_stop(&s);
}

/* A part of a response, and then nothing more. */
static void serve_part(struct peer *s, int fd)
{
    char head[8192];

    if (peer_read_head(fd, head, sizeof head) && peer_say(fd, s->text))
        serve_nothing(s, fd);
}

static void limits_the_time_without_a_byte(void **state)
{
    static const char *const parts[] = {"", "HTTP/1.1 200 OK\r\n",
                                        "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        struct peer s;
        struct client c;

        peer_start(&s, serve_part, parts[i]);
        client_init(&c, &s);
        c.spec.read_timeout_ms = 60;
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_TIMEOUT);
        assert_string_equal(c.why, "nothing more came in time");
        client_fini(&c);
        peer_stop(&s);
    }
}

/* 24 bytes, one at a time, which takes longer than any of the waits may. */
static void serve_drops(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 24\r\n\r\n");
    for (int i = 0; i < 24 && peer_say(fd, "x"); i++)
        usleep(50000);
}

static void slow_is_not_too_slow(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_drops, NULL);
    client_init(&c, &s);
    c.spec.read_timeout_ms = 1000;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    client_fini(&c);
    peer_stop(&s);
}

/* The wait for the client's own body, and for the one who takes the response, is not the peer's
 * fault. */
static void own_waits_do_not_count(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve_once, "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc");
    client_init(&c, &s);
    c.spec.read_timeout_ms = c.spec.write_timeout_ms = 500; /* in which the peer does answer */
    c.stall = 150;                                          /* of 5 ms each */
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    c.spec.method = "POST";
    c.spec.body_len = c.to_send = 1;
    c.stall = 150;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    client_fini(&c);
    peer_stop(&s);
}

static void serve_deaf(struct peer *s, int fd)
{
    struct pollfd gone = {.fd = fd, .events = POLLRDHUP};

    (void)s;
    (void)poll(&gone, 1, LIMIT_MS);
}

static void limits_the_time_in_which_nothing_is_taken(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_deaf, NULL);
    client_init(&c, &s);
    c.spec.method = "POST";
    c.spec.body_len = c.to_send = MANY;
    c.spec.write_timeout_ms = 80;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_TIMEOUT);
    assert_string_equal(c.why, "nothing more was taken in time");
    client_fini(&c);
    peer_stop(&s);
}

/* libcurl says nothing when it closes a socket whose connection never came about: the next one that
 * gets the same number must not suffer from it. */
static void limits_the_time_to_connect(void **state)
{
    struct peer s;
    struct client c;
    int held[8];

    (void)state;
    peer_start(&s, serve_nothing, NULL);
    client_init(&c, &s);
    peer_stop(&s);
    /* A listener whose queue is full: further SYNs are dropped. */
    s.fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    assert_int_equal(bind(s.fd, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(s.fd, 0), 0);
    assert_int_equal(getsockname(s.fd, (struct sockaddr *)&a, &len), 0);
    for (size_t i = 0; i < ARRAY_LEN(held); i++) {
        held[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
        (void)!connect(held[i], (struct sockaddr *)&a, sizeof a);
    }
    snprintf(c.url, sizeof c.url, "http://127.0.0.1:%u/", ntohs(a.sin_port));
    for (int i = 0; i < 2; i++) {
        c.spec.connect_timeout_ms = 100;
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_CONNECT_TIMEOUT);
        c.spec.connect_timeout_ms = 60 * 1000; /* it does not end by itself */
        client_start(&c);
        client_pass_time(&c, 20);
        c.cancelled = true;
        transfer_cancel(c.transfer);
    }
    for (size_t i = 0; i < ARRAY_LEN(held); i++)
        close(held[i]);
    close(s.fd);
    client_fini(&c);
}

/* ---- streaming ---- */

static void send_many(struct peer *s, int fd)
{
    static const char block[65536];

    while (atomic_load(&s->sent) < MANY && peer_send(fd, block, sizeof block))
        atomic_fetch_add(&s->sent, sizeof block);
}

static void serve_many(struct peer *s, int fd)
{
    char head[8192];

    if (peer_read_head(fd, head, sizeof head)) {
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", (int)MANY);
        peer_say(fd, head);
        send_many(s, fd);
    }
}

static void streams_a_response(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_many, NULL);
    client_init(&c, &s);
    c.stall = 20;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_int_equal(c.received, MANY);
    client_fini(&c);
    peer_stop(&s);
}

static void a_paused_fetch_slows_the_peer(void **state)
{
    struct peer s;
    struct client c;
    size_t sent;

    (void)state;
    peer_start(&s, serve_many, NULL);
    client_init(&c, &s);
    c.stall = 1000000;
    client_start(&c);
    timer_cancel(c.loop, &c.resume);
    do { /* until the peer is stuck */
        sent = atomic_load(&s.sent);
        client_pass_time(&c, 200);
    } while (atomic_load(&s.sent) != sent);
    assert_true(sent < MANY);
    assert_int_equal(c.received, 0);
    c.stall = 0;
    transfer_resume_recv(c.transfer);
    client_pass_time(&c, LIMIT_MS);
    assert_true(c.done);
    assert_int_equal(c.received, MANY);
    client_fini(&c);
    peer_stop(&s);
}

static char request_head[8192];
static atomic_size_t taken;

static const char last_chunk[] = "0\r\n\r\n";

/* How many bytes of the last chunk have come, in however many pieces. */
static size_t match_last_chunk(size_t matched, const char *b, size_t n)
{
    for (size_t i = 0; i < n && matched < sizeof last_chunk - 1; i++)
        matched = b[i] == last_chunk[matched] ? matched + 1 : b[i] == last_chunk[0];
    return matched;
}

/* Reads a body of any framing up to its end, as far as this test sends it. */
static void serve_sink(struct peer *s, int fd)
{
    char b[65536];
    bool chunked;
    size_t want = MANY, got = 0, matched = 0;
    ssize_t n = 0;

    while (peer_read_head(fd, request_head, sizeof request_head)) {
        chunked = strstr(request_head, "chunked") != NULL;
        if (!chunked)
            want = strtoul(strstr(request_head, "Content-Length: ") + 16, NULL, 10);
        got = matched = 0;
        while (chunked ? matched < sizeof last_chunk - 1 : got < want) {
            if ((n = recv(fd, b, sizeof b, 0)) <= 0)
                return;
            got += (size_t)n;
            matched = chunked ? match_last_chunk(matched, b, (size_t)n) : 0;
        }
        atomic_store(&taken, got);
        peer_say(fd, s->text);
    }
}

static void streams_a_request(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_sink, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s);
    c.spec.method = "POST";
    for (int i = 0; i < 4; i++) {
        bool chunked = i % 2 == 1;

        c.to_send = MANY;
        c.stall = 10;
        c.spec.body_len = chunked ? -1 : MANY;
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.to_send, 0);
        assert_true(atomic_load(&taken) >= MANY);
        assert_null(strstr(request_head, "Expect"));
        assert_null(strstr(request_head, "Content-Type"));
        assert_int_equal(strstr(request_head, "Content-Length") == NULL, chunked);
    }
    assert_int_equal(atomic_load(&s.accepts), 1);
    c.spec.body_len = 0; /* and the handle forgets about bodies */
    c.spec.method = "GET";
    client_fini(&c);
    peer_stop(&s);
}

static void a_broken_request_body_ends_the_fetch(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_sink, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s);
    c.spec.method = "PUT";
    c.spec.body_len = 100;
    for (int i = 0; i < 2; i++) {
        c.to_send = 50;
        c.at_end = i == 0 ? PULL_FAIL : PULL_END; /* END before its time is a break as well */
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_FAILED);
    }
    client_fini(&c);
    peer_stop(&s);
}

static void serve_413(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (peer_read_head(fd, head, sizeof head)) {
        peer_say(fd, "HTTP/1.1 413 Content Too Large\r\nContent-Length: 3\r\n\r\nbig");
        shutdown(fd, SHUT_WR);
        serve_nothing(s, fd);
    }
}

static void takes_an_answer_before_the_body_was_sent(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_413, NULL);
    client_init(&c, &s);
    c.spec.method = "POST";
    c.spec.body_len = c.to_send = MANY;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_int_equal(c.status, 413);
    assert_string_equal(c.body.p, "big");
    assert_true(c.to_send > 0);
    client_fini(&c);
    peer_stop(&s);
}

/* ---- cancelling ---- */

static void may_be_cancelled_anywhere(void **state)
{
    (void)state;
    for (const char *where = "fhbpds"; *where != '\0'; where++) {
        struct peer s;
        struct client c;

        peer_start(&s, *where == 'p' ? serve_nothing : serve_many, NULL);
        client_init(&c, &s);
        c.cancel_in = *where;
        if (*where == 'p') {
            c.spec.method = "POST";
            c.spec.body_len = c.to_send = MANY;
        }
        if (*where == 's') { /* right after the start */
            client_start(&c);
            c.cancelled = true;
            transfer_cancel(c.transfer);
            client_pass_time(&c, 20);
        } else {
            client_run(&c);
            assert_true(c.cancelled);
        }
        client_pass_time(&c, 20);
        client_fini(&c);
        peer_stop(&s);
    }
}

static void the_carrier_may_go_first(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_many, NULL);
    client_init(&c, &s);
    c.stall = 1000000;
    client_start(&c);
    client_pass_time(&c, 30);
    c.cancelled = true; /* asserts that no callback comes */
    client_fini(&c);
    peer_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sends_what_it_is_told_and_no_more),
        cmocka_unit_test(reads_responses),
        cmocka_unit_test(head_has_a_length_and_no_body),
        cmocka_unit_test(limits_the_header),
        cmocka_unit_test(keeps_connections),
        cmocka_unit_test(sends_again_only_what_is_idempotent),
        cmocka_unit_test(tells_a_refused_connection),
        cmocka_unit_test(connects_elsewhere),
        cmocka_unit_test(speaks_through_unix_sockets),
        cmocka_unit_test(keeps_time_limits),
        cmocka_unit_test(limits_the_time_without_a_byte),
        cmocka_unit_test(slow_is_not_too_slow),
        cmocka_unit_test(own_waits_do_not_count),
        cmocka_unit_test(limits_the_time_in_which_nothing_is_taken),
        cmocka_unit_test(limits_the_time_to_connect),
        cmocka_unit_test(streams_a_response),
        cmocka_unit_test(a_paused_fetch_slows_the_peer),
        cmocka_unit_test(streams_a_request),
        cmocka_unit_test(a_broken_request_body_ends_the_fetch),
        cmocka_unit_test(takes_an_answer_before_the_body_was_sent),
        cmocka_unit_test(may_be_cancelled_anywhere),
        cmocka_unit_test(the_carrier_may_go_first),
    };

    int failed;

    print_message("by libcurl\n");
    carrier = CARRIER_CURL;
    failed = cmocka_run_group_tests(tests, NULL, NULL);
    print_message("directly\n");
    carrier = CARRIER_DIRECT;
    return failed + cmocka_run_group_tests(tests, NULL, NULL);
}
