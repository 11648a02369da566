/* What the first bytes of a file tell of it. Pure. */
#ifndef LINTEL_HANDLERS_SNIFF_H
#define LINTEL_HANDLERS_SNIFF_H

#include "base/str.h"

enum { SNIFF_MAX = 512 }; /* bytes that are looked at */

/* Whether what begins with head is text: UTF-8 without the bytes that only binary data has (WHATWG
 * MIME Sniffing 3). head may end within a character if it has SNIFF_MAX bytes or more. */
bool sniff_is_text(struct str head);

/* The Content-Type of a file whose name tells nothing, a constant: text/plain or
 * application/octet-stream and nothing else, so that nobody can make a page by what they upload. */
struct str sniff_type(struct str head);

#endif
