/* Objects that workers share, each under the number that names it: the first one that asks for it
 * makes it, and it goes when nobody holds it any more. Since a new configuration is taken up before
 * the old one is dropped, an object under the same number outlives a reload. Any thread; a lock is
 * held for the time of the call, which is for when a configuration changes and not for each
 * request. What threads do with the object is the object's own business. */
#ifndef LINTEL_BASE_SHARED_H
#define LINTEL_BASE_SHARED_H

#include <stdint.h>

struct shared;

struct shared_type {
    void *(*make)(const void *arg); /* never NULL */
    void (*free)(void *object);
};

struct shared *shared_new(void);
void shared_free(struct shared *s); /* everything has been put back; NULL is fine */

/* The object under that number, made of arg if there is none. To be put back once. */
void *shared_get(struct shared *s, uint64_t number, const struct shared_type *type, const void *arg)
    __attribute__((returns_nonnull));
void shared_put(struct shared *s, uint64_t number, const struct shared_type *type);

#endif
