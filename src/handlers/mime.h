/* Media types of files, by the extension of their names: a table that is built in (mime_table.h),
 * and what the system's list says besides. */
#ifndef LINTEL_HANDLERS_MIME_H
#define LINTEL_HANDLERS_MIME_H

#include "base/str.h"

#define MIME_SYSTEM_FILE "/etc/mime.types"

enum {
    MIME_EXTENSION_MAX = 15,        /* bytes; no longer one is known */
    MIME_TYPE_MAX = 127,            /* bytes, without a charset */
    MIME_SYSTEM_MAX = 1024 * 1024,  /* bytes of the file; a larger one is not read */
    MIME_SYSTEM_EXTENSIONS = 16384, /* of it that are looked at */
};

/* What a list says otherwise than the table. Immutable. */
struct mime_list;

/* Of the text of a mime.types: lines of a type and of its extensions, "#" begins a comment. The
 * last line for an extension is the one that counts. What does not follow the grammar is passed
 * over, and so are types that the table knows as out of date. */
struct mime_list *mime_list_parse(struct str text);

/* The same of a file. Without one the list is empty, as it is, after a warning, if the file cannot
 * be read. Blocks. */
struct mime_list *mime_list_load(const char *path);

void mime_list_free(struct mime_list *list); /* NULL is fine */
size_t mime_list_count(const struct mime_list *list);

/* The Content-Type of a file of that name, text with its charset: as the list says, which may be
 * NULL, else as the table does. Lives as long as the list. p == NULL: the name tells nothing. */
struct str mime_type(const struct mime_list *list, struct str file_name);

#endif
