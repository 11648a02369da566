/* Named matchers: "@name" lines of a block, seen by the directives of that block and of those
 * inside it. Lives only during a load; main thread. */
#ifndef LINTEL_CONF_MATCHER_H
#define LINTEL_CONF_MATCHER_H

#include "base/map.h"
#include "conf/directive.h"

struct named_matcher {
    struct str name; /* with its "@" */
    const struct token *at;
    struct matcher matcher;
    struct str path; /* the one path of its path matcher, else len 0 */
};

/* Those of a block. */
struct named_matchers {
    const struct named_matchers *up; /* of the block around it */
    struct named_matcher **list;     /* in the order of the file */
    size_t n, cap;
    struct map by_name;
};

/* Whether a matcher is called so. */
bool matcher_is_type(const struct conf_builder *b, struct str name);

/* Whether a line of a block defines a matcher. */
bool matcher_is_definition(const struct node *node);

/* Compiles the definitions among the children of a node; from then on they can be seen (b->named).
 * To be followed by matcher_leave(). */
void matcher_enter(struct conf_builder *b, struct named_matchers *here, const struct node *parent);
void matcher_leave(struct conf_builder *b);

/* Whether the first argument is a matcher. */
bool matcher_comes_first(const struct directive *row, const struct directive_args *d);

/* Takes the matcher off the arguments of d: d->matcher, *d->row_matcher; *path as in struct
 * named_matcher. Returns -1 after an error. */
MUST_CHECK int matcher_take(const struct directive *row, struct directive_args *d,
                            struct str *path);

#endif
