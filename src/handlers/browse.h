/* Answers with the list of a folder: a page, JSON or text, as the client accepts it. */
#ifndef LINTEL_HANDLERS_BROWSE_H
#define LINTEL_HANDLERS_BROWSE_H

#include "handlers/browse_cache.h"
#include "handlers/browse_conf.h"

/* Whose lists they are: a handler of a worker. */
struct browser {
    const struct browse_conf *conf;
    const struct conf *whole_conf; /* conf and rules are part of it */
    const struct file_rules *rules;
    struct browse_cache *cache;
    unsigned owner; /* a number that keeps its lists apart from others' */
};

/* Answers a GET or HEAD, at once or later; what it is given lives as long as ex. path, of the
 * folder below root, begins and ends with a slash. status 0: as the request's conditions want it;
 * another one is sent in any case. */
void browse_respond(const struct browser *b, struct exchange *ex, const struct folder *root,
                    struct str path, int status);

#endif
