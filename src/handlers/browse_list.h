/* What is in a folder: the files and folders that file_server would serve and nothing else. What is
 * hidden, the configuration's file, devices, and links that are broken or lead out of the root are
 * not in it. Counted by reference; once it is read, one worker's. */
#ifndef LINTEL_HANDLERS_BROWSE_LIST_H
#define LINTEL_HANDLERS_BROWSE_LIST_H

#include "handlers/browse_page.h"
#include "handlers/file_lookup.h"

struct browse_entry {
    const char *name;   /* NUL-terminated */
    const char *target; /* what a link says, where that is wanted; or NULL */
    const char *kind;   /* "folder", "image", "text"...: what people would call it; a constant */
    int64_t size;       /* a link's: of what it leads to */
    int64_t mtime_s;    /* the link's own, and so is mode */
    uint32_t mtime_ns;
    uint32_t mode;
    uint8_t name_len;
    bool is_folder; /* or a link to one */
    bool is_link;
};

enum { BROWSE_TARGET_MAX = 1024 }; /* bytes of a link's text; longer ones are left out */

enum browse_sort {
    BROWSE_NAME,
    BROWSE_FOLDERS_FIRST, /* and then by name */
    BROWSE_SIZE,          /* folders first, by name */
    BROWSE_TIME,
    BROWSE_SORTS
};

struct browse_list {
    unsigned refs;
    struct browse_entry *entries; /* as the file system gives them */
    size_t n, cap;
    size_t n_folders;
    int64_t total_size; /* of the files */
    int64_t newest_s;   /* the latest change of the folder and of all in it */
    bool is_cut;        /* there are more than may be listed */
    uint64_t hash;      /* of all of that */
    struct arena *texts;
    size_t texts_len;
    const struct browse_entry **orders[BROWSE_SORTS]; /* NULL: not asked for yet */
    struct browse_pages pages;                        /* made of it lately */
};

/* The entries, ascending. Letters are those of ASCII, their case does not matter; no two entries
 * are equal. Made when it is first asked for, and kept. */
const struct browse_entry *const *browse_list_order(struct browse_list *l, enum browse_sort by);

struct browse_list *browse_list_ref(struct browse_list *l);
void browse_list_unref(struct browse_list *l); /* NULL is fine */

/* About how much memory it holds. */
size_t browse_list_bytes(const struct browse_list *l);

/* ---- reading one ---- */

/* What to read. */
struct browse_scope {
    const struct file_rules *rules; /* copied; what it points to outlives the reader */
    struct folder root;
    struct str path; /* of the folder below it: begins and ends with a slash */
    size_t limit;    /* entries */
    bool reveal;     /* the texts of links */
};

struct browse_reader;

/* NULL with errno if the folder cannot be read. */
struct browse_reader *browse_reader_new(const struct browse_scope *s);

/* Reads up to max further names. 1: there may be more. 0: all is read. -1 with errno: the list is
 * not to be had. Blocks as file systems do. Any thread, one at a time. */
int browse_reader_run(struct browse_reader *r, size_t max);

/* Makes all orders of what was read, so that nobody waits for them later. */
void browse_reader_sort(struct browse_reader *r);

/* The list, one reference, once all is read. */
struct browse_list *browse_reader_take(struct browse_reader *r);

void browse_reader_free(struct browse_reader *r); /* NULL is fine */

#endif
