#include "server/refusal.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    LINGER_MS = 2000,
    WAITING_MAX = 256, /* beyond, the oldest is closed at once */
    READ_SIZE = 4096,
    READS_A_TURN = 16
};

struct refusal {
    struct list item;
    struct event_source src;
    struct refusals *all;
    uint64_t until_ms;
};

static void close_one(struct refusal *x)
{
    loop_del(x->all->loop, &x->src);
    close(x->src.fd);
    list_del(&x->item);
    x->all->n--;
    free(x);
}

/* Reads and forgets. False once the client has closed, or the connection has failed. */
static bool discard(int fd)
{
    char bytes[READ_SIZE];

    for (int i = 0; i < READS_A_TURN; i++) {
        ssize_t n = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n == 0)
            return false;
        if (n == -1)
            return errno == EAGAIN || errno == EINTR;
    }
    return true;
}

static void on_event(struct event_source *src, uint32_t events)
{
    struct refusal *x = container_of(src, struct refusal, src);

    if ((events & (EPOLLERR | EPOLLHUP)) != 0 || !discard(src->fd))
        close_one(x);
}

static struct refusal *oldest(struct refusals *r)
{
    return container_of(r->waiting.next, struct refusal, item);
}

static void on_timer(struct timer *t)
{
    struct refusals *r = container_of(t, struct refusals, timer);
    uint64_t now = loop_now_ms(r->loop);

    while (!list_empty(&r->waiting) && oldest(r)->until_ms <= now)
        close_one(oldest(r));
    if (!list_empty(&r->waiting))
        timer_set(r->loop, t, oldest(r)->until_ms - now);
}

void refusals_init(struct refusals *r, struct loop *l)
{
    *r = (struct refusals){.loop = l, .timer.on_timer = on_timer};
    list_init(&r->waiting);
}

void refusals_fini(struct refusals *r)
{
    while (!list_empty(&r->waiting))
        close_one(oldest(r));
    timer_cancel(r->loop, &r->timer);
}

static void wait_for_close(struct refusals *r, int fd)
{
    struct refusal *x = xalloc(sizeof *x);

    *x = (struct refusal){.src = {fd, on_event}, .all = r};
    x->until_ms = loop_now_ms(r->loop) + LINGER_MS;
    list_add_tail(&r->waiting, &x->item);
    r->n++;
    if (loop_add(r->loop, &x->src, EPOLLIN | EPOLLRDHUP, NULL) != 0) {
        close_one(x);
        return;
    }
    if (r->n > WAITING_MAX)
        close_one(oldest(r));
    if (r->timer.slot == 0)
        timer_set(r->loop, &r->timer, LINGER_MS);
}

void refusals_add(struct refusals *r, int fd, struct str last_words)
{
    bool waits = discard(fd);

    /* A fresh socket takes these few bytes whole, or the client is gone. */
    if (send(fd, last_words.p, last_words.len, MSG_NOSIGNAL | MSG_DONTWAIT) == -1 ||
        shutdown(fd, SHUT_WR) == -1 || !waits) {
        close(fd);
        return;
    }
    wait_for_close(r, fd);
}

void refusals_add_alert(struct refusals *r, int fd, unsigned alert)
{
    /* Type alert, version TLS 1.2 as RFC 8446 5.1 wants it, 2 bytes: fatal, what. */
    const char record[] = {21, 3, 3, 0, 2, 2, (char)alert};

    refusals_add(r, fd, (struct str){record, sizeof record});
}
