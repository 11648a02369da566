/* Locks of store_fs: a file locks/<name>.lock that carries two locks at once.
 *
 * - An open-file-description lock (F_OFD_SETLK) on it. The kernel gives it up when its holder dies,
 *   so that nobody waits for a lease to run out. It counts between Lintel processes, between
 *   threads of one, and over NFSv4 between machines.
 * - certmagic's lease: the file exists and says {"created":...,"updated":...}; updated is renewed
 *   every 5 s and stale after 10 s. It counts between Lintel and Caddy on one folder. Ours have one
 *   member more, "holder", which certmagic passes over: a file with it and without an OFD lock
 *   on it is of a Lintel that died, and is taken over at once.
 *
 * Life of a lock: open or create; OFD lock; is the path still this file (a holder removes it when
 * it unlocks)?; is there a foreign lease that is fresh?; write ours; refresh; remove; close. Where
 * the file system has no locks (ENOLCK, EOPNOTSUPP), the lease alone must do. */
#include "cert/store_fs.h"

#include "base/date.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LEASE_STALE_S = 10,
    LEASE_TEXT_MAX = 512,
    EMPTY_STALE_S = 2, /* certmagic creates the file, then writes it */
    OPEN_TRIES = 8
};

struct fs_lock {
    struct store_lock base;
    struct list link; /* in store_fs.locks */
    int fd;
    int64_t created_s;
    int64_t updated_s;
    char key[STORE_KEY_MAX];
};

enum take { TAKE_OK, TAKE_BUSY, TAKE_AGAIN, TAKE_FAIL };

static struct fs_lock *fs_lock_of(struct store_lock *lock)
{
    return container_of(lock, struct fs_lock, base);
}

/* True if the path of the lock is still the file we have open. */
static bool same_file(const struct store_fs *fs, const struct fs_lock *l)
{
    struct stat mine, named;

    return fstat(l->fd, &mine) == 0 && fstatat(fs->dirfd, l->key, &named, 0) == 0 &&
           mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

/* The text has one length for ever, so that one pwrite() replaces it and a reader never finds half
 * of it. */
static int write_lease(struct fs_lock *l, int64_t now_s, struct err *e)
{
    char created[DATE_RFC3339_LEN + 1], updated[DATE_RFC3339_LEN + 1], text[LEASE_TEXT_MAX];
    ssize_t n;
    int len;

    date_format_rfc3339(l->created_s, created);
    date_format_rfc3339(now_s, updated);
    len = snprintf(text, sizeof text,
                   "{\"created\":\"%s\",\"updated\":\"%s\",\"holder\":\"lintel\"}\n", created,
                   updated);
    n = pwrite(l->fd, text, (size_t)len, 0);
    if (n == -1 || ftruncate(l->fd, len) == -1)
        return err_sys(e, "write %s", l->key);
    if (n != len)
        return err_set(e, ERR_IO, "write %s: no space left", l->key);
    l->updated_s = now_s;
    return 0;
}

struct lease {
    int64_t updated_s;
    bool readable;
    bool ours;
};

static bool member_time(struct json_object *o, const char *name, int64_t *time_s)
{
    struct json_object *value;

    return json_object_object_get_ex(o, name, &value) &&
           json_object_is_type(value, json_type_string) &&
           date_parse_rfc3339(str_of(json_object_get_string(value)), time_s);
}

/* What the file says; of a file that says nothing, when it was written last. */
static struct lease read_lease(const struct fs_lock *l)
{
    struct lease lease = {0, false, false};
    char text[LEASE_TEXT_MAX];
    ssize_t n = pread(l->fd, text, sizeof text - 1, 0);
    struct json_object *o;
    struct stat st;

    text[n > 0 ? n : 0] = '\0';
    o = json_tokener_parse(text);
    if (o != NULL && json_object_is_type(o, json_type_object)) {
        lease.ours = json_object_object_get_ex(o, "holder", NULL);
        lease.readable = member_time(o, "updated", &lease.updated_s) ||
                         member_time(o, "created", &lease.updated_s);
    }
    json_object_put(o);
    if (!lease.readable && fstat(l->fd, &st) == 0)
        lease.updated_s = st.st_mtime;
    return lease;
}

/* A lease from the future (clocks that jumped) counts as fresh for its own length only. */
static bool fresh(const struct lease *lease, int64_t now_s)
{
    int64_t age_s = now_s - lease->updated_s;
    int64_t limit_s = lease->readable ? LEASE_STALE_S : EMPTY_STALE_S;

    return age_s <= limit_s && age_s >= -limit_s;
}

/* 1: locked; 0: somebody else has it; -1: the file system knows no locks. */
static int lock_descriptor(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &whole) == 0)
        return 1;
    return errno == EAGAIN || errno == EACCES ? 0 : -1;
}

/* Whether the lease in the file keeps us away. locked: we hold the OFD lock. */
static bool held_by_lease(const struct fs_lock *l, bool locked)
{
    struct lease lease = read_lease(l);

    return !(lease.ours && locked) && fresh(&lease, time(NULL));
}

/* Somebody has created the file and may be about to lock and write it: to try the OFD lock now
 * could win it for an instant, and turn that somebody away. */
static bool being_made(const struct fs_lock *l)
{
    struct stat st;

    return fstat(l->fd, &st) == 0 && st.st_size == 0 && held_by_lease(l, false);
}

/* The file is open: decides whether it may be ours. */
static enum take take(struct store_fs *fs, struct fs_lock *l, bool is_new, struct err *e)
{
    int locked;

    if (!is_new && being_made(l))
        return TAKE_BUSY;
    locked = lock_descriptor(l->fd);
    if (locked == 0)
        return TAKE_BUSY;
    if (!same_file(fs, l))
        return TAKE_AGAIN;
    if (!is_new) {
        if (held_by_lease(l, locked == 1))
            return TAKE_BUSY;
        log_info("store", "%s: taken over from a holder that is gone", l->key);
        if (locked == -1) { /* only O_EXCL can tell who comes first */
            unlinkat(fs->dirfd, l->key, 0);
            return TAKE_AGAIN;
        }
    }
    l->created_s = time(NULL);
    if (write_lease(l, l->created_s, e) == 0)
        return TAKE_OK;
    if (is_new)
        unlinkat(fs->dirfd, l->key, 0);
    return TAKE_FAIL;
}

static enum take open_and_take(struct store_fs *fs, struct fs_lock *l, struct err *e)
{
    bool is_new = true;
    enum take result;

    l->fd = openat(fs->dirfd, l->key, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (l->fd == -1 && errno == EEXIST) {
        is_new = false;
        l->fd = openat(fs->dirfd, l->key, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        if (l->fd == -1 && errno == ENOENT)
            return TAKE_AGAIN;
    }
    if (l->fd == -1) {
        err_sys(e, "create %s", l->key);
        return TAKE_FAIL;
    }
    result = take(fs, l, is_new, e);
    if (result != TAKE_OK)
        close(l->fd);
    return result;
}

static int busy(const char *name, struct err *e)
{
    err_set(e, ERR_BUSY, "the lock %s is held by another process", name);
    if (e != NULL)
        e->retry_ms = STORE_LOCK_RETRY_MS;
    return -1;
}

static int failed(struct store_fs *fs, struct err *e)
{
    err_wrap(e, "storage %s", fs->root);
    if (e != NULL)
        e->retry_ms = 60 * 1000;
    return -1;
}

int store_fs_lock(struct store *s, const char *name, struct store_lock **lock, struct err *e)
{
    struct store_fs *fs = store_fs_of(s);
    struct fs_lock *l = xalloc(sizeof *l);
    enum take result = TAKE_AGAIN;
    int n = snprintf(l->key, sizeof l->key, "locks/%s.lock", name);

    if (n < 0 || (size_t)n >= sizeof l->key || strchr(name, '/') != NULL) {
        free(l);
        return err_set(e, ERR_INVALID, "storage: malformed lock name");
    }
    if (store_fs_mkdirs(fs, l->key, e) != 0)
        result = TAKE_FAIL;
    for (int i = 0; i < OPEN_TRIES && result == TAKE_AGAIN; i++)
        result = open_and_take(fs, l, e);
    if (result != TAKE_OK) {
        free(l);
        return result == TAKE_FAIL ? failed(fs, e) : busy(name, e);
    }
    l->base.store = s;
    list_add_tail(&fs->locks, &l->link);
    *lock = &l->base;
    return 0;
}

/* A lease that cannot be written (disk full) is lost only when others may hold it for stale; the
 * OFD lock keeps other Lintels away even then, but not a Caddy. */
static void refresh_one(struct store_fs *fs, struct fs_lock *l)
{
    int64_t now_s = time(NULL);
    struct err e;

    if (l->base.lost)
        return;
    if (!same_file(fs, l)) {
        l->base.lost = true;
        log_warn("store", "%s: the lock was removed by somebody else", l->key);
    } else if (write_lease(l, now_s, &e) != 0 && now_s - l->updated_s > LEASE_STALE_S) {
        l->base.lost = true;
        log_warn("store", "%s: the lease ran out: %s", l->key, e.msg);
    }
}

void store_fs_refresh(struct store *s)
{
    struct store_fs *fs = store_fs_of(s);

    for (struct list *i = fs->locks.next; i != &fs->locks; i = i->next)
        refresh_one(fs, container_of(i, struct fs_lock, link));
}

void store_fs_unlock(struct store_lock *lock)
{
    struct fs_lock *l = fs_lock_of(lock);
    struct store_fs *fs = store_fs_of(lock->store);

    if (same_file(fs, l)) /* first the name, then the lock: see same_file() in take() */
        unlinkat(fs->dirfd, l->key, 0);
    close(l->fd);
    list_del(&l->link);
    free(l);
}
