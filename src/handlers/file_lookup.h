/* From a request's path to a file below a folder: index files, hidden names, the canonical slash.
 */
#ifndef LINTEL_HANDLERS_FILE_LOOKUP_H
#define LINTEL_HANDLERS_FILE_LOOKUP_H

#include "handlers/file_cache.h"
#include "handlers/file_etag.h"
#include "http/exchange.h"

enum { FILE_CODINGS_MAX = 3 };

/* In the order of preference. */
struct file_codings {
    const struct file_coding *list[FILE_CODINGS_MAX];
    size_t n;
};

struct file_rules {
    const char **index; /* names to look for in a folder, in order */
    size_t n_index;
    const char **hide; /* globs: with a slash of whole absolute paths, else of any one name */
    size_t n_hide;
    struct file_etags etags;
    const char *conf_path;         /* the configuration's file, which is never served */
    const struct mime_list *types; /* of the system; may be NULL */
    bool browse;                   /* a folder without an index is listed */
};

/* Whether a file is hidden: whole is its absolute path; names, separated by slashes, are those by
 * which the globs without a slash judge it. */
bool file_rules_hide(const struct file_rules *rules, const char *whole, struct str names);

/* The status for an errno. What is not there, or leads out of the root, is not found; what may not
 * be read is forbidden; what is not the client's doing is logged with the path. */
int file_status(const char *path, int code);

/* Looks up path, a clean one, below root. Fills in the part of *out that its header says, but for
 * checked_ms. With a coding, path is that of a sidecar: a file and nothing else, whether its name
 * is hidden or not. Blocks as file systems do. */
void file_lookup(const struct file_rules *rules, const struct folder *root, struct str path,
                 const struct file_kind *kind, int64_t now_s, struct file_entry *out);

/* Whether the file of an entry with a name in `checked` is still the same, and has the same ETag.
 * One system call, but where ETags lie beside files. */
bool file_lookup_still(const struct file_rules *rules, const struct folder *root,
                       const struct file_entry *e);

/* The path below root of an entry's file; begins with a slash. */
struct str file_entry_path(const struct file_entry *e, const struct folder *root);

#endif
