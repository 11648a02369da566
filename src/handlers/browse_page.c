#include "handlers/browse_page.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Of a prepared response: its arena, and what an engine hangs on it. */
enum { PREPARED_COST = 5 * 1024 };

const struct browse_page *browse_pages_find(const struct browse_pages *p, struct str key)
{
    for (size_t i = 0; i < BROWSE_PAGES; i++) {
        const struct browse_page *page = &p->list[i];

        if (page->key != NULL && str_eq((struct str){page->key, page->key_len}, key))
            return page;
    }
    return NULL;
}

static void page_fini(struct browse_page *page)
{
    free(page->key);
    prepared_unref(page->full);
    *page = (struct browse_page){0};
}

void browse_pages_add(struct browse_pages *p, struct str key, int64_t len, struct prepared *full)
{
    struct browse_page *page = &p->list[p->next];

    if (key.len > BROWSE_PAGE_KEY_MAX) {
        prepared_unref(full);
        return;
    }
    p->next = (p->next + 1) % BROWSE_PAGES;
    page_fini(page);
    *page = (struct browse_page){xstrndup(key.p, key.len), key.len, len, full};
}

size_t browse_pages_bytes(const struct browse_pages *p)
{
    size_t bytes = 0;

    for (size_t i = 0; i < BROWSE_PAGES; i++) {
        const struct browse_page *page = &p->list[i];

        if (page->key != NULL)
            bytes += page->key_len;
        if (page->full != NULL)
            bytes += PREPARED_COST + page->full->body.len;
    }
    return bytes;
}

void browse_pages_fini(struct browse_pages *p)
{
    for (size_t i = 0; i < BROWSE_PAGES; i++)
        page_fini(&p->list[i]);
}
