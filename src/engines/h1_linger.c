#include "engines/h1_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { LINGER_MS = 2000, SOCKETS_MAX = 256, BYTES_MAX = 4 * 1024 * 1024 };

struct lingering {
    struct list item;
    struct h1_linger *lg;
    struct event_source src;
    uint64_t until_ms;
    size_t bytes;
};

static void let_go(struct lingering *s)
{
    loop_del(s->lg->loop, &s->src);
    close(s->src.fd);
    list_del(&s->item);
    s->lg->n--;
    free(s);
}

static void on_readable(struct event_source *src, uint32_t events)
{
    struct lingering *s = container_of(src, struct lingering, src);
    char waste[16 * 1024];
    ssize_t n = recv(src->fd, waste, sizeof waste, MSG_DONTWAIT);

    (void)events;
    if (n > 0 && (s->bytes += (size_t)n) < BYTES_MAX)
        return; /* level-triggered: more will be told */
    if (n == -1 && errno == EAGAIN)
        return;
    let_go(s);
}

static void on_timer(struct timer *t)
{
    struct h1_linger *lg = container_of(t, struct h1_linger, timer);

    while (!list_empty(&lg->sockets)) {
        struct lingering *s = container_of(lg->sockets.next, struct lingering, item);
        uint64_t now = loop_now_ms(lg->loop);

        if (s->until_ms > now) {
            timer_set(lg->loop, t, s->until_ms - now);
            return;
        }
        let_go(s);
    }
}

void h1_linger_init(struct h1_linger *lg, struct loop *l)
{
    lg->loop = l;
    list_init(&lg->sockets);
    lg->timer.on_timer = on_timer;
}

void h1_linger_fini(struct h1_linger *lg)
{
    while (!list_empty(&lg->sockets))
        let_go(container_of(lg->sockets.next, struct lingering, item));
    timer_cancel(lg->loop, &lg->timer);
}

void h1_linger_add(struct h1_linger *lg, int fd)
{
    struct lingering *s;
    int copy;

    if (lg->n >= SOCKETS_MAX || (copy = fcntl(fd, F_DUPFD_CLOEXEC, 0)) == -1)
        return;
    shutdown(copy, SHUT_WR);
    s = xalloc(sizeof *s);
    s->lg = lg;
    s->src = (struct event_source){copy, on_readable};
    s->until_ms = loop_now_ms(lg->loop) + LINGER_MS;
    if (loop_add(lg->loop, &s->src, EPOLLIN | EPOLLRDHUP, NULL) != 0) {
        close(copy);
        free(s);
        return;
    }
    list_add_tail(&lg->sockets, &s->item);
    lg->n++;
    if (lg->timer.slot == 0)
        timer_set(lg->loop, &lg->timer, LINGER_MS);
}
