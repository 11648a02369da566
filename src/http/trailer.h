/* What may stand in a trailer (RFC 9110 6.5): the fields of a message that follow its content. Any
 * thread. */
#ifndef LINTEL_HTTP_TRAILER_H
#define LINTEL_HTTP_TRAILER_H

#include "http/fields.h"

/* Whether a field of that name can come so late: not what frames, routes, authenticates or asks,
 * nor what says how the content is to be taken, since who reads the trailer has acted on that
 * before. */
bool trailer_allows(struct str name);

/* Takes out what speaks of the bytes of the content, for who has changed them. */
void trailer_recode(struct fields *trailer);

#endif
