/* The lists of folders of one worker. A list is believed for a second, so that a folder that many
 * look at is read once in that time; as long as nothing has changed in it, what was formatted is
 * kept as well. Bounded in bytes and number. A folder with many entries is read by a helper thread;
 * who asks for it meanwhile waits for the same one.
 *
 * The life of a reading that takes longer:
 *  1. browse_cache_get() reads the first names, and hands what is left to a helper thread.
 *  2. Others who ask for that folder join. Whoever goes calls browse_cache_leave(); it is read all
 *     the same, unless it has not begun.
 *  3. The result comes by mail: it is kept, and everybody who waits is told. */
#ifndef LINTEL_HANDLERS_BROWSE_CACHE_H
#define LINTEL_HANDLERS_BROWSE_CACHE_H

#include "handlers/browse_list.h"
#include "io/loop.h"

enum {
    BROWSE_CACHE_BYTES = 8 * 1024 * 1024, /* a list with more than half of it is not kept */
    BROWSE_CACHE_LISTS = 64,
    BROWSE_CACHE_FRESH_MS = 1000, /* how long a list is believed */
    BROWSE_CACHE_IDLE_MS = 10000, /* how long one is kept that nobody asks for */
    BROWSE_AT_ONCE = 512          /* names read before a helper thread does the rest */
};

struct browse_cache;
struct browse_reading;
struct offload; /* io/offload.h */
struct mailbox; /* io/mailbox.h */

/* Somebody who asks: embedded, and not moved until done was called or browse_cache_leave(). */
struct browse_asker {
    struct browse_asker *next;
    struct browse_reading *reading; /* NULL: it does not wait */
    /* l: NULL if it is not to be had, and code is an errno. Its reference is the cache's. */
    void (*done)(struct browse_asker *a, struct browse_list *l, int code);
};

struct browse_cache *browse_cache_new(struct loop *l, struct offload *o, struct mailbox *home);
void browse_cache_free(struct browse_cache *c); /* nobody waits any more; NULL is fine */

/* Calls a->done at once or later. owner: a number that keeps apart whose rules and scopes differ.
 * conf: what the rules are part of. */
void browse_cache_get(struct browse_cache *c, unsigned owner, const struct conf *conf,
                      const struct browse_scope *s, struct browse_asker *a);
void browse_cache_leave(struct browse_asker *a); /* no harm if it does not wait */

/* To be called when a list has grown. */
void browse_cache_trim(struct browse_cache *c);

#endif
