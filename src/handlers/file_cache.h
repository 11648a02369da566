/* What paths of a worker's sites lead to: files, redirects and errors, looked up once and then
 * found without a system call. Bounded in bytes, entries and descriptors; what was used least
 * lately goes first. Entries that hold no file are counted apart, so that somebody who asks for
 * names at random does not drive files out. */
#ifndef LINTEL_HANDLERS_FILE_CACHE_H
#define LINTEL_HANDLERS_FILE_CACHE_H

#include "base/list.h"
#include "conf/conf.h"
#include "handlers/file_rep.h"
#include "io/loop.h"

#include <stdatomic.h>

enum { FILE_CACHE_FD_IDLE_MS = 10000 }; /* how long a descriptor is kept that nobody uses */

/* What a cache does and holds. Written by its worker alone; any thread may read. */
struct file_cache_stats {
    _Atomic uint64_t hits;          /* requests answered by what was kept */
    _Atomic uint64_t revalidations; /* of these, after a look whether the file has changed */
    _Atomic uint64_t misses;        /* paths that were looked up */
    _Atomic uint64_t evictions;     /* entries that made room for others */
    /* At this moment: */
    _Atomic uint64_t files;
    _Atomic uint64_t descriptors;
    _Atomic uint64_t absent;
    _Atomic uint64_t bytes;
};

enum file_outcome {
    FILE_SERVE,      /* rep */
    FILE_ADD_SLASH,  /* a folder named without its slash */
    FILE_DROP_SLASH, /* a file named with one */
    FILE_LIST,       /* a folder without an index, named with its slash: its list */
    FILE_STATUS      /* status: an error */
};

struct file_entry {
    /* Filled in by who looked it up. */
    enum file_outcome outcome;
    int status;
    struct file_rep *rep; /* one reference */
    char *file;           /* malloc'ed: its absolute path; NULL without rep */
    const char *checked;  /* the same, if its stat tells of all changes; NULL: look up anew */
    uint64_t checked_ms;

    /* The cache's own. */
    struct file_entry *next; /* of the same bucket */
    struct list lru;
    uint64_t used_ms;
    uint32_t hash;
    unsigned owner;
    struct str root;
    struct str path;
};

struct file_cache;

/* Empty, and off before file_cache_set_limits(). stats is zeroed, and outlives it. */
struct file_cache *file_cache_new(struct loop *loop, struct file_cache_stats *stats);
void file_cache_free(struct file_cache *c); /* NULL is fine */

/* May be called again at any time: what there is no room for any more goes. */
void file_cache_set_limits(struct file_cache *c, const struct file_cache_limits *limits);

/* A number that keeps the entries of one handler's configuration apart from all others'. */
unsigned file_cache_add_owner(struct file_cache *c);
void file_cache_drop_owner(struct file_cache *c, unsigned owner);

/* The entry, or NULL. Good until the next call of a function of the cache. */
struct file_entry *file_cache_get(struct file_cache *c, unsigned owner, struct str root,
                                  struct str path);

/* Whether what was seen then, of the loop's clock, may be believed without another look. */
bool file_cache_is_fresh(const struct file_cache *c, uint64_t checked_ms);

/* To be told that an entry answers a request; looked: after a look, which found it unchanged. */
void file_cache_hit(struct file_cache *c, struct file_entry *e, bool looked);

/* Keeps e, with what it holds, in the place of the entry there was. The result lives until the next
 * call of a function of the cache. */
struct file_entry *file_cache_put(struct file_cache *c, unsigned owner, struct str root,
                                  struct str path, const struct file_entry *e);

/* Closes every descriptor that only the cache holds: when there are no more to be had. */
void file_cache_drop_fds(struct file_cache *c);

#endif
