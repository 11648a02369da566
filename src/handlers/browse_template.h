/* The language of pages that list a folder: a small part of Mustache. {{name}} is replaced by a
 * value, escaped for HTML; {{#name}}...{{/name}} is there for each element of a list, or if a value
 * is not empty; {{^name}}...{{/name}} if it is. In a list, its elements' own values come first. The
 * names are in browse_values.c. Compiled at load; then read by all threads. */
#ifndef LINTEL_HANDLERS_BROWSE_TEMPLATE_H
#define LINTEL_HANDLERS_BROWSE_TEMPLATE_H

#include "handlers/browse_show.h"

enum browse_scope_kind { SCOPE_PAGE, SCOPE_CRUMB, SCOPE_ENTRY };

/* A value: what put writes, or the elements that a list has. */
struct browse_value {
    const char *name;
    enum browse_scope_kind scope;
    void (*put)(const struct browse_out *o, struct browse_pen *p);
    bool (*is)(const struct browse_out *o); /* NULL: it is there if put writes something */
    enum browse_scope_kind elements;        /* SCOPE_PAGE: it is no list */
};

extern const struct browse_value browse_values[]; /* ended by a zero row */

enum browse_op_kind { OP_TEXT, OP_VALUE, OP_IF, OP_IF_NOT, OP_EACH, OP_END, OP_LAST };

struct browse_op {
    enum browse_op_kind kind;
    const struct browse_value *value; /* of all but OP_TEXT */
    size_t other;                     /* the end of a section, or its beginning */
    struct str text;                  /* OP_TEXT: a part of the template */
};

struct browse_template {
    const struct browse_op *ops; /* the last one is OP_LAST */
    uint64_t hash;               /* of its text */
    struct arena *arena;         /* that it lives in */
};

/* NULL with *e: what is wrong, and in which line (e->at is its byte). text stays the caller's and
 * must live as long as the result, which is in a. */
const struct browse_template *browse_template_new(struct arena *a, struct str text, struct err *e);

/* Our own page. */
const struct browse_template *browse_template_default(void);

#endif
