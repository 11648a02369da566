/* Media types of files, by the extension of their names. Pure. */
#ifndef LINTEL_HANDLERS_MIME_H
#define LINTEL_HANDLERS_MIME_H

#include "base/str.h"

/* The Content-Type of a file of that name, a constant; text has its charset. A name that tells
 * nothing is application/octet-stream and not left without: browsers would guess, and could take
 * what somebody has uploaded for a page. */
struct str mime_type(struct str file_name);

/* The table, for tests: extensions in strictly ascending order, lower-case. */
size_t mime_count(void);
const char *mime_extension(size_t i);

#endif
