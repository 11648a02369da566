/* A handler: what a row of a site does with an exchange. A const struct in the handler's own file,
 * named by its directive row. */
#ifndef LINTEL_HTTP_HANDLER_H
#define LINTEL_HTTP_HANDLER_H

#include "http/exchange.h"

enum verdict {
    NEXT, /* not answered: go on with the next row */
    TAKEN /* answered, or will be */
};

struct browse_cache; /* handlers/browse_cache.h */
struct coder_pool;   /* handlers/encode_pool.h */
struct direct;       /* io/direct.h */
struct file_cache;   /* handlers/file_cache.h */
struct mailbox;      /* io/mailbox.h */
struct offload;      /* io/offload.h */
struct shared;       /* base/shared.h */

/* What a handler's per-worker state may use. */
struct worker_env {
    unsigned worker; /* its number, from 0: the first one does what is done once a process */
    unsigned n_workers;
    struct loop *loop;
    struct file_cache *files;   /* the worker's */
    struct browse_cache *lists; /* the worker's */
    struct coder_pool *coders;  /* the worker's */
    struct fetcher *fetcher;    /* transfers by libcurl */
    struct direct *direct;      /* those for http:// without it; NULL: by libcurl as well */
    const struct conf *conf;
    struct shared *shared;   /* the process's: base/shared.h */
    struct offload *offload; /* the process's: io/offload.h... */
    struct offload *names;   /* ...and that for names, which take as long as DNS servers do... */
    struct mailbox *home;    /* ...and where its results come to */
};

struct handler_type {
    const char *name;
    /* Optional: state of one worker, made when it takes up a configuration, freed when it has
     * dropped it and the last exchange that used it has ended. */
    int (*start)(const void *conf, const struct worker_env *env, void **state, struct err *e);
    void (*stop)(void *state);
    /* Optional: another configuration has been taken up. Exchanges that began with this one go on.
     */
    void (*retire)(void *state);
    /* conf: as the directive's set function filled it in. State: ex->handler_state. */
    enum verdict (*handle)(const void *conf, struct exchange *ex);
};

#endif
