#include "base/shared.h"

#include "base/alloc.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 1024 };

struct entry {
    struct entry *next;
    uint64_t number;
    const struct shared_type *type;
    void *object;
    unsigned holders;
};

struct shared {
    pthread_mutex_t lock; /* guards all of it */
    struct entry *buckets[BUCKETS];
};

/* The place of an entry, or the end of its list. */
static struct entry **find(struct shared *s, uint64_t number, const struct shared_type *type)
{
    struct entry **at = &s->buckets[number % BUCKETS];

    while (*at != NULL && ((*at)->number != number || (*at)->type != type))
        at = &(*at)->next;
    return at;
}

void *shared_get(struct shared *s, uint64_t number, const struct shared_type *type, const void *arg)
{
    struct entry **at;
    void *object;

    pthread_mutex_lock(&s->lock);
    at = find(s, number, type);
    if (*at == NULL) {
        *at = xalloc(sizeof **at);
        **at = (struct entry){NULL, number, type, type->make(arg), 0};
    }
    (*at)->holders++;
    object = (*at)->object;
    pthread_mutex_unlock(&s->lock);
    return object;
}

void shared_put(struct shared *s, uint64_t number, const struct shared_type *type)
{
    struct entry **at, *e;

    pthread_mutex_lock(&s->lock);
    at = find(s, number, type);
    e = *at;
    assert(e != NULL);
    if (--e->holders == 0)
        *at = e->next;
    else
        e = NULL;
    pthread_mutex_unlock(&s->lock);
    if (e != NULL)
        type->free(e->object);
    free(e);
}

struct shared *shared_new(void)
{
    struct shared *s = xalloc(sizeof *s);

    pthread_mutex_init(&s->lock, NULL);
    return s;
}

void shared_free(struct shared *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++)
        assert(s->buckets[i] == NULL);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
