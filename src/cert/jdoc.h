/* JSON texts from outside (ACME replies, our own files in storage), read with suspicion: bounded
 * depth, exactly one value, and every member's type checked where it is asked for. Any thread. */
#ifndef LINTEL_CERT_JDOC_H
#define LINTEL_CERT_JDOC_H

#include "base/buf.h"

#include <json-c/json.h>

enum { JDOC_DEPTH_MAX = 16 };

/* The object that text holds, for json_object_put(); NULL with *e set if it is no JSON, not one
 * object, or nested deeper than JDOC_DEPTH_MAX. */
struct json_object *jdoc_parse(struct str text, struct err *e);

/* A member's value, living as long as the object; each answers "absent" (len 0 with p NULL, NULL,
 * false, the fallback) also if the member is of another type. */
struct str jdoc_str(struct json_object *o, const char *name);
struct json_object *jdoc_object(struct json_object *o, const char *name);
struct json_object *jdoc_array(struct json_object *o, const char *name);
bool jdoc_bool(struct json_object *o, const char *name);
int64_t jdoc_int(struct json_object *o, const char *name, int64_t fallback);

/* The text of an element of an array; p NULL if it is none. */
struct str jdoc_str_at(struct json_object *array, size_t i);

/* o (given away) as text on one line, appended to out; -1 if the ceiling would be passed. */
MUST_CHECK int jdoc_write(struct json_object *o, struct buf *out, struct err *e);

/* Adds a text member; s is copied. */
void jdoc_add_str(struct json_object *o, const char *name, struct str s);

/* json-c's. */
const char *jdoc_version(void);

#endif
