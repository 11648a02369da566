#include "io/dns_ask.h"

#include "base/buf.h"
#include "base/file.h"
#include "base/random.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    PORT = 53,
    ROUNDS = 2,
    TIMEOUT_MS = 2000,
    LOOK_MS = 200, /* how often to see whether anybody still wants the answer */
    UDP_MAX = 4096,
    TCP_MAX = 65535,
    RESOLV_CONF_MAX = 64 * 1024
};

/* ---- servers ---- */

/* The number of an interface, as in "fe80::1%eth0"; 0: there is none. */
static unsigned scope_of(struct str name)
{
    char text[IF_NAMESIZE];

    if (name.len == 0 || name.len >= sizeof text)
        return 0;
    memcpy(text, name.p, name.len);
    text[name.len] = '\0';
    return if_nametoindex(text);
}

static bool set_address(struct str host, unsigned port, struct dns_server *out)
{
    struct str scope = host, plain = str_cut(&scope, '%');
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    char text[INET6_ADDRSTRLEN];

    if (plain.len >= sizeof text)
        return false;
    memcpy(text, plain.p, plain.len);
    text[plain.len] = '\0';
    if (scope.p != NULL && (in6.sin6_scope_id = scope_of(scope)) == 0)
        return false;
    if (scope.p == NULL && inet_pton(AF_INET, text, &in.sin_addr) == 1) {
        memcpy(&out->address, &in, sizeof in);
        out->len = sizeof in;
        return true;
    }
    if (inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) {
        memcpy(&out->address, &in6, sizeof in6);
        out->len = sizeof in6;
        return true;
    }
    return false;
}

int dns_server_parse(struct str text, struct dns_server *out, struct err *e)
{
    struct str host = text;
    uint64_t port = PORT;
    size_t colon = str_chr(text, ':');
    bool ok = true;

    if (text.len > 0 && text.p[0] == '[') {
        size_t end = str_chr(text, ']');

        host = (struct str){text.p + 1, end - 1};
        colon = end + 1;
        ok = end < text.len;
    } else if (str_chr(str_from(text, colon < text.len ? colon + 1 : colon), ':') + colon + 1 <
               text.len) {
        colon = text.len; /* an IPv6 address */
    } else {
        host.len = colon;
    }
    if (ok && colon < text.len)
        ok = text.p[colon] == ':' && str_to_uint(str_from(text, colon + 1), UINT16_MAX, &port) &&
             port > 0;
    *out = (struct dns_server){.len = 0};
    if (ok && set_address(host, (unsigned)port, out))
        return 0;
    return err_set(e, ERR_SYNTAX, "'" STR_FMT "' is no address of a DNS server", STR_ARG(text));
}

bool dns_servers_same(const struct dns_servers *a, const struct dns_servers *b)
{
    if (a->n != b->n || a->timeout_ms != b->timeout_ms)
        return false;
    for (unsigned i = 0; i < a->n; i++)
        if (a->list[i].len != b->list[i].len ||
            memcmp(&a->list[i].address, &b->list[i].address, a->list[i].len) != 0)
            return false;
    return true;
}

void dns_servers_read(struct str text, struct dns_servers *out)
{
    const struct str keyword = STR_LIT("nameserver");
    struct err e;

    *out = (struct dns_servers){.n = 0};
    while (text.len > 0 && out->n < DNS_SERVERS_MAX) {
        struct str line = str_cut(&text, '\n'), server;

        if (!str_starts(line, keyword))
            continue;
        server = str_trim(str_from(line, keyword.len));
        if (server.len + keyword.len < line.len &&
            dns_server_parse(server, &out->list[out->n], &e) == 0)
            out->n++;
    }
    if (out->n == 0 && dns_server_parse(STR_LIT("127.0.0.1"), &out->list[0], &e) == 0)
        out->n = 1;
}

static void read_system(struct dns_servers *out)
{
    const unsigned timeout_ms = out->timeout_ms;
    struct buf text = BUF_INIT(RESOLV_CONF_MAX);
    struct err e;

    if (file_read(AT_FDCWD, "/etc/resolv.conf", &text, &e) != 0)
        buf_clear(&text);
    dns_servers_read(buf_str(&text), out);
    out->timeout_ms = timeout_ms;
    buf_fini(&text);
}

/* ---- one server ---- */

struct question {
    const struct dns_server *server;
    uint8_t message[2 + DNS_QUESTION_MAX]; /* with its length before it, as TCP wants it */
    size_t len;
    uint16_t id;
    struct str name;
    enum dns_type type;
    int64_t due_ms;
    const atomic_bool *given_up;
};

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static bool is_given_up(const atomic_bool *given_up)
{
    return atomic_load_explicit(given_up, memory_order_relaxed);
}

static bool wait_for(int fd, short events, const struct question *q)
{
    for (;;) {
        struct pollfd p = {.fd = fd, .events = events};
        int64_t left = q->due_ms - now_ms();
        int n;

        if (left <= 0 || is_given_up(q->given_up))
            return false;
        n = poll(&p, 1, left < LOOK_MS ? (int)left : LOOK_MS);
        if (n > 0 || (n == -1 && errno != EINTR))
            return n > 0;
    }
}

/* Connected, so that only that server's answers come; the kernel chooses the port at random. */
static int open_socket(const struct question *q, int type)
{
    int fd = socket(q->server->address.ss_family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd == -1)
        return -1;
    if (connect(fd, (const struct sockaddr *)&q->server->address, q->server->len) == 0 ||
        errno == EINPROGRESS)
        return fd;
    close(fd);
    return -1;
}

/* Messages that answer something else are passed over: somebody may try to be first. */
static enum dns_result ask_udp(struct question *q, struct dns_records *out)
{
    uint8_t message[UDP_MAX];
    enum dns_result result = DNS_FOREIGN;
    int fd = open_socket(q, SOCK_DGRAM);

    if (fd == -1)
        return DNS_FAILED;
    if (send(fd, q->message + 2, q->len, MSG_NOSIGNAL) != (ssize_t)q->len)
        result = DNS_FAILED;
    while (result == DNS_FOREIGN && wait_for(fd, POLLIN, q)) {
        ssize_t n = recv(fd, message, sizeof message, 0);

        if (n >= 0)
            result = dns_answer(message, (size_t)n, q->id, q->name, q->type, out);
        else if (errno != EAGAIN && errno != EINTR)
            result = DNS_FAILED;
    }
    close(fd);
    return result;
}

static bool move_all(int fd, bool sending, uint8_t *p, size_t len, const struct question *q)
{
    while (len > 0) {
        ssize_t n;

        if (!wait_for(fd, sending ? POLLOUT : POLLIN, q))
            return false;
        n = sending ? send(fd, p, len, MSG_NOSIGNAL) : recv(fd, p, len, 0);
        if (n == 0 || (n == -1 && errno != EAGAIN && errno != EINTR))
            return false;
        if (n > 0) {
            p += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* RFC 7766: a length of two bytes comes first. */
static enum dns_result ask_tcp(struct question *q, struct dns_records *out)
{
    struct buf answer = BUF_INIT(TCP_MAX);
    enum dns_result result = DNS_FAILED;
    int fd = open_socket(q, SOCK_STREAM);
    uint8_t head[2];
    size_t len;

    if (fd == -1)
        return DNS_FAILED;
    q->message[0] = (uint8_t)(q->len >> 8);
    q->message[1] = (uint8_t)q->len;
    if (move_all(fd, true, q->message, q->len + 2, q) &&
        move_all(fd, false, head, sizeof head, q)) {
        len = (size_t)head[0] << 8 | head[1];
        if (buf_reserve(&answer, len) == 0 && move_all(fd, false, (uint8_t *)answer.p, len, q))
            result = dns_answer((const uint8_t *)answer.p, len, q->id, q->name, q->type, out);
    }
    buf_fini(&answer);
    close(fd);
    return result;
}

static enum dns_result ask_server(const struct dns_server *server, unsigned timeout_ms,
                                  struct str name, enum dns_type type, const atomic_bool *given_up,
                                  struct dns_records *out)
{
    struct question q = {.server = server, .name = name, .type = type, .given_up = given_up};
    enum dns_result result;

    random_bytes(&q.id, sizeof q.id);
    q.len = dns_question(q.message + 2, q.id, name, type);
    q.due_ms = now_ms() + timeout_ms;
    result = ask_udp(&q, out);
    if (result == DNS_TRUNCATED)
        result = ask_tcp(&q, out);
    return result;
}

/* ---- all ---- */

int dns_ask(const struct dns_servers *servers, struct str name, enum dns_type type,
            const atomic_bool *given_up, struct dns_records *out, struct err *e)
{
    const unsigned timeout_ms = servers->timeout_ms == 0 ? TIMEOUT_MS : servers->timeout_ms;
    struct dns_servers all = *servers;
    bool refused = false;

    if (all.n == 0)
        read_system(&all);
    for (unsigned i = 0; i < ROUNDS * all.n && !is_given_up(given_up); i++) {
        switch (ask_server(&all.list[i % all.n], timeout_ms, name, type, given_up, out)) {
        case DNS_OK:
            return 0;
        case DNS_NO_NAME:
            return err_set(e, ERR_NOT_FOUND, "there is no such name");
        case DNS_FAILED:
            refused = true;
            break;
        case DNS_TRUNCATED:
        case DNS_FOREIGN:
            break;
        }
    }
    return err_set(e, ERR_IO, refused ? "no DNS server could answer" : "no DNS server answered");
}
