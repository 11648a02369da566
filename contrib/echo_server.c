/* Upstream for contrib/bench: echo_server PORT THREADS
 * WebSocket (RFC 6455), and of that only what a load of small messages takes: one key, the RFC's
 * own example, whole frames of at most 125 bytes, each sent back as it came. It does nothing else,
 * so that a proxy before it is busy first. Each thread has its own listener and its own epoll. */
#define _GNU_SOURCE /* accept4 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    EVENTS = 64,
    HEADER_MAX = 4096,
    PAYLOAD_MAX = 125, /* longer ones have an extended length */
    MASK = 0x80,
    OP_CLOSE = 8,
};

static const char key_field[] = "dGhlIHNhbXBsZSBub25jZQ==\r\n"; /* the example of RFC 6455 1.3 */
static const char switching[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
                                "Connection: Upgrade\r\n"
                                "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
static const char refusal[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"
                              "Content-Length: 0\r\n\r\n";
static uint16_t port;

struct connection {
    int fd;
    bool upgraded;
    size_t len;
    unsigned char in[HEADER_MAX + 1]; /* a NUL for strstr */
};

/* What fits no socket buffer is more than this load has: the connection ends. */
static bool send_all(int fd, const void *data, size_t len)
{
    return send(fd, data, len, MSG_NOSIGNAL) == (ssize_t)len;
}

static void take(struct connection *c, size_t len)
{
    memmove(c->in, c->in + len, c->len - len);
    c->len -= len;
}

static bool upgrade(struct connection *c)
{
    char *end;

    c->in[c->len] = '\0';
    end = strstr((char *)c->in, "\r\n\r\n");
    if (!end)
        return c->len < HEADER_MAX;
    if (!strstr((char *)c->in, key_field)) {
        send_all(c->fd, refusal, sizeof refusal - 1);
        return false;
    }
    take(c, (size_t)(end + 4 - (char *)c->in));
    c->upgraded = true;
    return send_all(c->fd, switching, sizeof switching - 1);
}

/* Takes whole frames and sends them back, all of them at once. */
static bool echo(struct connection *c)
{
    unsigned char out[HEADER_MAX];
    size_t used = 0, out_len = 0;

    while (c->len - used >= 6) {
        const unsigned char *frame = c->in + used;
        size_t len = frame[1] & (MASK - 1);

        if (!(frame[1] & MASK) || len > PAYLOAD_MAX || (frame[0] & 0x0f) == OP_CLOSE)
            return false;
        if (c->len - used < 6 + len)
            break;
        out[out_len++] = frame[0];
        out[out_len++] = (unsigned char)len;
        for (size_t i = 0; i < len; i++)
            out[out_len++] = frame[6 + i] ^ frame[2 + i % 4];
        used += 6 + len;
    }
    take(c, used);
    return out_len == 0 || send_all(c->fd, out, out_len);
}

static bool on_readable(struct connection *c)
{
    ssize_t n = recv(c->fd, c->in + c->len, HEADER_MAX - c->len, 0);

    if (n <= 0)
        return n == -1 && (errno == EAGAIN || errno == EINTR);
    c->len += (size_t)n;
    if (!c->upgraded && !upgrade(c))
        return false;
    return !c->upgraded || echo(c);
}

static void on_connection(int epoll, int listener)
{
    struct epoll_event event = {.events = EPOLLIN};
    struct connection *c;
    int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC), one = 1;

    if (fd == -1)
        return;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    c = calloc(1, sizeof *c);
    if (!c)
        abort();
    c->fd = fd;
    event.data.ptr = c;
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on(void)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), one = 1;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&address, sizeof address) == -1 || listen(fd, 1024) == -1) {
        perror("echo_server");
        exit(1);
    }
    return fd;
}

static void *run(void *unused)
{
    struct epoll_event events[EVENTS], event = {.events = EPOLLIN};
    int epoll = epoll_create1(EPOLL_CLOEXEC), listener = listen_on(), n = 0;

    epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event); /* no connection: the listener */
    while (n != -1 || errno == EINTR) {
        n = epoll_wait(epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct connection *c = events[i].data.ptr;

            if (!c) {
                on_connection(epoll, listener);
            } else if (!on_readable(c)) {
                close(c->fd);
                free(c);
            }
        }
    }
    return unused;
}

int main(int argc, char **argv)
{
    pthread_t thread;
    long threads;

    if (argc != 3 || (threads = strtol(argv[2], NULL, 10)) < 1 || threads > 64)
        return 1;
    port = (uint16_t)strtol(argv[1], NULL, 10);
    for (long i = 1; i < threads; i++)
        pthread_create(&thread, NULL, run, NULL);
    run(NULL);
}
