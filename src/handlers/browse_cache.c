#include "handlers/browse_cache.h"

#include "base/alloc.h"
#include "io/offload.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

/* What a list is of. */
struct place {
    unsigned owner;
    struct folder root;
    struct str path;
};

struct kept {
    struct list lru;
    struct place place; /* its texts are its own */
    struct browse_list *list;
    uint64_t read_ms;
    uint64_t used_ms;
};

struct browse_reading {
    struct offload_job job;
    struct browse_reading *next;
    struct browse_cache *cache; /* NULL: has gone */
    struct conf *conf;          /* one reference: the rules are in it */
    struct place place;         /* its texts are its own */
    struct browse_asker *askers;
    struct browse_reader *reader; /* the helper thread's while it runs */
    int rc, code;
};

struct browse_cache {
    struct loop *loop;
    struct offload *offload;
    struct mailbox *home;
    struct list kept; /* the least lately used first */
    struct browse_reading *readings;
    struct timer sweep;
};

/* ---- places ---- */

static struct place place_copy(const struct place *f)
{
    struct place copy = *f;

    copy.root.path.p = xstrndup(f->root.path.p, f->root.path.len);
    copy.path.p = xstrndup(f->path.p, f->path.len);
    return copy;
}

static void place_fini(struct place *f)
{
    free((char *)f->root.path.p);
    free((char *)f->path.p);
}

static bool is_same(const struct place *a, const struct place *b)
{
    return a->owner == b->owner && a->root.follow_links == b->root.follow_links &&
           str_eq(a->path, b->path) && str_eq(a->root.path, b->root.path);
}

/* ---- what is kept ---- */

static struct kept *kept_of(struct list *item)
{
    return container_of(item, struct kept, lru);
}

static void drop(struct kept *k)
{
    list_del(&k->lru);
    place_fini(&k->place);
    browse_list_unref(k->list);
    free(k);
}

static struct kept *find_kept(struct browse_cache *c, const struct place *f)
{
    for (struct list *i = c->kept.next; i != &c->kept; i = i->next)
        if (is_same(&kept_of(i)->place, f))
            return kept_of(i);
    return NULL;
}

static void touch(struct browse_cache *c, struct kept *k)
{
    k->used_ms = loop_now_ms(c->loop);
    list_del(&k->lru);
    list_add_tail(&c->kept, &k->lru);
}

void browse_cache_trim(struct browse_cache *c)
{
    size_t bytes = 0, n = 0;

    for (struct list *i = c->kept.next; i != &c->kept; i = i->next, n++)
        bytes += browse_list_bytes(kept_of(i)->list);
    while (n > 0 && (n > BROWSE_CACHE_LISTS || bytes > BROWSE_CACHE_BYTES)) {
        bytes -= browse_list_bytes(kept_of(c->kept.next)->list);
        drop(kept_of(c->kept.next));
        n--;
    }
}

static void on_sweep(struct timer *t)
{
    struct browse_cache *c = container_of(t, struct browse_cache, sweep);
    uint64_t now_ms = loop_now_ms(c->loop);

    while (!list_empty(&c->kept) && now_ms - kept_of(c->kept.next)->used_ms >= BROWSE_CACHE_IDLE_MS)
        drop(kept_of(c->kept.next));
    if (!list_empty(&c->kept))
        timer_set(c->loop, t, BROWSE_CACHE_IDLE_MS);
}

/* Keeps what was read, unless nothing has changed: then what there was, with all that was made of
 * it. The result's reference is the cache's, or goes to *own. */
static struct browse_list *keep(struct browse_cache *c, const struct place *f,
                                struct browse_list *l, struct browse_list **own)
{
    struct kept *k = find_kept(c, f);

    if (k != NULL && k->list->hash != l->hash) {
        drop(k);
        k = NULL;
    }
    if (k == NULL && browse_list_bytes(l) > BROWSE_CACHE_BYTES / 2) {
        *own = l;
        return l;
    }
    if (k == NULL) {
        k = xalloc(sizeof *k);
        k->place = place_copy(f);
        k->list = l;
        list_init(&k->lru);
        if (list_empty(&c->kept))
            timer_set(c->loop, &c->sweep, BROWSE_CACHE_IDLE_MS);
    } else {
        browse_list_unref(l);
    }
    k->read_ms = loop_now_ms(c->loop);
    touch(c, k);
    *own = browse_list_ref(k->list);
    browse_cache_trim(c);
    return *own;
}

/* ---- readings ---- */

static void reading_free(struct browse_reading *r)
{
    browse_reader_free(r->reader);
    place_fini(&r->place);
    conf_unref(r->conf);
    free(r);
}

static void unlink_reading(struct browse_reading *r)
{
    struct browse_reading **at = &r->cache->readings;

    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    r->cache = NULL;
}

/* In a helper thread. All orders are made here, since sorting takes its time as well. */
static void read_rest(struct offload_job *j)
{
    struct browse_reading *r = container_of(j, struct browse_reading, job);

    r->rc = browse_reader_run(r->reader, SIZE_MAX);
    r->code = errno;
    if (r->rc == 0)
        browse_reader_sort(r->reader);
}

/* The cache may be gone when the last of them has been told. */
static void tell(struct browse_asker *askers, struct browse_list *l, int code)
{
    while (askers != NULL) {
        struct browse_asker *a = askers;

        askers = a->next;
        a->reading = NULL;
        a->done(a, l, code);
    }
}

static void on_read(struct offload_job *j)
{
    struct browse_reading *r = container_of(j, struct browse_reading, job);
    struct browse_asker *askers = r->askers;
    struct browse_list *l = NULL, *own = NULL;

    r->askers = NULL;
    if (r->cache != NULL) {
        if (r->rc == 0)
            l = keep(r->cache, &r->place, browse_reader_take(r->reader), &own);
        unlink_reading(r);
    }
    tell(askers, l, r->code);
    browse_list_unref(own);
    reading_free(r);
}

static void join(struct browse_reading *r, struct browse_asker *a)
{
    a->reading = r;
    a->next = r->askers;
    r->askers = a;
}

void browse_cache_leave(struct browse_asker *a)
{
    struct browse_reading *r = a->reading;
    struct browse_asker **at;

    if (r == NULL)
        return;
    for (at = &r->askers; *at != a; at = &(*at)->next)
        continue;
    *at = a->next;
    a->reading = NULL;
    if (r->askers == NULL && r->cache != NULL && offload_cancel(r->cache->offload, &r->job)) {
        unlink_reading(r);
        reading_free(r);
    }
}

static struct browse_reading *find_reading(struct browse_cache *c, const struct place *f)
{
    struct browse_reading *r = c->readings;

    while (r != NULL && !is_same(&r->place, f))
        r = r->next;
    return r;
}

/* The list is long: takes the reader. False: too much is under way. */
static bool hand_over(struct browse_cache *c, const struct place *f, const struct conf *conf,
                      struct browse_reader *reader, struct browse_asker *a)
{
    struct browse_reading *r = xalloc(sizeof *r);

    *r = (struct browse_reading){.job = {.run = read_rest, .done = on_read},
                                 .conf = conf_ref((struct conf *)conf),
                                 .place = place_copy(f),
                                 .reader = reader};
    if (!offload_start(c->offload, c->home, &r->job)) {
        reading_free(r);
        return false;
    }
    r->cache = c;
    r->next = c->readings;
    c->readings = r;
    join(r, a);
    return true;
}

static void read_folder(struct browse_cache *c, const struct place *f, const struct conf *conf,
                        const struct browse_scope *s, struct browse_asker *a)
{
    struct browse_reader *reader = browse_reader_new(s);
    struct browse_list *own = NULL, *l = NULL;
    int rc = reader == NULL ? -1 : browse_reader_run(reader, BROWSE_AT_ONCE), code = errno;

    if (rc == 1) {
        if (hand_over(c, f, conf, reader, a))
            return;
        a->done(a, NULL, EAGAIN);
        return;
    }
    if (rc == 0)
        l = keep(c, f, browse_reader_take(reader), &own);
    browse_reader_free(reader);
    a->done(a, l, code);
    browse_list_unref(own);
}

void browse_cache_get(struct browse_cache *c, unsigned owner, const struct conf *conf,
                      const struct browse_scope *s, struct browse_asker *a)
{
    const struct place f = {owner, s->root, s->path};
    struct kept *k = find_kept(c, &f);
    struct browse_reading *r;

    a->reading = NULL;
    if (k != NULL && loop_now_ms(c->loop) - k->read_ms < BROWSE_CACHE_FRESH_MS) {
        touch(c, k);
        a->done(a, k->list, 0);
        return;
    }
    r = find_reading(c, &f);
    if (r != NULL)
        join(r, a);
    else
        read_folder(c, &f, conf, s, a);
}

/* ---- life ---- */

struct browse_cache *browse_cache_new(struct loop *l, struct offload *o, struct mailbox *home)
{
    struct browse_cache *c = xalloc(sizeof *c);

    c->loop = l;
    c->offload = o;
    c->home = home;
    list_init(&c->kept);
    c->sweep.on_timer = on_sweep;
    return c;
}

void browse_cache_free(struct browse_cache *c)
{
    if (c == NULL)
        return;
    timer_cancel(c->loop, &c->sweep);
    while (!list_empty(&c->kept))
        drop(kept_of(c->kept.next));
    while (c->readings != NULL) {
        struct browse_reading *r = c->readings;

        assert(r->askers == NULL);
        unlink_reading(r);
        if (offload_cancel(c->offload, &r->job))
            reading_free(r);
    }
    free(c);
}
