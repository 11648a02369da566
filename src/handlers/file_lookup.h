/* From a request's path to a file below a folder: index files, hidden names, the canonical slash.
 */
#ifndef LINTEL_HANDLERS_FILE_LOOKUP_H
#define LINTEL_HANDLERS_FILE_LOOKUP_H

#include "handlers/file_cache.h"
#include "http/exchange.h"

struct file_rules {
    const char **index; /* names to look for in a folder, in order */
    size_t n_index;
    const char **hide; /* globs: with a slash of whole absolute paths, else of any one name */
    size_t n_hide;
    const char *conf_path;         /* the configuration's file, which is never served */
    const struct mime_list *types; /* of the system; may be NULL */
};

/* Looks up path, a clean one, below root. Fills in the part of *out that its header says, but for
 * checked_ms. Blocks as file systems do. */
void file_lookup(const struct file_rules *rules, const struct folder *root, struct str path,
                 int64_t now_s, struct file_entry *out);

/* Whether the file of an entry with a name in `checked` is still the same. One system call. */
bool file_lookup_still(const struct file_entry *e);

#endif
