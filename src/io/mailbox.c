#include "io/mailbox.h"

#include "base/alloc.h"

#include <sys/eventfd.h>
#include <unistd.h>

static void deliver_all(struct mailbox *mb)
{
    struct mail *m;

    pthread_mutex_lock(&mb->lock);
    m = mb->first;
    mb->first = NULL;
    mb->last = &mb->first;
    pthread_mutex_unlock(&mb->lock);
    while (m != NULL) {
        struct mail *next = m->next;

        m->deliver(m, mb->owner);
        m = next;
    }
}

static void on_wake(struct event_source *src, uint32_t events)
{
    struct mailbox *mb = container_of(src, struct mailbox, src);
    uint64_t count;

    (void)events;
    /* Emptied first: a post that comes now wakes us again. */
    if (read(src->fd, &count, sizeof count) == -1)
        count = 0;
    deliver_all(mb);
}

int mailbox_init(struct mailbox *mb, struct loop *l, void *owner, struct err *e)
{
    mb->loop = l;
    mb->owner = owner;
    mb->first = NULL;
    mb->last = &mb->first;
    mb->src.on_event = on_wake;
    mb->src.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (mb->src.fd == -1)
        return err_sys(e, "eventfd");
    if (loop_add(l, &mb->src, EPOLLIN, e) != 0) {
        close(mb->src.fd);
        return -1;
    }
    pthread_mutex_init(&mb->lock, NULL);
    return 0;
}

void mailbox_fini(struct mailbox *mb)
{
    deliver_all(mb);
    loop_del(mb->loop, &mb->src);
    close(mb->src.fd);
    pthread_mutex_destroy(&mb->lock);
}

void mailbox_post(struct mailbox *mb, struct mail *m)
{
    uint64_t one = 1;
    bool was_empty;

    m->next = NULL;
    pthread_mutex_lock(&mb->lock);
    was_empty = mb->first == NULL;
    *mb->last = m;
    mb->last = &m->next;
    /* Written under the lock, so that the box cannot be closed in between. */
    if (was_empty && write(mb->src.fd, &one, sizeof one) == -1)
        was_empty = false; /* the counter is at its maximum: the owner is awake anyway */
    pthread_mutex_unlock(&mb->lock);
}
