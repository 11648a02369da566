#include "server/signals.h"

#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

static sigset_t ours(void)
{
    static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1};
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        sigaddset(&set, numbers[i]);
    return set;
}

void signals_block(void)
{
    sigset_t set = ours();

    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static void on_event(struct event_source *src, uint32_t events)
{
    struct signals *s = container_of(src, struct signals, src);
    struct signalfd_siginfo info;

    (void)events;
    while (read(src->fd, &info, sizeof info) == (ssize_t)sizeof info)
        s->on_signal(s->arg, (int)info.ssi_signo);
}

int signals_open(struct signals *s, struct loop *l, void (*on_signal)(void *arg, int), void *arg,
                 struct err *e)
{
    sigset_t set = ours();

    *s = (struct signals){.loop = l, .on_signal = on_signal, .arg = arg};
    s->src.on_event = on_event;
    s->src.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (s->src.fd == -1)
        return err_sys(e, "signalfd");
    if (loop_add(l, &s->src, EPOLLIN, e) == 0)
        return 0;
    close(s->src.fd);
    return -1;
}

void signals_close(struct signals *s)
{
    loop_del(s->loop, &s->src);
    close(s->src.fd);
}
