/* What a directive or a matcher says, as one text: two that say the same can share what they were
 * compiled to. Lives only during a load; main thread. */
#ifndef LINTEL_CONF_SAYS_H
#define LINTEL_CONF_SAYS_H

#include "conf/directive.h"

/* The words and the block of a node, without the first skip words; in a. Unambiguous: each word
 * stands with its length. p is NULL if it is too long, or if it uses a named matcher, since what
 * that stands for differs from block to block. */
struct str says_node(struct arena *a, const struct node *node, size_t skip);

#endif
