/* Files in memory, for libraries that want the path of a file: the content as it was when it was
 * read, whatever becomes of the file it came from. Any thread. */
#ifndef LINTEL_BASE_MEMORY_FILE_H
#define LINTEL_BASE_MEMORY_FILE_H

#include "base/err.h"
#include "base/str.h"

/* The path of a file that cannot be written and has this content. The same content has the same
 * path, and a path never stands for another content: libcurl tells connections apart by the paths
 * of certificates. So a file stays for as long as the process, and those that change at a reload
 * should be few. NULL with *e set if there is no descriptor to be had. */
const char *memory_file(struct str content, struct err *e);

#endif
