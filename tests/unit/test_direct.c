/* What the direct transport can do beyond what all can: tunnels, the care of its connections, and
 * upstreams that mean harm. What all can is in test_transfer.c. */
#include "transfer_rig.h"

#include "base/alloc.h"

#include <dirent.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static char seen[65536]; /* what the peer got */
static atomic_size_t seen_len;

/* Reads up to the client's end. */
static void see_all(int fd)
{
    size_t len = 0;
    ssize_t n;

    while (len < sizeof seen - 1 && (n = recv(fd, seen + len, sizeof seen - 1 - len, 0)) > 0)
        len += (size_t)n;
    seen[len] = '\0';
    atomic_store(&seen_len, len);
}

static unsigned descriptors(void)
{
    unsigned n = 0;
    DIR *d = opendir("/proc/self/fd");

    while (readdir(d) != NULL)
        n++;
    closedir(d);
    return n;
}

/* ---- tunnels ---- */

#define SWITCH "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n"

static const char *const upgrade_fields[] = {"Connection: Upgrade", "Upgrade: echo", NULL};

static void ask_for_tunnel(struct client *c, const struct peer *s)
{
    client_init(c, s);
    c->spec.upgrade = true;
    c->spec.fields = upgrade_fields;
}

/* Greets in one go with the head, reads to the client's end, and says goodbye. */
static void serve_tunnel(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head) || strstr(head, "\r\nUpgrade: echo\r\n") == NULL)
        return;
    peer_say(fd, SWITCH "hello,");
    see_all(fd);
    peer_say(fd, "bye");
}

static void tunnels_after_101(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_tunnel, NULL);
    ask_for_tunnel(&c, &s);
    for (unsigned stall = 0; stall < 4; stall++) {
        c.text = "GET / HTTP/1.1\r\n\r\n";
        c.to_send = strlen(c.text);
        c.stall = stall;
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.status, 101);
        assert_int_equal(c.content_length, -1);
        assert_string_equal(client_text(&c.fields), "Upgrade=echo|Connection=Upgrade|");
        assert_string_equal(client_text(&c.body), "hello,bye");
        assert_string_equal(seen, "GET / HTTP/1.1\r\n\r\n");
        assert_int_equal(direct_idle(c.direct), 0);
    }
    client_fini(&c);
    peer_stop(&s);
}

/* Has nothing more to say, but hears the client out. */
static void serve_listener(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, SWITCH "hello");
    shutdown(fd, SHUT_WR);
    see_all(fd);
}

static void one_side_may_end_first(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_listener, NULL);
    ask_for_tunnel(&c, &s);
    c.at_end = PULL_AGAIN; /* until the upstream has ended */
    client_start(&c);
    while (!c.eof)
        client_pass_time(&c, 5);
    assert_false(c.done);
    c.text = "the rest";
    c.to_send = strlen(c.text);
    c.at_end = PULL_END;
    transfer_resume_send(c.transfer);
    while (!c.done)
        client_pass_time(&c, LIMIT_MS);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(client_text(&c.body), "hello");
    while (atomic_load(&seen_len) != 8)
        client_pass_time(&c, 5);
    assert_string_equal(seen, "the rest");
    client_fini(&c);
    peer_stop(&s);
}

static void without_on_eof_the_upstream_ends_it(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_listener, NULL);
    ask_for_tunnel(&c, &s);
    c.events.on_eof = NULL;
    c.at_end = PULL_AGAIN;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(client_text(&c.body), "hello");
    client_fini(&c);
    peer_stop(&s);
}

/* Sends all back as it comes. */
static void serve_echo(struct peer *s, int fd)
{
    char b[65536];
    ssize_t n;

    (void)s;
    if (!peer_read_head(fd, b, sizeof b))
        return;
    peer_say(fd, SWITCH);
    while ((n = recv(fd, b, sizeof b, 0)) > 0 && peer_send(fd, b, (size_t)n))
        ;
}

static void much_goes_through_a_tunnel(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_echo, NULL);
    ask_for_tunnel(&c, &s);
    c.to_send = MANY;
    c.stall = 10;
    c.spec.read_timeout_ms = c.spec.write_timeout_ms = 60; /* do not count in a tunnel */
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_int_equal(c.received, MANY);
    c.at_end = PULL_AGAIN;
    client_start(&c);
    client_pass_time(&c, 200);
    assert_false(c.done);
    c.cancelled = true;
    transfer_cancel(c.transfer);
    client_fini(&c);
    peer_stop(&s);
}

static void an_upgrade_may_be_declined(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "HTTP/1.1 426 No\r\nContent-Length: 2\r\n\r\nno");
    ask_for_tunnel(&c, &s);
    for (int i = 0; i < 3; i++) {
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.status, 426);
        assert_string_equal(client_text(&c.body), "no");
    }
    assert_int_equal(atomic_load(&s.accepts), 1);
    client_fini(&c);
    peer_stop(&s);
}

static void serve_cut_tunnel(struct peer *s, int fd)
{
    const struct linger hard = {1, 0};
    char head[8192];

    (void)s;
    if (peer_read_head(fd, head, sizeof head))
        peer_say(fd, SWITCH "abc");
    usleep(20000); /* so that the bytes are not lost with the connection */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void a_tunnel_may_break(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_cut_tunnel, NULL);
    ask_for_tunnel(&c, &s);
    c.at_end = PULL_AGAIN;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_BROKEN);
    assert_string_equal(c.why, "Connection reset by peer");
    assert_string_equal(client_text(&c.body), "abc");
    client_fini(&c);
    peer_stop(&s);
}

static void tunnels_may_be_cancelled_anywhere(void **state)
{
    (void)state;
    for (const char *where = "fhbped"; *where != '\0'; where++) {
        struct peer s;
        struct client c;

        peer_start(&s, *where == 'e' || *where == 'd' ? serve_listener : serve_echo, NULL);
        ask_for_tunnel(&c, &s);
        c.to_send = 100;
        c.at_end = *where == 'd' ? PULL_END : PULL_AGAIN;
        c.cancel_in = *where;
        client_run(&c);
        assert_true(c.cancelled);
        client_pass_time(&c, 10);
        client_fini(&c);
        peer_stop(&s);
    }
}

/* ---- connections ---- */

static void serve_one_each(struct peer *s, int fd)
{
    char head[8192];

    if (peer_read_head(fd, head, sizeof head))
        peer_say(fd, s->text);
}

static void wait_for_idle(struct client *c, unsigned n)
{
    for (int i = 0; i < 1000 && direct_idle(c->direct) != n; i++)
        client_pass_time(c, 5);
    assert_int_equal(direct_idle(c->direct), n);
}

static void sees_that_an_idle_connection_was_closed(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_one_each, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s);
    for (int i = 0; i < 3; i++) {
        c.spec.method = "POST";
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        wait_for_idle(&c, 0);
    }
    assert_int_equal(atomic_load(&s.accepts), 3);
    client_fini(&c);
    peer_stop(&s);
}

/* One answer, and then another that nobody has asked for; waits for the client to go. */
static void serve_too_much(struct peer *s, int fd)
{
    char head[8192];

    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    usleep(20000);
    peer_say(fd, s->text);
    (void)!recv(fd, head, sizeof head, 0);
}

static void drops_a_connection_that_says_what_was_not_asked(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_too_much, "HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s);
    for (int i = 0; i < 3; i++) {
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.status, 200);
        wait_for_idle(&c, 0);
    }
    assert_int_equal(atomic_load(&s.accepts), 3);
    client_fini(&c);
    peer_stop(&s);
}

static const char *const not_kept[] = {
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok!",
    "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
    "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok",
    "HTTP/1.1 204 OK\r\nContent-Length: 2\r\n\r\n",
    "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n\r\n",
};

static void keeps_no_doubtful_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(not_kept); i++) {
        struct peer s;
        struct client c;

        peer_start(&s, peer_serve, not_kept[i]);
        client_init(&c, &s);
        for (int n = 1; n < 4; n++) {
            client_run(&c);
            assert_int_equal(c.result, TRANSFER_OK);
            assert_int_equal(direct_idle(c.direct), 0);
            assert_int_equal(atomic_load(&s.accepts), n);
        }
        client_fini(&c);
        peer_stop(&s);
    }
}

static void limit_idle_connections(struct str preamble)
{
    struct direct_limits limits = {.idle_max = 1, .idle_timeout_ms = 60};
    struct peer s[2];
    struct client c;

    peer_start(&s[0], peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    peer_start(&s[1], peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s[0]);
    direct_free(c.direct);
    c.direct = direct_new(c.loop, c.resolver, &limits);
    c.transport = direct_transport(c.direct);
    c.spec.preamble = preamble;
    for (int i = 0; i < 6; i++) {
        snprintf(c.url, sizeof c.url, "http://127.0.0.1:%u/", s[i % 2].port);
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(direct_idle(c.direct), 1);
    }
    assert_int_equal(atomic_load(&s[0].accepts) + atomic_load(&s[1].accepts), 6);
    wait_for_idle(&c, 0); /* by time */
    client_fini(&c);
    peer_stop(&s[0]);
    peer_stop(&s[1]);
}

static void limits_idle_connections(void **state)
{
    (void)state;
    limit_idle_connections(STR_LIT(""));
    limit_idle_connections(STR_LIT("for one "));
}

static void connections_for_one_client_go_first(void **state)
{
    static const struct {
        int peer;
        const char *preamble;
    } rows[] = {{0, ""}, {1, "for one "}, {2, ""}};
    struct direct_limits limits = {.idle_max = 2};
    struct peer s[3];
    struct client c;

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        peer_start(&s[i], peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s[0]);
    direct_free(c.direct);
    c.direct = direct_new(c.loop, c.resolver, &limits);
    c.transport = direct_transport(c.direct);
    for (size_t n = 0; n < 2; n++)
        for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
            c.spec.preamble = str_of(rows[i].preamble);
            snprintf(c.url, sizeof c.url, "http://127.0.0.1:%u/", s[rows[i].peer].port);
            client_run(&c);
            assert_int_equal(c.result, TRANSFER_OK);
        }
    assert_int_equal(direct_idle(c.direct), 2);
    assert_int_equal(atomic_load(&s[1].accepts), 2);
    assert_int_equal(atomic_load(&s[0].accepts) + atomic_load(&s[2].accepts), 3);
    client_fini(&c);
    for (size_t i = 0; i < ARRAY_LEN(s); i++)
        peer_stop(&s[i]);
}

/* ---- preambles ---- */

enum { TALKS_MAX = 8 };

static struct talk {
    pthread_t thread;
    int fd, number;
} talks[TALKS_MAX];

/* Says which connection it is, what it began with, and how many requests have come. */
static void *talk(void *arg)
{
    const struct talk *self = arg;
    const int fd = self->fd, number = self->number;
    char head[8192], first[64] = "", answer[256];
    unsigned n = 0;

    while (peer_read_head(fd, head, sizeof head)) {
        const char *get = strstr(head, "GET ");
        int len;

        if (n++ == 0)
            snprintf(first, sizeof first, "%.*s", (int)(get - head), head);
        len = snprintf(answer, sizeof answer, "%d:%s%u%s", number, first, n,
                       n > 1 && get != head ? "!" : "");
        snprintf(head, sizeof head, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len, answer);
        peer_say(fd, head);
    }
    close(fd);
    return NULL;
}

/* Each has a thread, since several are open at a time. */
static void serve_talks(struct peer *s, int fd)
{
    struct talk *t = &talks[atomic_load(&s->accepts) - 1];

    *t = (struct talk){.fd = dup(fd), .number = atomic_load(&s->accepts)};
    assert_int_equal(pthread_create(&t->thread, NULL, talk, t), 0);
}

static void keeps_connections_for_their_preamble(void **state)
{
    static const struct {
        const char *preamble, *body;
    } rows[] = {{"one ", "1:one 1"}, {"", "2:1"},        {"one ", "1:one 2"}, {"two ", "3:two 1"},
                {"one", "4:one1"},   {"", "2:2"},        {"two ", "3:two 2"}, {"one ", "1:one 3"},
                {"one", "4:one2"},   {"ones", "5:ones1"}};
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_talks, NULL);
    client_init(&c, &s);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        c.spec.preamble = str_of(rows[i].preamble);
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_string_equal(client_text(&c.body), rows[i].body);
    }
    client_fini(&c);
    peer_stop(&s);
    for (int i = 0; i < atomic_load(&s.accepts); i++)
        pthread_join(talks[i].thread, NULL);
}

/* The second request of a connection is not answered. */
static void serve_once_each(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, strncmp(head, "me ", 3) == 0 ? "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
                                              : "HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n");
    (void)peer_read_head(fd, head, sizeof head);
}

static void begins_again_with_the_preamble(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_once_each, NULL);
    client_init(&c, &s);
    c.spec.preamble = STR_LIT("me ");
    for (int i = 1; i < 4; i++) {
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.status, 200);
        assert_int_equal(atomic_load(&s.accepts), i);
    }
    client_fini(&c);
    peer_stop(&s);
}

/* Answers the first request, and goes when the second has come whole. */
static void serve_then_go(struct peer *s, int fd)
{
    char head[8192];

    while (peer_read_head(fd, head, sizeof head)) {
        if (strstr(head, "Content-Length: 5\r\n") != NULL && recv(fd, seen, 5, MSG_WAITALL) != 5)
            return;
        if (atomic_load(&s->accepts) == 1 && atomic_fetch_add(&s->sent, 1) == 1)
            return;
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    }
}

static void sends_a_short_body_again(void **state)
{
    static const struct {
        const char *method;
        enum transfer_result result;
        int accepts;
    } rows[] = {{"PUT", TRANSFER_OK, 2}, {"POST", TRANSFER_BROKEN, 1}};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct peer s;
        struct client c;

        peer_start(&s, serve_then_go, NULL);
        client_init(&c, &s);
        client_run(&c);
        c.spec.method = rows[i].method;
        c.spec.body_len = c.to_send = 5;
        c.text = "abcde";
        seen[0] = '\0';
        client_run(&c);
        assert_int_equal(c.result, rows[i].result);
        assert_memory_equal(seen, "abcde", 5);
        assert_int_equal(atomic_load(&s.accepts), rows[i].accepts);
        client_fini(&c);
        peer_stop(&s);
    }
}

/* An answer, although the body has not come, on a connection that it would keep. */
static void serve_early(struct peer *s, int fd)
{
    char head[8192];

    if (peer_read_head(fd, head, sizeof head)) {
        peer_say(fd, s->text);
        see_all(fd);
    }
}

static void an_early_answer_costs_the_connection(void **state)
{
    static const char *const texts[] = {"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
                                        "HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct peer s;
        struct client c;

        peer_start(&s, serve_early, texts[i]);
        client_init(&c, &s);
        c.spec.method = "POST";
        c.spec.body_len = 10;
        c.to_send = 5;
        c.at_end = PULL_AGAIN;
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(direct_idle(c.direct), 0);
        client_fini(&c);
        peer_stop(&s);
    }
}

/* An error that ends with the connection: no more of the body is pulled after its head. */
static void serve_error_head(struct peer *s, int fd)
{
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, "HTTP/1.1 413 No\r\nContent-Length: 3\r\n\r\n");
    usleep(50000);
    peer_say(fd, "big");
    see_all(fd);
}

static void an_error_stops_the_body(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_error_head, NULL);
    client_init(&c, &s);
    c.spec.method = "POST";
    c.spec.body_len = MANY;
    c.to_send = MANY;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(client_text(&c.body), "big");
    assert_true(c.to_send > MANY / 2);
    client_fini(&c);
    peer_stop(&s);
}

/* ---- names and addresses ---- */

static void finds_localhost(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    client_init(&c, &s);
    snprintf(c.url, sizeof c.url, "http://localhost:%u", s.port); /* ::1 refuses */
    for (int i = 0; i < 3; i++) {
        client_run(&c);
        assert_int_equal(c.result, TRANSFER_OK);
    }
    client_fini(&c);
    peer_stop(&s);
}

static void refuses_what_is_no_request(void **state)
{
    static const char *const injected[] = {"A: b\r\nC: d", NULL};
    static const char *const lone[] = {"A: b\nC: d", NULL};
    static const struct {
        const char *url, *method, *target, *const *fields;
    } rows[] = {
        {"http://127.0.0.1:1/", "GET", "/ HTTP/1.1\r\nA: b", NULL},
        {"http://127.0.0.1:1/", "G T", NULL, NULL},
        {"http://127.0.0.1:1/", "CONNECT", NULL, NULL},
        {"http://127.0.0.1:1/", "GET", NULL, injected},
        {"http://127.0.0.1:1/", "GET", NULL, lone},
        {"http://127.0.0.1:0/", "GET", NULL, NULL},
        {"http://127.0.0.1:65536/", "GET", NULL, NULL},
        {"http:///", "GET", NULL, NULL},
        {"h2c://127.0.0.1/", "GET", NULL, NULL},
    };
    const struct peer nobody = {.port = 1};
    struct client c;

    (void)state;
    client_init(&c, &nobody);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err e;

        c.spec.url = rows[i].url;
        c.spec.method = rows[i].method;
        c.spec.target = rows[i].target;
        c.spec.fields = rows[i].fields;
        assert_null(transfer_start(c.transport, &c.spec, &e));
        assert_int_equal(e.code, ERR_INVALID);
    }
    client_fini(&c);
}

/* A unix socket whose queue is full says so at once, and never when it has room again. */
static void waits_for_a_full_unix_socket(void **state)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    const struct peer nobody = {.port = 1};
    int listener = socket(AF_UNIX, SOCK_STREAM, 0), held, fd;
    struct client c;
    char b[4096];

    (void)state;
    snprintf(a.sun_path, sizeof a.sun_path, "/tmp/test_direct-%d.sock", (int)getpid());
    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(listener, 0), 0);
    held = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(connect(held, (struct sockaddr *)&a, sizeof a), 0);
    client_init(&c, &nobody);
    c.spec.url = "http://localhost/";
    c.spec.unix_socket = a.sun_path;
    c.spec.connect_timeout_ms = 80;
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_CONNECT_TIMEOUT);
    c.spec.connect_timeout_ms = 5000;
    client_start(&c);
    client_pass_time(&c, 30);
    close(accept(listener, NULL, NULL)); /* now there is room */
    client_pass_time(&c, 50);
    fd = accept(listener, NULL, NULL);
    assert_true(recv(fd, b, sizeof b, 0) > 0);
    peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    client_pass_time(&c, LIMIT_MS);
    assert_int_equal(c.result, TRANSFER_OK);
    close(fd);
    close(held);
    close(listener);
    client_fini(&c);
    unlink(a.sun_path);
}

/* Byte by byte. */
static void serve_slowly(struct peer *s, int fd)
{
    char head[8192];

    if (!peer_read_head(fd, head, sizeof head))
        return;
    for (const char *at = s->text; *at != '\0'; at++) {
        if (!peer_send(fd, at, 1))
            return;
        usleep(200);
    }
}

/* ---- reading ---- */

static size_t mouthful;
static unsigned told; /* that there may be some */

/* The body is read by the test, when the loop is left. */
static bool on_body_to_read(void *arg, struct str bytes)
{
    struct client *c = arg;

    (void)bytes;
    told++;
    loop_stop(c->loop);
    return false;
}

static void read_all(struct client *c)
{
    char buf[65536];
    size_t n;

    while (!c->done) {
        client_pass_time(c, LIMIT_MS);
        while (!c->done && (n = transfer_read(c->transfer, buf, mouthful)) > 0) {
            c->received += n;
            if (c->body.len + n <= c->body.max)
                assert_int_equal(buf_append(&c->body, buf, n), 0);
        }
    }
}

static void run_reading(struct client *c)
{
    told = 0;
    c->events.on_body = on_body_to_read;
    client_start(c);
    read_all(c);
    timer_cancel(c->loop, &c->limit);
}

static const struct {
    const char *name;
    const char *text;
    enum transfer_result result;
    const char *fields;
    const char *body;
} readings[] = {
    {"length", "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg", TRANSFER_OK,
     "Content-Length=7|", "abcdefg"},
    {"cut", "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nabcdefg", TRANSFER_BROKEN,
     "Content-Length=8|", "abcdefg"},
    {"until close", "HTTP/1.1 200 OK\r\n\r\nabcdefg", TRANSFER_OK, "", "abcdefg"},
    {"chunked",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n4\r\ndefg\r\n0\r\n\r\n",
     TRANSFER_OK, "Transfer-Encoding=chunked|", "abcdefg"},
    {"trailer",
     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: b\r\n\r\n",
     TRANSFER_OK, "Transfer-Encoding=chunked|~A=b|", "abc"},
    {"bad chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n",
     TRANSFER_BROKEN, "Transfer-Encoding=chunked|", "abc"},
    {"cut chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n8\r\nde",
     TRANSFER_BROKEN, "Transfer-Encoding=chunked|", "abcde"},
};

static void bodies_can_be_read(void **state)
{
    static void (*const serve[])(struct peer *, int) = {peer_serve_once, serve_slowly};

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(readings) * 2; i++)
        for (mouthful = 1; mouthful < 10; mouthful += 4) {
            struct peer s;
            struct client c;

            peer_start(&s, serve[i % 2], readings[i / 2].text);
            client_init(&c, &s);
            run_reading(&c);
            if (c.result != readings[i / 2].result)
                print_error("%s, %zu at a time: %s\n", readings[i / 2].name, mouthful, c.why);
            assert_int_equal(c.result, readings[i / 2].result);
            assert_string_equal(client_text(&c.fields), readings[i / 2].fields);
            assert_string_equal(client_text(&c.body), readings[i / 2].body);
            assert_true(told > 0);
            client_fini(&c);
            peer_stop(&s);
        }
}

static void serve_many(struct peer *s, int fd)
{
    static char block[65536 + 8];
    char head[8192];

    (void)s;
    if (!peer_read_head(fd, head, sizeof head))
        return;
    peer_say(fd, s->text);
    for (size_t sent = 0; sent < MANY; sent += 65536) {
        bool chunked = strstr(s->text, "chunked") != NULL;

        memset(block, 'x', sizeof block);
        if (chunked && !peer_say(fd, "10000\r\n"))
            return;
        if (!peer_send(fd, block, 65536) || (chunked && !peer_say(fd, "\r\n")))
            return;
    }
    if (strstr(s->text, "chunked") != NULL)
        peer_say(fd, "0\r\n\r\n");
    if (strstr(s->text, "Content-Length") != NULL || strstr(s->text, "chunked") != NULL)
        (void)!recv(fd, head, 1, 0); /* the connection stays */
}

static void much_can_be_read(void **state)
{
    char with_length[128];
    const char *const texts[] = {"HTTP/1.1 200 OK\r\n\r\n",
                                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
                                 with_length};

    (void)state;
    snprintf(with_length, sizeof with_length, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n",
             (int)MANY);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct peer s;
        struct client c;

        mouthful = 65536;
        peer_start(&s, serve_many, texts[i]);
        client_init(&c, &s);
        run_reading(&c);
        assert_int_equal(c.result, TRANSFER_OK);
        assert_int_equal(c.received, MANY);
        assert_int_equal(direct_idle(c.direct), i == 0 ? 0 : 1);
        client_fini(&c);
        peer_stop(&s);
    }
}

/* Who has begun to read may leave the rest to be brought, or have it cut. */
static void reading_may_be_given_up(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        struct peer s;
        struct client c;
        char buf[1000];
        bool (*on_body)(void *arg, struct str bytes);
        char text[128];

        snprintf(text, sizeof text, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", (int)MANY);
        peer_start(&s, serve_many, text);
        client_init(&c, &s);
        on_body = c.events.on_body;
        c.events.on_body = on_body_to_read;
        client_start(&c);
        client_pass_time(&c, LIMIT_MS);
        assert_int_equal(transfer_read(c.transfer, buf, sizeof buf), sizeof buf);
        c.events.on_body = on_body;
        c.received = sizeof buf;
        if (i == 0) {
            transfer_resume_recv(c.transfer);
            client_pass_time(&c, LIMIT_MS);
            assert_int_equal(c.result, TRANSFER_OK);
            assert_int_equal(c.received, MANY);
        } else {
            c.cancelled = true;
            transfer_cancel(c.transfer);
        }
        client_fini(&c);
        peer_stop(&s);
    }
}

/* The one who has read all need not wait to be told. */
static void what_was_read_to_its_end_leaves_a_connection(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, peer_serve, "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg");
    client_init(&c, &s);
    c.events.on_body = on_body_to_read;
    for (int i = 0; i < 6; i++) {
        char buf[8];
        size_t n = i % 3 == 0 ? 3 : sizeof buf;

        client_start(&c);
        client_pass_time(&c, LIMIT_MS);
        assert_int_equal(transfer_read(c.transfer, buf, n), n == 3 ? 3 : 7);
        transfer_cancel(c.transfer);
        assert_int_equal(direct_idle(c.direct), n == 3 ? 0 : 1);
    }
    assert_int_equal(atomic_load(&s.accepts), 3);
    client_fini(&c);
    peer_stop(&s);
}

/* ---- hostile upstreams ---- */

static const struct {
    const char *name;
    const char *start;
    const char *again; /* for ever; NULL: the connection is reset */
    enum transfer_result result;
    int status;
} hostile[] = {
    {"endless status line", "HTTP/1.1 200 ", "O", TRANSFER_TOO_BIG, 0},
    {"endless field", "HTTP/1.1 200 OK\r\nA: ", "b", TRANSFER_TOO_BIG, 0},
    {"endless fields", "HTTP/1.1 200 OK\r\n", "A: b\r\n", TRANSFER_TOO_BIG, 0},
    {"endless interim responses", "", "HTTP/1.1 102 Processing\r\n\r\n", TRANSFER_BROKEN, 0},
    {"endless garbage", "", "garbage", TRANSFER_BROKEN, 0},
    {"endless empty lines", "", "\r\n", TRANSFER_BROKEN, 0},
    {"endless extension", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;", "a",
     TRANSFER_BROKEN, 200},
    {"endless zeroes", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "0",
     TRANSFER_BROKEN, 200},
    {"endless trailer", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "A: b\r\n",
     TRANSFER_TOO_BIG, 200},
    {"more than it says", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "abc", TRANSFER_OK, 200},
    {"reset at once", "", NULL, TRANSFER_BROKEN, 0},
    {"reset in the header", "HTTP/1.1 200 OK\r\nA", NULL, TRANSFER_BROKEN, 0},
    {"reset in the body", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", NULL, TRANSFER_BROKEN,
     200},
    {"reset in a body without a length", "HTTP/1.1 200 OK\r\n\r\nabc", NULL, TRANSFER_BROKEN, 200},
    {"TLS alert", "\x15\x03\x01", NULL, TRANSFER_BROKEN, 0},
};

static const char *again;

static void serve_hostile(struct peer *s, int fd)
{
    const struct linger hard = {1, 0};
    char head[8192];

    if (!peer_read_head(fd, head, sizeof head) || !peer_say(fd, s->text))
        return;
    while (again != NULL && peer_say(fd, again))
        ;
    if (again == NULL && s->text[0] != '\0')
        usleep(10000); /* so that the text is not lost with the connection */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
}

static void hostile_upstreams_cost_nothing(void **state)
{
    unsigned before = descriptors();

    (void)state;
    for (size_t i = 0; i < ARRAY_LEN(hostile); i++) {
        struct peer s;
        struct client c;

        again = hostile[i].again;
        peer_start(&s, serve_hostile, hostile[i].start);
        client_init(&c, &s);
        c.spec.max_head = 4096;
        for (int n = 0; n < 20; n++) {
            client_run(&c);
            if (c.result != hostile[i].result || c.status != hostile[i].status)
                print_error("%s: result %d status %d (%s)\n", hostile[i].name, c.result, c.status,
                            c.why);
            assert_int_equal(c.result, hostile[i].result);
            assert_int_equal(c.status, hostile[i].status);
            wait_for_idle(&c, 0);
            assert_true(c.fields.len <= 4096 && c.body.len <= 10);
        }
        client_fini(&c);
        peer_stop(&s);
    }
    assert_int_equal(descriptors(), before);
}

static void takes_a_response_byte_by_byte(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_slowly,
               "HTTP/1.1 100 Go\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "3;x\r\nabc\r\n1\r\nd\r\n0\r\nA: b\r\n\r\n");
    client_init(&c, &s);
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    assert_string_equal(client_text(&c.fields), "^(100)Transfer-Encoding=chunked|~A=b|");
    assert_string_equal(client_text(&c.body), "abcd");
    client_fini(&c);
    peer_stop(&s);
}

/* Lines longer than the memory that a response is received into. */
static void serve_long_field(struct peer *s, int fd)
{
    char head[8192], *text = xalloc(s->sent + 1);

    memset(text, 'v', s->sent);
    if (peer_read_head(fd, head, sizeof head)) {
        peer_say(fd, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nA: ");
        peer_say(fd, text);
        peer_say(fd, "\r\n\r\n");
    }
    free(text);
}

static void limits_a_line(void **state)
{
    struct peer s;
    struct client c;

    (void)state;
    peer_start(&s, serve_long_field, NULL);
    client_init(&c, &s);
    atomic_store(&s.sent, 30000);
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_OK);
    atomic_store(&s.sent, 40000);
    client_run(&c);
    assert_int_equal(c.result, TRANSFER_TOO_BIG);
    client_fini(&c);
    peer_stop(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tunnels_after_101),
        cmocka_unit_test(one_side_may_end_first),
        cmocka_unit_test(without_on_eof_the_upstream_ends_it),
        cmocka_unit_test(much_goes_through_a_tunnel),
        cmocka_unit_test(an_upgrade_may_be_declined),
        cmocka_unit_test(a_tunnel_may_break),
        cmocka_unit_test(tunnels_may_be_cancelled_anywhere),
        cmocka_unit_test(sees_that_an_idle_connection_was_closed),
        cmocka_unit_test(drops_a_connection_that_says_what_was_not_asked),
        cmocka_unit_test(keeps_no_doubtful_connection),
        cmocka_unit_test(limits_idle_connections),
        cmocka_unit_test(connections_for_one_client_go_first),
        cmocka_unit_test(keeps_connections_for_their_preamble),
        cmocka_unit_test(begins_again_with_the_preamble),
        cmocka_unit_test(sends_a_short_body_again),
        cmocka_unit_test(an_early_answer_costs_the_connection),
        cmocka_unit_test(an_error_stops_the_body),
        cmocka_unit_test(finds_localhost),
        cmocka_unit_test(refuses_what_is_no_request),
        cmocka_unit_test(waits_for_a_full_unix_socket),
        cmocka_unit_test(bodies_can_be_read),
        cmocka_unit_test(much_can_be_read),
        cmocka_unit_test(what_was_read_to_its_end_leaves_a_connection),
        cmocka_unit_test(reading_may_be_given_up),
        cmocka_unit_test(hostile_upstreams_cost_nothing),
        cmocka_unit_test(takes_a_response_byte_by_byte),
        cmocka_unit_test(limits_a_line),
    };

    carrier = CARRIER_DIRECT;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
