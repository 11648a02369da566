#include "handlers/file_cache.h"

#include "base/alloc.h"
#include "base/siphash.h"

#include <stdlib.h>

enum { BUCKETS_MIN = 64 }; /* a power of two */

/* Entries of one kind, the least lately used first. */
struct lru {
    struct list list;
    size_t n;
    size_t max;
};

struct file_cache {
    struct loop *loop;
    struct timer sweep; /* set while there are descriptors */
    struct file_cache_limits limits;
    struct file_cache_stats *stats;
    struct lru files, others;
    size_t bytes;
    size_t n_fds;
    unsigned owners;
    struct siphash_key hash_key;
    struct file_entry **buckets;
    uint32_t mask;
};

/* ---- entries ---- */

/* Clients choose the paths, and none shall choose where they go. Roots and owners are few. */
static uint32_t hash_of(const struct file_cache *c, unsigned owner, struct str root,
                        struct str path)
{
    uint32_t h = owner;

    /* Nearly always constant: its length and end tell enough apart. */
    for (size_t i = root.len < 8 ? 0 : root.len - 8; i < root.len; i++)
        h = (h ^ (unsigned char)root.p[i]) * 16777619U;
    return h ^ (uint32_t)siphash(&c->hash_key, path);
}

static struct lru *lru_of(struct file_cache *c, const struct file_entry *e)
{
    return e->rep != NULL ? &c->files : &c->others;
}

static size_t bytes_of(const struct file_entry *e)
{
    return sizeof *e + e->root.len + e->path.len + (e->rep == NULL ? 0 : file_rep_bytes(e->rep));
}

static bool holds_fd(const struct file_entry *e)
{
    return e->rep != NULL && e->rep->fd != -1;
}

static struct file_entry **find(struct file_cache *c, uint32_t hash, unsigned owner,
                                struct str root, struct str path)
{
    struct file_entry **at = &c->buckets[hash & c->mask];

    while (*at != NULL && !((*at)->hash == hash && (*at)->owner == owner &&
                            str_eq((*at)->path, path) && str_eq((*at)->root, root)))
        at = &(*at)->next;
    return at;
}

static void drop(struct file_cache *c, struct file_entry *e)
{
    struct file_entry **at = find(c, e->hash, e->owner, e->root, e->path);

    *at = e->next;
    list_del(&e->lru);
    lru_of(c, e)->n--;
    c->bytes -= bytes_of(e);
    c->n_fds -= holds_fd(e);
    if (e->rep != NULL)
        file_rep_set_meter(e->rep, NULL);
    file_rep_unref(e->rep);
    free(e->file);
    free(e);
}

/* ---- statistics ---- */

/* There is one writer: nothing has to be locked. */
static void set(_Atomic uint64_t *value, uint64_t n)
{
    atomic_store_explicit(value, n, memory_order_relaxed);
}

static void count(_Atomic uint64_t *value)
{
    set(value, atomic_load_explicit(value, memory_order_relaxed) + 1);
}

static void tell(const struct file_cache *c)
{
    set(&c->stats->files, c->files.n);
    set(&c->stats->absent, c->others.n);
    set(&c->stats->descriptors, c->n_fds);
    set(&c->stats->bytes, c->bytes);
}

/* ---- bounds ---- */

static struct file_entry *entry_of(struct list *item)
{
    return container_of(item, struct file_entry, lru);
}

static void drop_oldest_fds(struct file_cache *c, size_t max, uint64_t used_before_ms)
{
    struct list *item = c->files.list.next;

    while (c->n_fds > max && item != &c->files.list) {
        struct file_entry *e = entry_of(item);

        item = item->next;
        if (e->used_ms >= used_before_ms)
            return;
        if (holds_fd(e)) {
            drop(c, e);
            count(&c->stats->evictions);
        }
    }
}

static void evict_oldest(struct file_cache *c, struct lru *lru)
{
    drop(c, entry_of(lru->list.next));
    count(&c->stats->evictions);
}

/* The newest entry always stays: somebody is about to use it. */
static void make_room(struct file_cache *c)
{
    while (c->files.n > c->files.max)
        evict_oldest(c, &c->files);
    while (c->others.n > c->others.max)
        evict_oldest(c, &c->others);
    while (c->bytes > c->limits.bytes && c->files.n > 1)
        evict_oldest(c, &c->files);
    drop_oldest_fds(c, c->limits.descriptors, UINT64_MAX);
    tell(c);
}

/* A deleted file takes up its room on the disk for as long as it is open. */
static void on_sweep(struct timer *t)
{
    struct file_cache *c = container_of(t, struct file_cache, sweep);
    uint64_t now_ms = loop_now_ms(c->loop);

    if (now_ms > FILE_CACHE_FD_IDLE_MS)
        drop_oldest_fds(c, 0, now_ms - FILE_CACHE_FD_IDLE_MS);
    if (c->n_fds > 0)
        timer_set(c->loop, &c->sweep, FILE_CACHE_FD_IDLE_MS / 2);
    tell(c);
}

void file_cache_drop_fds(struct file_cache *c)
{
    drop_oldest_fds(c, 0, UINT64_MAX);
    tell(c);
}

/* ---- life ---- */

static void set_buckets(struct file_cache *c, uint32_t n)
{
    c->buckets = xalloc(n * sizeof(*c->buckets));
    c->mask = n - 1;
}

static void link_all(struct file_cache *c, const struct lru *lru)
{
    for (struct list *item = lru->list.next; item != &lru->list; item = item->next) {
        struct file_entry *e = entry_of(item);

        e->next = c->buckets[e->hash & c->mask];
        c->buckets[e->hash & c->mask] = e;
    }
}

void file_cache_set_limits(struct file_cache *c, const struct file_cache_limits *limits)
{
    uint32_t n = BUCKETS_MIN;

    c->limits = *limits;
    if (limits->off)
        c->limits =
            (struct file_cache_limits){.off = true, .files = 1, .absent = 1, .descriptors = 1};
    c->files.max = c->limits.files;
    c->others.max = c->limits.absent;
    while (n < c->files.max + c->others.max)
        n *= 2;
    make_room(c);
    free(c->buckets);
    set_buckets(c, n);
    link_all(c, &c->files);
    link_all(c, &c->others);
}

struct file_cache *file_cache_new(struct loop *loop, struct file_cache_stats *stats)
{
    struct file_cache *c = xalloc(sizeof *c);

    c->loop = loop;
    c->stats = stats;
    c->sweep.on_timer = on_sweep;
    siphash_key_init(&c->hash_key);
    list_init(&c->files.list);
    list_init(&c->others.list);
    set_buckets(c, BUCKETS_MIN);
    file_cache_set_limits(c, &(struct file_cache_limits){.off = true});
    return c;
}

static void drop_of(struct file_cache *c, struct lru *lru, unsigned owner)
{
    struct list *item = lru->list.next;

    while (item != &lru->list) {
        struct file_entry *e = entry_of(item);

        item = item->next;
        if (owner == 0 || e->owner == owner)
            drop(c, e);
    }
}

unsigned file_cache_add_owner(struct file_cache *c)
{
    return ++c->owners;
}

void file_cache_drop_owner(struct file_cache *c, unsigned owner)
{
    drop_of(c, &c->files, owner);
    drop_of(c, &c->others, owner);
    tell(c);
}

void file_cache_free(struct file_cache *c)
{
    if (c == NULL)
        return;
    timer_cancel(c->loop, &c->sweep);
    file_cache_drop_owner(c, 0);
    free(c->buckets);
    free(c);
}

/* ---- use ---- */

static void touch(struct file_cache *c, struct file_entry *e)
{
    e->used_ms = loop_now_ms(c->loop);
    list_del(&e->lru);
    list_add_tail(&lru_of(c, e)->list, &e->lru);
}

struct file_entry *file_cache_get(struct file_cache *c, unsigned owner, struct str root,
                                  struct str path)
{
    struct file_entry *e;

    if (c->limits.off) {
        file_cache_drop_owner(c, 0);
        return NULL;
    }
    make_room(c); /* files grow by what is made of them: file_rep_set_meter() */
    e = *find(c, hash_of(c, owner, root, path), owner, root, path);
    if (e != NULL)
        touch(c, e);
    return e;
}

bool file_cache_is_fresh(const struct file_cache *c, uint64_t checked_ms)
{
    return loop_now_ms(c->loop) - checked_ms < c->limits.fresh_ms;
}

void file_cache_hit(struct file_cache *c, struct file_entry *e, bool looked)
{
    count(&c->stats->hits);
    if (!looked)
        return;
    count(&c->stats->revalidations);
    e->checked_ms = loop_now_ms(c->loop);
}

struct file_entry *file_cache_put(struct file_cache *c, unsigned owner, struct str root,
                                  struct str path, const struct file_entry *e)
{
    uint32_t hash = hash_of(c, owner, root, path);
    struct file_entry *old = *find(c, hash, owner, root, path);
    struct file_entry *new = xalloc(sizeof *new + root.len + path.len);
    char *text = (char *)(new + 1);

    count(&c->stats->misses);
    if (old != NULL)
        drop(c, old);
    *new = *e;
    new->hash = hash;
    new->owner = owner;
    new->root = (struct str){text, root.len};
    new->path = (struct str){text + root.len, path.len};
    memcpy(text, root.p, root.len);
    memcpy(text + root.len, path.p, path.len);
    new->next = c->buckets[hash & c->mask];
    c->buckets[hash & c->mask] = new;
    list_init(&new->lru);
    touch(c, new);
    lru_of(c, new)->n++;
    c->bytes += bytes_of(new);
    c->n_fds += holds_fd(new);
    if (new->rep != NULL)
        file_rep_set_meter(new->rep, &c->bytes);
    if (holds_fd(new) && c->sweep.slot == 0)
        timer_set(c->loop, &c->sweep, FILE_CACHE_FD_IDLE_MS / 2);
    make_room(c);
    return new;
}
