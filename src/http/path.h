/* Request targets to paths: percent-decoding and removal of dot segments (RFC 3986 5.2.4). */
#ifndef LINTEL_HTTP_PATH_H
#define LINTEL_HTTP_PATH_H

#include "base/arena.h"
#include "base/str.h"

enum path_verdict {
    PATH_OK,
    PATH_BAD /* 400: a bad escape, a NUL, a path that climbs above its root, no leading "/" */
};

/* raw: the path of a request target, still escaped. *out: decoded once, "." and ".." segments
 * resolved also when they were escaped, duplicate slashes kept out ("//" becomes "/"); begins with
 * "/" and ends with one if raw names a folder. "%2F" becomes a slash that separates: so no file
 * name can hold one, and nothing can hide behind it. *out may be raw itself if nothing changed. */
enum path_verdict path_clean(struct arena *a, struct str raw, struct str *out);

/* Escapes what a path may not hold as such in a URI (RFC 3986 3.3), for Location fields. */
struct str path_escape(struct arena *a, struct str path);

/* A path that was put together of parts, made one that a target may hold: begins with "/", escapes
 * what must be, a "%" that begins no escape as well. plain: whatever need not be escaped is not. */
struct str path_normal(struct arena *a, struct str raw, bool plain);

/* Whether a segment of an escaped path is "..", or perhaps "." where least is 1 (else 2). */
bool path_has_dots(struct str raw, size_t least);

/* The byte that "%XX" at s[at] stands for, or -1 if there is no escape. */
int path_escape_at(struct str s, size_t at);

#endif
