#include "io/offload.h"

#include "base/alloc.h"
#include "base/log.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

/* Helpers give way to the workers when there are not enough CPUs for all. */
enum { NICENESS = 5 };

struct helper {
    struct offload *offload;
    pthread_t thread;
    const struct mailbox *home; /* of the job at hand, or NULL */
};

struct offload {
    pthread_mutex_t lock; /* guards everything below; never held while a job runs */
    pthread_cond_t work;  /* there is a job, or the end */
    pthread_cond_t ran;   /* a job is over */
    struct offload_job *first;
    struct offload_job **last;
    size_t n_queued, queue_max;
    unsigned n_idle, n_helpers, max_helpers;
    bool ending;
    struct helper helpers[];
};

static void deliver(struct mail *m, void *owner)
{
    struct offload_job *j = container_of(m, struct offload_job, mail);

    (void)owner;
    j->done(j);
}

static struct offload_job *take(struct offload *o)
{
    struct offload_job *j = o->first;

    o->first = j->next;
    if (o->first == NULL)
        o->last = &o->first;
    o->n_queued--;
    return j;
}

static void *help(void *arg)
{
    struct helper *h = arg;
    struct offload *o = h->offload;

    pthread_setname_np(pthread_self(), "offload");
    (void)setpriority(PRIO_PROCESS, 0, NICENESS); /* with Linux, of this thread only */
    pthread_mutex_lock(&o->lock);
    for (;;) {
        struct offload_job *j;

        o->n_idle++;
        while (o->first == NULL && !o->ending)
            pthread_cond_wait(&o->work, &o->lock);
        o->n_idle--;
        if (o->first == NULL)
            break;
        j = take(o);
        h->home = j->home;
        pthread_mutex_unlock(&o->lock);
        j->run(j);
        pthread_mutex_lock(&o->lock);
        mailbox_post(j->home, &j->mail); /* before offload_wait() can see that it is over */
        h->home = NULL;
        pthread_cond_broadcast(&o->ran);
    }
    pthread_mutex_unlock(&o->lock);
    return NULL;
}

/* One thread more, unless there are enough. False if there is none at all. */
static bool add_helper(struct offload *o)
{
    struct helper *h = &o->helpers[o->n_helpers];
    int rc;

    if (o->n_idle > o->n_queued || o->n_helpers == o->max_helpers)
        return true;
    h->offload = o;
    rc = pthread_create(&h->thread, NULL, help, h);
    if (rc == 0)
        o->n_helpers++;
    else if (o->n_helpers == 0)
        log_error("server", "a thread cannot be started: %s", strerror(rc));
    return o->n_helpers > 0;
}

bool offload_start(struct offload *o, struct mailbox *home, struct offload_job *j)
{
    bool ok;

    j->mail.deliver = deliver;
    j->home = home;
    j->next = NULL;
    pthread_mutex_lock(&o->lock);
    ok = o->n_queued < o->queue_max && add_helper(o);
    if (ok) {
        *o->last = j;
        o->last = &j->next;
        o->n_queued++;
        pthread_cond_signal(&o->work);
    }
    pthread_mutex_unlock(&o->lock);
    return ok;
}

bool offload_cancel(struct offload *o, struct offload_job *j)
{
    struct offload_job **at = &o->first;
    bool found;

    pthread_mutex_lock(&o->lock);
    while (*at != NULL && *at != j)
        at = &(*at)->next;
    found = *at != NULL;
    if (found) {
        *at = j->next;
        if (j->next == NULL)
            o->last = at;
        o->n_queued--;
        pthread_cond_broadcast(&o->ran);
    }
    pthread_mutex_unlock(&o->lock);
    return found;
}

static bool is_home(const struct offload *o, const struct mailbox *home)
{
    for (const struct offload_job *j = o->first; j != NULL; j = j->next)
        if (j->home == home)
            return true;
    for (unsigned i = 0; i < o->n_helpers; i++)
        if (o->helpers[i].home == home)
            return true;
    return false;
}

void offload_wait(struct offload *o, const struct mailbox *home)
{
    pthread_mutex_lock(&o->lock);
    while (is_home(o, home))
        pthread_cond_wait(&o->ran, &o->lock);
    pthread_mutex_unlock(&o->lock);
}

struct offload *offload_new(unsigned threads, size_t queue_max)
{
    struct offload *o = xalloc(sizeof *o + threads * sizeof o->helpers[0]);

    pthread_mutex_init(&o->lock, NULL);
    pthread_cond_init(&o->work, NULL);
    pthread_cond_init(&o->ran, NULL);
    o->last = &o->first;
    o->queue_max = queue_max;
    o->max_helpers = threads;
    return o;
}

void offload_free(struct offload *o)
{
    if (o == NULL)
        return;
    pthread_mutex_lock(&o->lock);
    assert(o->first == NULL);
    o->ending = true;
    pthread_cond_broadcast(&o->work);
    pthread_mutex_unlock(&o->lock);
    for (unsigned i = 0; i < o->n_helpers; i++)
        pthread_join(o->helpers[i].thread, NULL);
    pthread_cond_destroy(&o->ran);
    pthread_cond_destroy(&o->work);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
