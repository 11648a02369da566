/* Load for contrib/bench: echo_load plain|tls PORT CONNECTIONS THREADS SECONDS
 * WebSocket connections to an echo server of 127.0.0.1, by a proxy or not. Each sends a message of
 * 64 bytes, waits until the very same comes back, and sends the next. No other message is ever
 * under way on it, so one that is lost, altered or doubled shows. Prints how many came back. */
#define _GNU_SOURCE /* strcasestr */
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 4096,
    THREADS_MAX = 64,
    EVENTS = 64,
    PAYLOAD = 64,
    FRAME = 2 + PAYLOAD,    /* of the server: not masked */
    SENT_FRAME = FRAME + 4, /* of the client: with its mask */
    PATIENCE_S = 30,        /* for an answer */
    TICKETS_MAX = 4,        /* records with nothing for us before it */
};

static const char priorities[] = "NORMAL:-VERS-ALL:+VERS-TLS1.3:-CIPHER-ALL:+AES-128-GCM:"
                                 "-GROUP-ALL:+GROUP-X25519";
/* The key and its answer are the example of RFC 6455 1.3. */
static const char hello[] = "GET /echo HTTP/1.1\r\nHost: localhost:%u\r\nUpgrade: websocket\r\n"
                            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
static const char accepted[] = "\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

struct connection {
    int fd;
    gnutls_session_t session; /* or NULL */
    bool failed, waits;
    uint64_t number; /* of the message under way */
    size_t len;      /* of what came of its echo */
    unsigned char sent[PAYLOAD], in[FRAME];
};

static struct connection connections[CONNECTIONS_MAX];
static long connection_count, thread_count;
static uint16_t port;
static bool with_tls;
static gnutls_certificate_credentials_t anybody;
static gnutls_priority_t priority;
static atomic_ulong echoed;
static atomic_bool over;

/* ---- the transport ---- */

static bool start_tls(struct connection *c)
{
    int rc;

    gnutls_init(&c->session, GNUTLS_CLIENT);
    gnutls_priority_set(c->session, priority);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, anybody);
    gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, "localhost", strlen("localhost"));
    gnutls_transport_set_int(c->session, c->fd);
    do {
        rc = gnutls_handshake(c->session);
    } while (rc == GNUTLS_E_INTERRUPTED || rc == GNUTLS_E_WARNING_ALERT_RECEIVED);
    return rc == 0;
}

/* Messages are few bytes, of which one at a time is under way: what does not go out at once never
 * will. */
static bool put(struct connection *c, const void *data, size_t len)
{
    ssize_t n = c->session ? gnutls_record_send(c->session, data, len)
                           : send(c->fd, data, len, MSG_NOSIGNAL);

    return n == (ssize_t)len;
}

/* The bytes taken; 0 for none yet; -1 at the end or an error. */
static ssize_t get(struct connection *c, void *data, size_t cap)
{
    ssize_t n;

    if (c->session) {
        n = gnutls_record_recv(c->session, data, cap);
        if (n < 0 && !gnutls_error_is_fatal((int)n))
            return 0;
    } else {
        n = recv(c->fd, data, cap, 0);
        if (n == -1 && (errno == EAGAIN || errno == EINTR))
            return 0;
    }
    return n > 0 ? n : -1;
}

/* ---- one connection ---- */

/* Sends the request and reads its answer byte by byte: what follows it is none of it. */
static bool upgrade(struct connection *c)
{
    char text[4096];
    size_t len = 0;
    int n = snprintf(text, sizeof text, hello, port), nothing = 0;

    if (!put(c, text, (size_t)n))
        return false;
    while (len < 4 || memcmp(text + len - 4, "\r\n\r\n", 4) != 0) {
        ssize_t got = len < sizeof text - 1 ? get(c, text + len, 1) : -1;

        if (got == -1 || (got == 0 && ++nothing > TICKETS_MAX))
            return false;
        len += (size_t)got;
    }
    text[len] = '\0';
    return strncmp(text, "HTTP/1.1 101 ", 13) == 0 && strcasestr(text, accepted);
}

static bool connect_one(struct connection *c)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int one = 1;

    c->fd = socket(AF_INET, SOCK_STREAM, 0);
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    if (connect(c->fd, (struct sockaddr *)&address, sizeof address) == -1)
        return false;
    if ((with_tls && !start_tls(c)) || !upgrade(c))
        return false;
    return fcntl(c->fd, F_SETFL, O_NONBLOCK) == 0;
}

/* Text that differs from message to message and from connection to connection. */
static void write_message(struct connection *c)
{
    uint64_t x = (uint64_t)(c - connections + 1) << 40 ^ ++c->number;

    for (size_t i = 0; i < PAYLOAD; i++) {
        x = x * 6364136223846793005U + 1442695040888963407U;
        c->sent[i] = (unsigned char)(' ' + (x >> 58));
    }
}

static bool send_message(struct connection *c)
{
    unsigned char frame[SENT_FRAME] = {0x81, 0x80 | PAYLOAD};

    write_message(c);
    for (size_t i = 0; i < 4; i++)
        frame[2 + i] = (unsigned char)(c->number * 2654435761U >> 8 * i);
    for (size_t i = 0; i < PAYLOAD; i++)
        frame[6 + i] = c->sent[i] ^ frame[2 + i % 4];
    c->waits = put(c, frame, sizeof frame);
    return c->waits;
}

/* Returns false if the echo is not what was sent. */
static bool on_readable(struct connection *c)
{
    ssize_t n;

    do {
        n = get(c, c->in + c->len, sizeof c->in - c->len);
        if (n == -1 || !c->waits)
            return n == 0;
        c->len += (size_t)n;
    } while (n > 0 && c->len < sizeof c->in);
    if (c->len < sizeof c->in)
        return true;
    if (c->in[0] != 0x81 || c->in[1] != PAYLOAD || memcmp(c->in + 2, c->sent, PAYLOAD) != 0)
        return false;
    c->len = 0;
    c->waits = false;
    if (atomic_load_explicit(&over, memory_order_relaxed))
        return true;
    atomic_fetch_add_explicit(&echoed, 1, memory_order_relaxed);
    return send_message(c);
}

/* ---- threads ---- */

static void fail(struct connection *c, int epoll)
{
    c->failed = true;
    c->waits = false;
    epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
}

static bool any_waits(long first)
{
    for (long i = first; i < connection_count; i += thread_count)
        if (connections[i].waits)
            return true;
    return false;
}

/* Until it is over and each message that was under way has come back. */
static void *run(void *arg)
{
    struct epoll_event events[EVENTS];
    long first = (long)(intptr_t)arg;
    int epoll = epoll_create1(0), n = 1;

    for (long i = first; i < connection_count; i += thread_count) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &connections[i]};

        epoll_ctl(epoll, EPOLL_CTL_ADD, connections[i].fd, &event);
        if (!send_message(&connections[i]))
            fail(&connections[i], epoll);
    }
    while (n > 0 && any_waits(first)) {
        n = epoll_wait(epoll, events, EVENTS, PATIENCE_S * 1000);
        for (int i = 0; i < n; i++)
            if (!on_readable(events[i].data.ptr))
                fail(events[i].data.ptr, epoll);
    }
    return NULL;
}

static void connect_all(void)
{
    for (long i = 0; i < connection_count; i++)
        if (!connect_one(&connections[i])) {
            printf("connection %ld of %ld was not upgraded\n", i + 1, connection_count);
            exit(1);
        }
}

static double now_s(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
    pthread_t threads[THREADS_MAX];
    long failed = 0;
    double began, took;

    if (argc != 6)
        return 1;
    with_tls = strcmp(argv[1], "tls") == 0;
    port = (uint16_t)strtol(argv[2], NULL, 10);
    connection_count = strtol(argv[3], NULL, 10);
    thread_count = strtol(argv[4], NULL, 10);
    if (connection_count < 1 || connection_count > CONNECTIONS_MAX || thread_count < 1 ||
        thread_count > THREADS_MAX)
        return 1;
    gnutls_certificate_allocate_credentials(&anybody);
    if (gnutls_priority_init(&priority, priorities, NULL) != 0)
        return 1;
    connect_all();
    began = now_s();
    for (long i = 0; i < thread_count; i++)
        pthread_create(&threads[i], NULL, run, (void *)(intptr_t)i);
    nanosleep(&(struct timespec){.tv_sec = strtol(argv[5], NULL, 10)}, NULL);
    atomic_store(&over, true);
    took = now_s() - began;
    for (long i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    for (long i = 0; i < connection_count; i++)
        failed += connections[i].failed || connections[i].waits;
    printf("%lu echoed in %.3f s, %ld connections failed\n", echoed, took, failed);
    return failed > 0;
}
