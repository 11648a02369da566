/* What the two files of store_fs share. Everybody else uses cert/store.h. */
#ifndef LINTEL_CERT_STORE_FS_H
#define LINTEL_CERT_STORE_FS_H

#include "base/alloc.h"
#include "base/list.h"
#include "cert/store.h"

struct store_fs {
    struct store base;
    int dirfd;
    char *root;
    struct list locks; /* of fs_lock.link */
};

static inline struct store_fs *store_fs_of(struct store *s)
{
    return container_of(s, struct store_fs, base);
}

/* Makes the folders above key. */
MUST_CHECK int store_fs_mkdirs(struct store_fs *fs, const char *key, struct err *e);

/* The lock part of store_ops. */
int store_fs_lock(struct store *s, const char *name, struct store_lock **lock, struct err *e);
void store_fs_refresh(struct store *s);
void store_fs_unlock(struct store_lock *lock);

#endif
