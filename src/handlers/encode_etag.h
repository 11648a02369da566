/* Entity tags of encoded responses. The same content is not always encoded to the same bytes: not
 * by another release of a library, at another level or with other pauses between what comes. So a
 * tag that was strong becomes a weak one (RFC 9110 8.8.1), with the coding at its end, as in
 * W/"abc-gzip": caches can tell codings apart, and nobody puts parts of two of them together. Who
 * made the original knows nothing of that: it is put back where a client sends it. Pure functions.
 */
#ifndef LINTEL_HANDLERS_ENCODE_ETAG_H
#define LINTEL_HANDLERS_ENCODE_ETAG_H

#include "base/arena.h"

/* The tag for the response in this coding: itself if it is weak already, or no tag. */
struct str encode_etag_add(struct arena *a, struct str tag, struct str coding);

/* A list of tags (If-None-Match, If-Match) with the originals in the place of those with the
 * coding's ending; list itself if none has it. */
struct str encode_etag_strip(struct arena *a, struct str list, struct str coding);

/* Whether tag, which has the ending, is in the list, by weak comparison. */
bool encode_etag_listed(struct str list, struct str tag);

#endif
