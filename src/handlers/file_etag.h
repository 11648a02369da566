/* Entity tags that somebody has put beside the files they are of, such as "a.css.sha256". */
#ifndef LINTEL_HANDLERS_FILE_ETAG_H
#define LINTEL_HANDLERS_FILE_ETAG_H

#include "handlers/beneath.h"
#include "handlers/file_rep.h"

/* The names of such files: that of the file and one of these at its end, the first that is there.
 */
struct file_etags {
    const char **extensions;
    size_t n;
};

/* The tag of the file at path, below root, in buf; len 0: none. A file that holds no tag (RFC 9110
 * 8.8.3: in quotes, perhaps after W/) is passed over; tell: with a line in the log. */
struct str file_etag_read(const struct file_etags *etags, const struct beneath *root,
                          const char *path, bool tell, char buf[FILE_ETAG_MAX + 1]);

/* Whether s is an entity tag, to the letter. */
bool file_etag_is_valid(struct str s);

#endif
