/* Answers made of a list of a folder, kept with it: a folder that many look at is formatted once.
 * One worker. */
#ifndef LINTEL_HANDLERS_BROWSE_PAGE_H
#define LINTEL_HANDLERS_BROWSE_PAGE_H

#include "http/prepared.h"

enum {
    BROWSE_PAGES = 4,               /* for one list; the oldest makes room */
    BROWSE_PAGE_MOST = 256 * 1024,  /* bytes; longer ones are formatted as they are sent */
    BROWSE_PAGE_KEY_MAX = 4 * 1024, /* what is asked for at greater length is not kept */
};

struct browse_page {
    char *key; /* all that it depends on besides the list; NULL: a free place */
    size_t key_len;
    int64_t len;           /* bytes of content */
    struct prepared *full; /* NULL: it is long */
};

struct browse_pages {
    struct browse_page list[BROWSE_PAGES];
    size_t next; /* to be taken for a new one */
};

/* NULL if there is none. */
const struct browse_page *browse_pages_find(const struct browse_pages *p, struct str key);

/* Takes one reference of full, which may be NULL. */
void browse_pages_add(struct browse_pages *p, struct str key, int64_t len, struct prepared *full);

size_t browse_pages_bytes(const struct browse_pages *p);
void browse_pages_fini(struct browse_pages *p);

#endif
