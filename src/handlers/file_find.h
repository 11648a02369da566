/* The files of one file_server in one worker: found in the worker's cache, or looked up and kept
 * there. */
#ifndef LINTEL_HANDLERS_FILE_FIND_H
#define LINTEL_HANDLERS_FILE_FIND_H

#include "base/log_limit.h"
#include "handlers/file_lookup.h"

struct file_finder {
    struct file_cache *cache;
    struct file_rules rules;
    /* By whether links may lead out of the root: they lead elsewhere then. Then for sidecars. */
    unsigned owners[4];
    struct log_limit log_limit; /* of sidecars that are too old */
};

void file_finder_init(struct file_finder *f, struct file_cache *cache,
                      const struct file_rules *rules);
void file_finder_fini(struct file_finder *f);

/* What the path, a clean one, leads to below root. The result is good until the next call. */
struct file_entry *file_find(struct file_finder *f, struct exchange *ex, const struct folder *root,
                             struct str path);

/* The file of e in the one of these codings that the client wants most and that lies beside it: a
 * sidecar, which is no older than the file itself, since it would be one of an earlier content. One
 * reference. NULL: the file itself is to be sent. e is not good any more. */
struct file_rep *file_find_encoded(struct file_finder *f, struct exchange *ex,
                                   const struct folder *root, struct file_entry *e,
                                   const struct file_codings *codings);

#endif
