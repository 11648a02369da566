#include "peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool peer_send(int fd, const char *p, size_t len)
{
    while (len > 0) {
        ssize_t n = send(fd, p, len, MSG_NOSIGNAL);

        if (n <= 0)
            return false;
        p += n;
        len -= (size_t)n;
    }
    return true;
}

bool peer_say(int fd, const char *text)
{
    return peer_send(fd, text, strlen(text));
}

bool peer_read_head(int fd, char *head, size_t cap)
{
    size_t len = 0;

    while (len + 1 < cap && recv(fd, head + len, 1, 0) == 1) {
        head[++len] = '\0';
        if (len >= 4 && strcmp(head + len - 4, "\r\n\r\n") == 0)
            return true;
    }
    return false;
}

void peer_serve(struct peer *s, int fd)
{
    char head[8192];

    while (peer_read_head(fd, head, sizeof head) && peer_say(fd, s->text))
        ;
}

void peer_serve_once(struct peer *s, int fd)
{
    char head[8192];

    if (peer_read_head(fd, head, sizeof head))
        peer_say(fd, s->text);
}

static void *peer_thread(void *arg)
{
    struct peer *s = arg;
    int fd;

    while ((fd = accept(s->fd, NULL, NULL)) != -1) {
        atomic_fetch_add(&s->accepts, 1);
        s->serve(s, fd);
        close(fd);
    }
    return NULL;
}

void peer_start_at(struct peer *s, const struct sockaddr *at, socklen_t len,
                   void (*serve)(struct peer *s, int fd), const char *text)
{
    memset(s, 0, sizeof *s);
    s->serve = serve;
    s->text = text;
    s->fd = socket(at->sa_family, SOCK_STREAM, 0);
    if (bind(s->fd, at, len) != 0 || listen(s->fd, 16) != 0 ||
        pthread_create(&s->thread, NULL, peer_thread, s) != 0)
        abort();
}

void peer_start(struct peer *s, void (*serve)(struct peer *s, int fd), const char *text)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;

    peer_start_at(s, (struct sockaddr *)&a, sizeof a, serve, text);
    if (getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
        abort();
    s->port = ntohs(a.sin_port);
}

void peer_stop(struct peer *s)
{
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}
