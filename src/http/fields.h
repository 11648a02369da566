/* Field lines of a message (RFC 9110 5): an ordered list, names compared without regard to case. */
#ifndef LINTEL_HTTP_FIELDS_H
#define LINTEL_HTTP_FIELDS_H

#include "base/arena.h"
#include "base/str.h"

struct field {
    struct str name;
    struct str value;
};

/* The bytes belong to an arena or are constant. Zeroed = empty. */
struct fields {
    struct field *list;
    size_t n;
    size_t cap;
};

/* Appends; name and value are not copied. */
void fields_add(struct fields *f, struct arena *a, struct str name, struct str value);

/* Replaces all lines of that name by one. */
void fields_set(struct fields *f, struct arena *a, struct str name, struct str value);

void fields_remove(struct fields *f, struct str name);

/* The value of the first line of that name; p == NULL if there is none. */
struct str fields_get(const struct fields *f, struct str name);

size_t fields_count(const struct fields *f, struct str name);

/* All lines of that name, joined by ", " (RFC 9110 5.3); p == NULL if there is none. */
struct str fields_joined(const struct fields *f, struct arena *a, struct str name);

/* The same with another separator. */
struct str fields_joined_by(const struct fields *f, struct arena *a, struct str name,
                            struct str separator);

/* Whether the comma-separated list in the lines of that name has token, without regard to case. */
bool fields_has_token(const struct fields *f, struct str name, struct str token);

/* value itself, or a copy with a space for every byte that no field value may hold: CR, LF, NUL and
 * the other controls but HTAB (RFC 9110 5.5). For values made of what a peer sent. */
struct str fields_clean_value(struct arena *a, struct str value);

#endif
