/* Where certificates, keys and accounts are kept: a small vtable, so that a folder (store_fs) or a
 * cluster's key-value store can stand behind it. Keys are relative paths, made by
 * cert/store_layout.h. All calls may block for as long as one disk write or one request takes;
 * certificate thread (or a tool without threads) only, one thread at a time. */
#ifndef LINTEL_CERT_STORE_H
#define LINTEL_CERT_STORE_H

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"

#include <stdbool.h>

enum {
    STORE_KEY_MAX = 1024,         /* bytes of a key with its NUL */
    STORE_VALUE_MAX = 256 * 1024, /* bytes of a value: give buffers this ceiling */
    STORE_LOCK_REFRESH_MS = 5000, /* how often the holder of locks calls store_refresh */
    STORE_LOCK_RETRY_MS = 1000    /* err.retry_ms of a lock that is held by somebody else */
};

/* A lock held in a store. Owned by the caller until store_unlock. */
struct store_lock {
    struct store *store;
    bool lost; /* the lease ran out or was taken: stop what it protected, then unlock */
};

/* Called once a child of a folder; name is one path component. Return false to stop. */
typedef bool (*store_visit)(void *arg, const char *name);

struct store {
    const struct store_ops *ops;
};

struct store_ops {
    int (*get)(struct store *s, const char *key, struct buf *out, struct err *e);
    int (*put)(struct store *s, const char *key, struct str value, struct err *e);
    int (*del)(struct store *s, const char *key, struct err *e);
    int (*list)(struct store *s, const char *folder, store_visit visit, void *arg, struct err *e);
    int (*lock)(struct store *s, const char *name, struct store_lock **lock, struct err *e);
    void (*refresh)(struct store *s);
    void (*unlock)(struct store_lock *lock);
    const char *(*where)(const struct store *s);
    void (*free)(struct store *s);
};

/* Appends the value to out. ERR_NOT_FOUND: there is none; ERR_LIMIT: larger than out may grow;
 * ERR_INVALID: the key is malformed; ERR_IO: anything else, retry_ms set. */
MUST_CHECK static inline int store_get(struct store *s, const char *key, struct buf *out,
                                       struct err *e)
{
    return s->ops->get(s, key, out, e);
}

/* Replaces the value atomically and lasting: whoever looks, at any instant and after a power cut,
 * finds the old value or the new one. On an error (full, read-only) the old one stays. */
MUST_CHECK static inline int store_put(struct store *s, const char *key, struct str value,
                                       struct err *e)
{
    return s->ops->put(s, key, value, e);
}

/* No error if there is none. A folder left empty is removed with its last value. */
MUST_CHECK static inline int store_delete(struct store *s, const char *key, struct err *e)
{
    return s->ops->del(s, key, e);
}

/* Names of the values and folders right under folder, in byte order; none if it does not exist. */
MUST_CHECK static inline int store_list(struct store *s, const char *folder, store_visit visit,
                                        void *arg, struct err *e)
{
    return s->ops->list(s, folder, visit, arg, e);
}

/* Tries to take the lock called name (store_lock_* of store_layout.h) and never waits: if somebody
 * else holds it, ERR_BUSY with retry_ms. It holds against other threads, processes and, where the
 * store is shared, machines; a holder that died loses it. While it is held, store_refresh must be
 * called every STORE_LOCK_REFRESH_MS. */
MUST_CHECK static inline int store_lock(struct store *s, const char *name, struct store_lock **lock,
                                        struct err *e)
{
    return s->ops->lock(s, name, lock, e);
}

/* Renews the leases of all locks held through s. One that could not be kept gets lost = true. */
static inline void store_refresh(struct store *s)
{
    s->ops->refresh(s);
}

/* Gives the lock back and frees it. NULL is fine. */
static inline void store_unlock(struct store_lock *lock)
{
    if (lock != NULL)
        lock->store->ops->unlock(lock);
}

/* The place for messages ("/var/lib/lintel"). Lives as long as s. */
static inline const char *store_where(const struct store *s)
{
    return s->ops->where(s);
}

/* NULL is fine. No lock may be held. */
static inline void store_free(struct store *s)
{
    if (s != NULL)
        s->ops->free(s);
}

/* The folder at root as a store, laid out as certmagic does it, so that the data folder of a Caddy
 * can be taken over as it is. The folder is made (0700) if it is missing; temporary files that a
 * killed process left long ago are removed. A read-only folder is fine for reading. NULL with *e
 * set if root cannot be opened or made. */
struct store *store_fs_new(const char *root, struct err *e);

#endif
