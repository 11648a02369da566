/* Entity tags of encoded responses. A strong one must be another for each content coding (RFC 9110
 * 8.8.3.3): ours is the original with "-gzip" before its last quotation mark, as Caddy's. Who made
 * the original knows nothing of that: the ending is taken off where a client sends it back. Pure
 * functions. */
#ifndef LINTEL_HANDLERS_ENCODE_ETAG_H
#define LINTEL_HANDLERS_ENCODE_ETAG_H

#include "base/arena.h"

/* The tag for the response in this coding: itself if it is weak, or no tag. */
struct str encode_etag_add(struct arena *a, struct str tag, struct str coding);

/* A list of tags (If-None-Match, If-Match) with the ending taken off of all that have it; list
 * itself if none has. */
struct str encode_etag_strip(struct arena *a, struct str list, struct str coding);

/* Whether tag, which has the ending, is in the list. */
bool encode_etag_listed(struct str list, struct str tag);

#endif
